"""Work without a model: it copies a picture's bytes, and does what names ask for."""

import io
import os
import signal
import time
from pathlib import Path

import numpy as np
from PIL import Image

from swapae.batch.edit import Edit
from swapae.batch.outcome import Job, Outcome
from swapae.batch.plan import Batch
from swapae.batch.run import Counts, Pool, run
from swapae.data.open import open_pack
from swapae.data.packs.pack import Pack


class Copying:
    """Writes pictures as they are; `kill` in a name kills the process, `once` only the first time."""

    def __init__(self, pack: Pack, out: Path, seconds: float = 0.0) -> None:
        self.pack, self.out, self.seconds = pack, out, seconds

    def load(self, threads: int | None) -> None:
        if (self.out / "unloadable").exists():
            raise ValueError("no model today")

    def __call__(self, job: Job) -> Outcome:
        time.sleep(self.seconds)
        if "kill" in job.name:
            mark = self.out / f"{job.number}.killed"
            if "once" not in job.name or not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        path = self.out / job.output
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.pack.open(job.number) as file:
            path.write_bytes(file.read())
        return Outcome(job, 0.5, None, False, path.stat().st_size, None, "0" * 64)


class Scripted:
    """A pool that gives the outcomes a function makes, and keeps the jobs it was given."""

    def __init__(self, outcome) -> None:
        self.outcome, self.jobs = outcome, []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def outcomes(self, jobs, stop):
        for job in jobs:
            self.jobs.append(job)
            yield self.outcome(job)
            if stop():
                return


def encoded(seed: int = 0, size: tuple[int, int] = (20, 16), kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def folder(root: Path, names: list[str]) -> Path:
    """A folder of small pictures, each of its own noise."""
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(seed, kind="JPEG" if name.endswith("jpg") else "PNG"))
    return root


def batch_of(data: Path, out: Path, model: Path, **given: object) -> Batch:
    texture = data.parent / "texture.png"
    texture.write_bytes(encoded(99))
    edit = Edit(str(model), textures=(str(texture),), strength=float(given.pop("strength", 1.0)))
    return Batch(str(data), edit, out, **given)


def run_with(batch: Batch, pool: object, stop=lambda: False, force: bool = False) -> Counts:
    return run(open_pack(batch.data), batch, lambda num_jobs: pool, lambda counts: None, stop, force)
