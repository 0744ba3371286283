"""Two steps of each kind on the device that will train: how fast it is, and what memory it takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from swapae.data.source import Source
from swapae.data.stream import SampleStream, to_batch
from swapae.runtime.room import resident, status
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.estimate import kinds
from swapae.training.setup import fitting, make_learner
from swapae.training.step import Steps

NUM_TIMED = 2


@dataclass(frozen=True)
class Trial:
    """What was measured.

    Attributes:
        seconds: of one step of each kind, on a batch.
        reading: seconds that one process takes to read a batch.
        peak: bytes that the training took at most, beyond the program itself; None where nobody tells.
        images_per_second: of steps in their proportions, with reading.
    """

    seconds: dict[str, float]
    reading: float
    peak: int | None
    images_per_second: float


def try_out(config: TrainConfig, source: Source, engine: Engine) -> Trial:
    """Read two batches; take every step once to warm up, which shows the peak of memory, and twice timed."""
    stream = SampleStream(source, config.data, config.model.stride, config.seed)
    places = engine.places(config.batch_size, config.accumulate)
    begin = time.monotonic()
    batches = [
        to_batch(stream.images([first + place for place in places])) for first in (0, config.batch_size)
    ]
    reading = (time.monotonic() - begin) / len(batches)
    peak = Peak(engine.device)
    learner = make_learner(config, engine)
    steps = Steps(learner.networks, learner.optimizers, config, engine)
    real = [engine.place(fitting(batch, config)) for batch in batches]
    random = engine.generator(config.seed)
    for step in kinds(steps).values():
        step(real[0], random)
    most = peak.bytes()
    seconds = {
        kind: _seconds(engine.device, lambda batch, step=step: step(batch, random), real)  # type: ignore[misc]
        for kind, step in kinds(steps).items()
    }
    return Trial(seconds, reading, most, speed(config, seconds, reading))


def speed(config: TrainConfig, seconds: dict[str, float], reading: float) -> float:
    """Give the images a second of a whole training: a step of each kind takes a batch, R1 comes seldom."""
    discriminators, r1, generator = seconds.values()
    computing = discriminators + generator + r1 / config.loss.r1_interval
    workers = config.data.workers
    together = max(computing, 2 * reading / workers) if workers else computing + 2 * reading
    return 2 * config.batch_size / together


def _seconds(device: torch.device, step: Callable[[Tensor], object], batches: list[Tensor]) -> float:
    """Time a step on each batch; give the mean."""
    _wait(device)
    begin = time.monotonic()
    for batch in batches[:NUM_TIMED]:
        step(batch)
    _wait(device)
    return (time.monotonic() - begin) / len(batches[:NUM_TIMED])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Peak:
    """The most memory that was held since this was made, beyond what was held then."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.before = torch.cuda.memory_reserved(device)
            return
        self.before = resident() or 0
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the system's count of the peak begins anew
        except OSError:
            self.before = 0

    def bytes(self) -> int | None:
        """Give it, or None where the system does not tell."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_reserved(self.device) - self.before
        most = status("VmHWM")
        return most - self.before if most is not None and self.before else None
