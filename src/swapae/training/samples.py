"""Which images the sample grids of a training show, and when which grid lies where.

    snapshots/images_00012000.png               images spread over the set, averaged weights
    snapshots/images_00012000_raw.webp          the same images, weights as they are
    snapshots/images_00012000_random.webp       other images every time, averaged weights
    snapshots/images_00012000_random_raw.webp   those, weights as they are

Nothing here draws from the generators of the training: a run with grids learns what one without does.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from swapae.data.source import Source
from swapae.data.stream import evaluation_images, to_batch
from swapae.images import resize, save_image
from swapae.model import SwappingAutoencoder
from swapae.training.config import TrainConfig
from swapae.training.ema import Ema
from swapae.training.health import Readings
from swapae.training.snapshot import look, readings, snapshot

NUM_IMAGES = 8  # columns of a grid
MAX_CELL = 128  # pixels of a cell's longer side, in all grids but the first
QUALITY = 90  # of WebP
KINDS = {
    "": "fixed images, averaged weights",
    "_raw": "fixed images, weights as they are",
    "_random": "random images, averaged weights",
    "_random_raw": "random images, weights as they are",
}
ENDLESS = 2**31  # numbers among which the random images of a set without end are drawn


# ── which images ─────────────────────────────────────────────────────────────────────────────────


def fixed_indices(num_images: int | None) -> list[int]:
    """Choose images spread over the set, an even number of them, neighbours far apart.

    A folder is in order of its paths, so neighbours there, and the first images, are often of one kind.
    """
    if num_images is None:
        return list(range(NUM_IMAGES))
    half = min(NUM_IMAGES, num_images + num_images % 2) // 2
    spread = [i * num_images // (2 * half) for i in range(2 * half)]
    return [spread[i] for pair in range(half) for i in (pair, pair + half)]


def random_indices(seed: int, images_seen: int, num_images: int | None) -> list[int]:
    """Choose as many images at random: a function of its arguments alone."""
    key = np.array([seed % 2**64, images_seen], dtype=np.uint64)
    chance = np.random.Philox(key=key, counter=[0, 0, 0, 3])  # 1 and 2: order and augmentation (data/stream)
    if num_images is None:
        return [int(draw) % ENDLESS for draw in chance.random_raw(NUM_IMAGES)]
    count = len(fixed_indices(num_images))
    if num_images <= 100 * count:
        order = np.argsort(chance.random_raw(num_images), kind="stable")
        return [int(order[i % num_images]) for i in range(count)]
    return [int(draw) % num_images for draw in chance.random_raw(count)]


def images_of(source: Source, config: TrainConfig, indices: list[int]) -> Tensor:
    """Read images, prepared without chance, `[B, 3, H, W]`."""
    return to_batch(evaluation_images(source, config.data, config.model.stride, indices))


# ── the grids ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Samples:
    """The grids of a run.

    Attributes:
        source: where random images come from.
        config: of the run.
        fixed: images that every grid shows, `[B, 3, S, S]`.
    """

    source: Source
    config: TrainConfig
    fixed: Tensor

    def draw(self, ema: Ema, images_seen: int) -> tuple[Readings, dict[str, Image.Image]]:
        """Draw the grids of this moment, by kind; the first of them gives the readings."""
        models = {"": ema.model}
        if ema.model is not ema.trained:
            models["_raw"] = as_it_is(ema.trained)
        indices = random_indices(self.config.seed, images_seen, self.source.num_images)
        shown = {"": self.fixed, "_random": images_of(self.source, self.config, indices)}
        found: Readings = {}
        grids = {}
        for images, batch in shown.items():
            for weights, model in models.items():
                seen = look(model, batch.to(model.device))
                found = found or readings(model, seen)
                grids[images + weights] = snapshot(seen)
        return found, grids


def as_it_is(model: SwappingAutoencoder) -> SwappingAutoencoder:
    """Give a model of the same weights that keeps no code and no folded weight when it goes."""
    same = copy.copy(model)
    same.codes_cache = None
    return same


def write(picture: Image.Image, path: Path, side: int) -> None:
    """Save a grid of images of this side, in pixels; one that is no PNG is brought to small cells."""
    is_whole = path.suffix == ".png"
    save_image(picture if is_whole else small(picture, side), path, force=True, quality=QUALITY)


def small(picture: Image.Image, side: int) -> Image.Image:
    """Bring the cells of a grid, images of this side, to at most `MAX_CELL`."""
    if side <= MAX_CELL:
        return picture
    width, height = (round(length * MAX_CELL / side) for length in picture.size)
    return resize(picture, (width, height))


# ── their names ──────────────────────────────────────────────────────────────────────────────────


def grid_path(folder: Path, images_seen: int, kind: str = "") -> Path:
    """Name a grid; `kind` is one of `KINDS`."""
    return folder / f"images_{images_seen:08d}{kind}{'.webp' if kind else '.png'}"


def grids_in(folder: Path) -> Iterator[tuple[int, str, str]]:
    """Find the grids in a folder: images seen, kind, name of the file; in order of time."""
    pattern = re.compile(r"images_(\d{8,})(|_raw|_random|_random_raw)\.(?:png|webp)")
    found = [pattern.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    yield from sorted((int(match[1]), match[2], match[0]) for match in found if match)
