"""Directions that a model in the box brings along: its principal ones that turn a code by something."""

from pathlib import Path

from swapae.cli.common import Running
from swapae.cli.encoding import Encoding
from swapae.editing import Direction, Directions, principal
from swapae.editing.files import Maker

NUM = 6  # of each kind, at most
LEAST_TURN = 2.0  # degrees of a strength of 1; what turns less shows next to nothing (LOG.md, 2026-11-25)


def write_directions(path: Path, folder: Path, size: int, data: str, images: int) -> list[Direction]:
    """Find the directions of a set of images, with the weights as they are shipped, and write them.

    Args:
        path: file to write.
        folder: of the model.
        size: side of the images it was trained on, in pixels.
        data: images, as `swapae directions fit` takes them.
        images: how many of them, at most.
    """
    encoding = Encoding.load(str(folder), size, 16, images, Running(quiet=True, device="cpu"))
    found = principal(encoding.of(data), ["texture", "structure", "layout"], NUM)
    kept = [one for one in found if one.degrees >= LEAST_TURN] or found[:1]
    Directions(tuple(kept), Maker.of(encoding.model)).save(path)
    return kept
