"""Stop a training at random steps, go on with other workers and in other processes, and compare what follows.

    python -m tests.training.resumes [--times 20] [--seed 0] [--workers 0 2 4] [--no-processes]

For each of `times` random steps: a run that is stopped there goes on with each number of workers, to its end.
The images (hashes of their pixels after zoom, crop and flip) and what is drawn for them must be those of a
run that never stopped, for at least the next 100 images, and the weights at the end equal to the bit. Then a
run of one process is stopped there, goes on in two, is stopped again, and goes on in one: the same images and
draws, and weights to 1e-6, for two processes add in another order. Status 1 says that something differs.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tests.training.recorded import config_of, train_recorded
from tests.training.tools import make_images
from torch import Tensor

from swapae.training.checkpoint import newest_valid
from swapae.training.dealing import deal
from swapae.training.launch import launch
from swapae.weights import load_tensors

STEPS = 40
BATCH = 8
IMAGES = 100  # at least so many come after the step at which a run stops
KINDS = ("weights", "ema", "optimizer")


def main() -> None:
    """Run the comparison that the module describes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 2, 4])
    parser.add_argument("--no-processes", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chance = random.Random(options.seed)
    steps = [chance.randint(0, STEPS - -(-IMAGES // BATCH)) for _ in range(options.times)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = make_images(folder / "images", count=30)
        train_recorded(images, folder / "one", folder / "one.json")
        differences = [
            difference
            for step in steps
            for workers in options.workers
            for difference in told(f"step {step}, {workers} workers", resumed(folder, step, workers))
        ]
        for step in [] if options.no_processes else steps:
            differences += told(f"step {step}, 1 → 2 → 1 processes", dealt_out(folder, step, chance))
    num = len(steps) * (len(options.workers) + (not options.no_processes))
    sys.stdout.write(f"{num} resumes, {len(differences)} differences\n")
    sys.exit(bool(differences))


def told(what: str, differences: list[str]) -> list[str]:
    """Print the outcome of one resume."""
    sys.stdout.write(f"{what}: {', '.join(differences) or 'the same'}\n")
    sys.stdout.flush()
    return differences


def resumed(folder: Path, step: int, workers: int) -> list[str]:
    """Stop at a step, go on with workers; name what differs from the run that never stopped."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    train_recorded(folder / "images", run, folder / "before.json", step)
    config = config_of()
    config = replace(config, data=replace(config.data, workers=workers))
    train_recorded(folder / "images", run, folder / "after.json", config=config)
    one, after = read(folder / "one.json"), read(folder / "after.json")
    found = [kind for kind in ("placed", "drawn") if not is_end_of(after[kind], one[kind], STEPS - step)]
    return found + [kind for kind in KINDS if distance(folder / "one", run, kind) > 0]


def dealt_out(folder: Path, step: int, chance: random.Random) -> list[str]:
    """Stop at a step, go on in two processes, then in one; name what differs."""
    run, middle = folder / "run", chance.randint(1, STEPS - step - 1)
    shutil.rmtree(run, ignore_errors=True)
    train_recorded(folder / "images", run, folder / "before.json", step)
    arguments = (folder / "images", run, folder, middle)
    if launch(["-m", "tests.training.recorded", *map(str, arguments)], 2):
        return ["two processes failed"]
    train_recorded(folder / "images", run, folder / "after.json")
    one, after = read(folder / "one.json"), read(folder / "after.json")
    ranks = [read(folder / f"{rank}.json") for rank in (0, 1)]
    together = [joined([rank["placed"][i] for rank in ranks]) for i in range(middle)]
    found = [] if together + after["placed"] == one["placed"][step:] else ["placed"]
    found += [] if is_end_of(after["drawn"], one["drawn"], STEPS - step - middle) else ["drawn"]
    return found + [kind for kind in KINDS if distance(folder / "one", run, kind) > 1e-6]


def joined(parts: list[list[str]]) -> list[str]:
    """Put what came to the processes in one step back in the order of the batch."""
    batch = [""] * BATCH
    for share, part in zip(deal(BATCH, len(parts), 1), parts, strict=True):
        for position, image in zip(share.positions, part, strict=True):
            batch[position] = image
    return batch


def is_end_of(found: list[Any], whole: list[Any], least: int) -> bool:
    """Whether a list is the end of another, and has so many entries; of draws, R1 steps have some too."""
    return len(found) >= least and whole[len(whole) - len(found) :] == found


def distance(one: Path, other: Path, kind: str) -> float:
    """The greatest difference between the tensors of two finished runs."""
    mine, theirs = (tensors_of(run, kind) for run in (one, other))
    if mine.keys() != theirs.keys():
        return float("inf")
    return max(float((mine[name] - theirs[name]).abs().max()) for name in mine)


def tensors_of(run: Path, kind: str) -> dict[str, Tensor]:
    path = newest_valid(run / "checkpoints")
    assert path is not None
    return load_tensors(path / f"{kind}.safetensors")[0]


def read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text())
    return record


if __name__ == "__main__":
    main()
