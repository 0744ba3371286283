"""Measure `swapae batch`: processor time an image, in one process and in several workers.

    python -m benchmarks.batch [--model synthetic64] [--images 40] [--side 128] [--workers 2]

On a machine that does other work, processor time says what a quiet one would do: a worker that has a core of
its own makes 1 / (processor seconds an image) images a second. Printed is a row of JSON for this process, and
one for so many workers; starting them and loading the model is not counted, and told beside.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import facts
from swapae.batch.edit import Edit
from swapae.batch.outcome import Job
from swapae.batch.plan import Batch
from swapae.batch.processes import Workers
from swapae.batch.run import work_of
from swapae.data.open import open_pack


def pictures(folder: Path, count: int, side: int) -> None:
    """Write smooth coloured noise, as PNG."""
    for seed in range(count):
        small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(folder / f"{seed:04}.png")


def processor_seconds(pids: Iterable[int]) -> float:
    """Tell how long processes have computed so far."""
    ticks = 0
    for pid in pids:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def row(kind: str, images: int, computed: float, passed: float, started: float) -> dict[str, Any]:
    """Lay a measurement out."""
    return {
        "kind": kind,
        "images": images,
        "processor_ms_an_image": round(1000 * computed / images, 1),
        "images_a_second_and_core": round(images / computed, 1),
        "seconds": round(passed, 1),
        "processor_seconds_to_start_each": round(started, 1),
    }


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="synthetic64")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        data, out = Path(place, "in"), Path(place, "out")
        data.mkdir()
        pictures(data, given.images, given.side)
        edit = Edit(given.model, textures=(str(data / "0000.png"),))
        begun = time.process_time()
        work = work_of(Batch(str(data), edit, out), open_pack(str(data)), "cpu")
        loaded = time.process_time() - begun
        jobs = [Job(number, f"{number:04}.png", f"{number:04}.png") for number in range(given.images)]
        warm, rest = jobs[: given.workers], jobs[given.workers :]
        for job in warm:
            work(job)
        begun, wall = time.process_time(), time.monotonic()
        assert not [outcome for outcome in map(work, rest) if outcome.error]
        passed = time.process_time() - begun, time.monotonic() - wall
        print(json.dumps({**facts(), **row("this process", len(rest), *passed, loaded)}))
        with Workers([work] * given.workers, threads=1) as pool:
            while not all(worker.is_ready for worker in pool._all) or warm:
                list(pool.outcomes(jobs[: given.workers], lambda: False))
                warm = []
            pids = [os.getpid(), *(worker.process.pid for worker in pool._all if worker.process.pid)]
            started = (processor_seconds(pids[1:])) / given.workers
            begun, wall = processor_seconds(pids), time.monotonic()
            list(pool.outcomes(rest, lambda: False))
            passed = processor_seconds(pids) - begun, time.monotonic() - wall
        print(json.dumps({**facts(), **row(f"{given.workers} workers", len(rest), *passed, started)}))


if __name__ == "__main__":
    main()
