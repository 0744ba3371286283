"""What the server says about itself: alive, ready, and in figures (Prometheus)."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Figures of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        labels = ("method", "route", "status")
        self.requests = Counter("swapae_requests_total", "Requests answered.", labels, registry=registry)
        self.seconds = Histogram(
            "swapae_work_seconds", "Time the model took.", ("work",), buckets=BUCKETS, registry=registry
        )
        self.waiting = Gauge("swapae_queue_waiting", "Orders in the queue.", registry=registry)
        self.ready = Gauge("swapae_ready", "1 when work is taken.", registry=registry)
        self.model_memory = Gauge(
            "swapae_model_resident_bytes", "Memory of the model's process.", registry=registry
        )
        self.turned_away = Counter("swapae_turned_away_total", "Answers 429.", registry=registry)
        self.superseded = Counter(
            "swapae_superseded_total", "Answers 409 to older requests.", registry=registry
        )
        self.overdue = Counter("swapae_overdue_total", "Answers 504.", registry=registry)
        self.restarts = Counter("swapae_model_restarts_total", "Processes that died.", registry=registry)
        self.decoders = Counter(
            "swapae_decoder_restarts_total", "Decoders that were ended.", registry=registry
        )

    def text(self, waiting: int, is_ready: bool, pid: int | None) -> bytes:
        """Write all figures down, those of this moment among them."""
        self.waiting.set(waiting)
        self.ready.set(is_ready)
        self.model_memory.set(resident_bytes(pid))
        return generate_latest(self.registry)


def resident_bytes(pid: int | None) -> int:
    """Tell how much memory a process holds; 0 where that cannot be known."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0
