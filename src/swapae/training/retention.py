"""Which checkpoints stay: the newest, the best, and one of every so many images for ever."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from swapae.config import to_dict
from swapae.training.config import TrainConfig
from swapae.training.figures import OWN, SAME, best
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
    best = best_of(paths, config)[: config.keep_best]
    return {*paths[-config.keep_checkpoints :], *marks.values(), *best}


def best_of(paths: Sequence[Path], config: TrainConfig) -> list[Path]:
    """Those of which `best_metric` was measured as it is now, the best first; of equals the older."""
    name, is_high_better = best(config.eval, config.best_metric, config.discriminator.image_size)
    found = [(value, path) for path in paths if (value := metric_of(path, name)) is not None]
    if name != OWN:
        found = [(value, path) for value, path in found if is_measured_alike(path, config)]
    return [path for _, path in sorted(found, key=lambda pair: -pair[0] if is_high_better else pair[0])]


def is_measured_alike(path: Path, config: TrainConfig) -> bool:
    """Whether a checkpoint's figures were measured on the images, and on the pairs, of this config."""
    try:
        before = json.loads((path / "config.json").read_text(encoding="utf-8"))["eval"]
        return all(before[name] == to_dict(config.eval)[name] for name in SAME)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def metric_of(path: Path, name: str) -> float | None:
    """What was measured when a checkpoint was saved."""
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
