"""Which of several ways is the fastest here: measured once, then remembered for this machine."""

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from swapae.errors import UserError
from swapae.files import cache_folder, write_text

MARGIN = 0.9  # a challenger wins in this share of the first candidate's time, or less
NUM_ROUNDS = 3

Key = Mapping[str, str | int]


def choose(
    candidates: Mapping[str, Callable[[], object]],
    key: Key,
    *,
    folder: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> str:
    """Name the fastest candidate, by an earlier measurement under this key or by a new one.

    The first candidate is the incumbent: another must take 0.9 of its time or less. A challenger that fails
    is left out. A cache that cannot be read or written is done without.

    Args:
        candidates: by name, what to run; each once to warm up, then three times, in turns.
        key: all on which the times depend, as `choice_key` gives it; candidates' names are added.
        folder: of the cache; None for `cache_folder()`.
        clock: seconds.

    Raises:
        ValueError: there are no candidates.
    """
    if not candidates:
        raise ValueError("there are no candidates to choose from.")
    if len(candidates) == 1:
        return next(iter(candidates))
    full_key = {**key, "candidates": " ".join(candidates)}
    path = (folder or cache_folder()) / "choices" / f"{_digest(full_key)}.json"
    known = _read(path, full_key)
    if known is not None and known in candidates:
        return known
    times = measure(candidates, clock)
    chosen = fastest(times)
    _write(path, {"key": full_key, "chosen": chosen, "milliseconds": times})
    return chosen


def measure(
    candidates: Mapping[str, Callable[[], object]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Time candidates in turns, each warmed up once before: median milliseconds by name.

    A challenger that fails is left out; an error of the first candidate is passed on.
    """
    sound = [name for name in candidates if _works(candidates[name], name == next(iter(candidates)))]
    times: dict[str, list[float]] = {name: [] for name in sound}
    for _ in range(NUM_ROUNDS):
        for name in sound:
            start = clock()
            candidates[name]()
            times[name].append(1000 * (clock() - start))
    return {name: round(median(found), 3) for name, found in times.items()}


def fastest(times: Mapping[str, float]) -> str:
    """Name the shortest time, but the first unless the shortest is 0.9 of it or less."""
    first, best = next(iter(times)), min(times, key=times.__getitem__)
    return best if times[best] <= MARGIN * times[first] else first


def choice_key(
    model: str, batch: int, height: int, width: int, threads: int, packages: Iterable[str] = ()
) -> dict[str, str | int]:
    """Describe a piece of work and where it is done.

    Args:
        model: the shape of the model, as text.
        batch: images at a time.
        height: of an image, in pixels.
        width: of an image, in pixels.
        threads: that compute.
        packages: those whose version matters.
    """
    return {
        "processor": processor(),
        "cores": num_cores(),
        "threads": threads,
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "model": model,
        "batch": bucket(batch),
        "pixels": bucket(height * width),
    }


def bucket(number: int) -> int:
    """Round up to a power of two: sizes that behave alike share a measurement."""
    return 1 << (number - 1).bit_length()


def _works(candidate: Callable[[], object], must_work: bool) -> bool:
    try:
        candidate()
    except Exception:
        if must_work:
            raise
        return False
    return True


def _digest(key: Key) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]


def _read(path: Path, key: Key) -> str | None:
    """Give the choice that a file holds; None if there is none, it is damaged, or of another key."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return str(found["chosen"]) if found["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _write(path: Path, found: Mapping[str, object]) -> None:
    try:
        write_text(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    except UserError:
        pass  # then it is measured again the next time


@cache
def processor() -> str:
    """Name the processor, as well as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def num_cores() -> int:
    """Count the cores this process may use."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
