"""How long a model takes: to encode an image, to decode codes, to swap (two embeddings and a decoding)."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from swapae import native
from swapae.files import shown
from swapae.model import SwappingAutoencoder
from swapae.runtime.backends import ROOMY
from swapae.runtime.choice import num_cores, processor
from swapae.runtime.plans import BudgetTooSmallError, Plan, plan_decoding, plan_encoding
from swapae.runtime.room import room

SIDES = (256, 512, 1024)  # pixels
MOST_SECONDS = 10.0  # a call
LEAST_ROUNDS, MOST_ROUNDS, ENOUGH_SECONDS = 3, 5, 2.0  # of an operation, after a warm-up
UNLIMITED = 2**62

Clock = Callable[[], float]


def measure_speed(
    model: SwappingAutoencoder,
    backend: str = "torch",
    sides: tuple[int, ...] = SIDES,
    *,
    most_seconds: float = MOST_SECONDS,
    clock: Clock = time.perf_counter,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, object]:
    """Time a model, one square image at a time, warm, without the cache of codes.

    Args:
        model: what is timed.
        backend: what runs it.
        sides: of the images in pixels, ascending.
        most_seconds: what takes longer, or would by its time at the size before, is left out.
        clock: seconds.
        tell: is told what is being done.

    Returns:
        where and how it was measured; `milliseconds`: side → operation → median; `skipped`: side → why.
    """
    milliseconds: dict[str, dict[str, float]] = {}
    skipped: dict[str, str] = {}
    known: dict[str, float] = {}  # operation → its last seconds a pixel
    where = circumstances(model, backend)
    for side in sides:
        tell(f"speed at {side} pixels")
        why = _too_large(model, side, backend)
        if why is None:
            found, why = _timed(model, side, known, most_seconds, clock)
            if found:
                milliseconds[str(side)] = found
        if why is not None:
            skipped[str(side)] = why
    return {**where, "milliseconds": milliseconds, "skipped": skipped}


def _timed(
    model: SwappingAutoencoder, side: int, known: dict[str, float], most_seconds: float, clock: Clock
) -> tuple[dict[str, float], str | None]:
    """Time the operations at a size, as far as they are quick enough; and say why others are not there."""
    found: dict[str, float] = {}
    slow: dict[str, float] = {}
    try:
        with without_cache(model):
            for name, run in operations(model, side).items():
                seconds = known.get(name, 0.0) * side**2
                if seconds <= most_seconds:
                    seconds = median_seconds(run, most_seconds, clock)
                known[name] = seconds / side**2
                if seconds <= most_seconds:
                    found[name] = round(1000 * seconds, 2)
                else:
                    slow[name] = seconds
    except (MemoryError, RuntimeError) as error:  # of whatever a backend is made of
        words = shown(str(error).partition("\n")[0].rstrip("."))
        return found, f"not measured: it failed ({words or 'there is not enough memory'})."
    each = ", ".join(f"{name} would take about {seconds:.0f} s" for name, seconds in slow.items())
    return found, f"not measured: {each}, more than the {most_seconds:g} s that a call may." if slow else None


def circumstances(model: SwappingAutoencoder, backend: str) -> dict[str, object]:
    """Where and how it is measured: all that the times depend on, besides the model."""
    device = model.device
    is_cuda = device.type == "cuda"
    found: dict[str, object] = {
        "device": str(device),
        "processor": torch.cuda.get_device_name(device) if is_cuda else processor(),
        "backend": backend,
        "threads": torch.get_num_threads(),
        "cores": num_cores(),
        "kernels": native.kernels_name() if device.type == "cpu" else "",
    }
    if hasattr(os, "getloadavg"):  # what else ran in the last minute
        found["load"] = round(os.getloadavg()[0], 2)
    return found


@contextmanager
def without_cache(model: SwappingAutoencoder) -> Iterator[None]:
    """Have the same image encoded anew every time."""
    kept, model.codes_cache = model.codes_cache, None
    try:
        yield
    finally:
        model.codes_cache = kept


def operations(model: SwappingAutoencoder, side: int) -> dict[str, Callable[[], object]]:
    """Make what is timed at one size, on images of noise."""
    chance = torch.Generator().manual_seed(0)
    images, others = (
        (2 * torch.rand(1, 3, side, side, generator=chance) - 1).to(model.device) for _ in range(2)
    )
    codes = model.encode(images)
    runs: dict[str, Callable[[], object]] = {
        "encode": lambda: model.encode(images),
        "decode": lambda: model.decode(codes),
        "swap": lambda: model.swap(images, others),
    }
    return {name: _awaited(run, model.device) for name, run in runs.items()}


def median_seconds(run: Callable[[], object], most_seconds: float, clock: Clock) -> float:
    """Time a call, after one that warms up: the median of a few, or of fewer where all take too long."""
    run()
    spent: list[float] = []
    while len(spent) < LEAST_ROUNDS or (len(spent) < MOST_ROUNDS and sum(spent) < ENOUGH_SECONDS):
        start = clock()
        run()
        spent.append(clock() - start)
        if min(spent) > most_seconds:
            break
    return statistics.median(spent)


def _awaited(run: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Wait for the end of what a GPU was given to do."""

    def wait() -> None:
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()

    return wait


# ── what is left out ─────────────────────────────────────────────────────────────────────────────


def _too_large(model: SwappingAutoencoder, side: int, backend: str) -> str | None:
    needed, free = bytes_needed(model, side, backend), room(model.device)
    if free is None or needed <= free:
        return None
    return f"not measured: it needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are there."


def bytes_needed(model: SwappingAutoencoder, side: int, backend: str) -> int:
    """Estimate the temporaries of a call on an image of this side; only torch's backend works in tiles."""
    config = model.config
    padded = max(-(-side // config.stride) * config.stride, config.min_side)
    place, one = padded // config.stride, torch.empty(1)  # its copies take no memory
    images = one.expand(1, 3, padded, padded)
    structure = one.expand(1, config.structure_channels, place, place)
    texture = one.expand(1, config.texture_channels)
    plans: tuple[Callable[[int | None], Plan], ...] = (
        lambda budget: plan_encoding(config.encoder(), images, budget),
        lambda budget: plan_decoding(config.generator(), structure, texture, budget, (side, side)),
    )
    budget = None if backend == "torch" else UNLIMITED
    return max(_bytes_of(plan, budget) for plan in plans)


def _bytes_of(plan: Callable[[int | None], Plan], budget: int | None) -> int:
    try:
        return plan(budget).bytes
    except BudgetTooSmallError as error:
        return ROOMY * error.least
