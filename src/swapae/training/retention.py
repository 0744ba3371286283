"""Which checkpoints stay: the newest, the best, and one of every so many images for ever."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from swapae.training.config import TrainConfig
from swapae.training.run import remove

PREFIX = "images_"


def checkpoints_in(folder: Path) -> list[Path]:
    """List checkpoint folders, oldest first."""
    found = [path for path in folder.glob(f"{PREFIX}*") if images_of(path) >= 0 and path.is_dir()]
    return sorted(found, key=images_of)


def images_of(path: Path) -> int:
    """Read the number off a checkpoint's name; -1 for another name."""
    number = path.name.removeprefix(PREFIX)
    return int(number) if number.isdecimal() else -1


def prune(folder: Path, images_seen: int, config: TrainConfig) -> None:
    """Remove what need not stay, oldest first. The newest must be known to be sound.

    One ahead of the training is damaged, else the training had gone on from it.
    """
    paths = checkpoints_in(folder)
    kept = staying([path for path in paths if images_of(path) <= images_seen], config)
    for path in paths:
        if path not in kept:
            with suppress(OSError):  # the next save tries again
                set_aside(path)


def staying(paths: Sequence[Path], config: TrainConfig) -> set[Path]:
    """Choose among checkpoints, oldest first."""
    every = config.keep_every_images
    marks = {images_of(path) // every: path for path in reversed(paths) if images_of(path) >= every > 0}
    measured = [(value, path) for path in paths if (value := metric_of(path, config.best_metric)) is not None]
    best = sorted(measured, key=lambda pair: pair[0])[: config.keep_best]  # of equals the older
    return {*paths[-config.keep_checkpoints :], *marks.values(), *(path for _, path in best)}


def metric_of(path: Path, name: str) -> float | None:
    """What was measured when a checkpoint was saved: less is better."""
    try:
        value = json.loads((path / "state.json").read_text(encoding="utf-8"))["metrics"][name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(value) if isinstance(value, int | float) else None


def set_aside(path: Path) -> None:
    """Remove a checkpoint: rename it first, so that half of one never lies under its name."""
    if path.exists():
        aside = path.with_name(f".{path.name}.{os.getpid()}.old.tmp")
        remove(aside)
        os.replace(path, aside)
        remove(aside)
