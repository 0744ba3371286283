"""From a picture of any size to the picture the networks are trained on (model-spec §10.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from swapae.images import resize

ResizeRule = Literal["none", "fixsize", "resize", "scale_width", "scale_shortside", "scale_longside"]
CropRule = Literal["none", "random", "center", "square"]
Decode = Literal["exact", "close", "quick", "rough"]


@dataclass(frozen=True)
class DataConfig:
    """How pictures are brought to size, step by step in the order of the fields.

    1. `preprocess`: `resize` and `fixsize` give exactly load_size × load_size, whatever the aspect was;
       `scale_width`, `scale_shortside` and `scale_longside` bring that side to `load_size` and keep the
       aspect; `none` leaves the picture.
    2. `zoom`, only in training: each side is multiplied by its own factor between `zoom` and 1.
    3. `crop`: a square of `crop_size`, `random` in training and from the middle in evaluation, or `center`
       always; `square` is the largest square in the middle; `none` keeps everything. A picture too small for
       the crop is first enlarged until it fits, with its aspect.
    4. Both sides are rounded to the nearest multiple of the model's stride, at least one stride.
    5. `flip`, only in training: half of the pictures, by chance, are mirrored left to right.

    `decode` trades likeness for speed where the first step shrinks a picture (swapae.data.reading says how).
    The default is `exact`, as published, so that figures can be compared everywhere. A training that has to
    wait for its images is better served by `cache`: it is faster than any decoding, and exact. The decibels
    are medians for 1024² JPEGs → 256², enlarged photos and generated pictures (benchmarks.decode_quality); of
    pictures sharp to the pixel `close` and `quick` lose up to 7 dB more, `rough` up to 10.

    The published `patch` and `trim` are left out: no published setting uses them.
    """

    preprocess: ResizeRule = "scale_shortside"  # how pictures are resized to load_size
    load_size: int = 256  # pixels, the side that preprocess sets
    zoom: float = 1.0  # smallest factor by which a side is shrunk at random; 1 is off
    crop: CropRule = "random"  # which square is cut out
    crop_size: int = 256  # pixels, the side of the square
    flip: bool = True  # mirror half of the training pictures
    workers: int = 0  # processes that read images ahead; 0 reads in the training process
    decode: Decode = "exact"  # or close (≥ 50 dB, 1.4×), quick (≥ 49 dB, 2×), rough (≥ 45 dB, 4× as fast)
    cache: str | None = None  # a folder for images as preprocess leaves them, made at the first start

    def __post_init__(self) -> None:
        for name in ("load_size", "crop_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"data.{name} must be 1 or more, not {getattr(self, name)}.")
        if self.workers < 0:
            raise ValueError(f"data.workers must be 0 or more, not {self.workers}.")
        if not 0 < self.zoom <= 1:
            raise ValueError(f"data.zoom must be above 0 and at most 1, not {self.zoom}.")
        is_side_known = self.preprocess in ("fixsize", "resize", "scale_shortside")
        if self.crop in ("random", "center") and is_side_known and self.crop_size > self.load_size:
            raise ValueError(
                f"data.crop_size={self.crop_size} is larger than data.load_size={self.load_size}, "
                "so nothing that large can be cut out."
            )


def prepare(
    image: Image.Image, config: DataConfig, stride: int, rng: np.random.Generator | None
) -> Image.Image:
    """Bring an RGB picture to size; without `rng`, as in evaluation, not by chance: no zoom, no flip.

    The same five numbers are drawn for every picture, so that no setting shifts the chances of another.
    """
    across, down, left, top, mirror = (0.5,) * 5 if rng is None else rng.random(5)
    image = resized(image, rule_size(image.size, config))
    if rng is not None and config.zoom < 1:
        image = resized(image, _zoomed_size(image.size, config, across, down))
    is_centered = rng is None or config.crop != "random"
    image = _cropped(image, config, None if is_centered else (left, top))
    image = resized(image, stride_size(image.size, stride))
    return ImageOps.mirror(image) if rng is not None and config.flip and mirror < 0.5 else image


def rule_size(size: tuple[int, int], config: DataConfig) -> tuple[int, int]:
    """Compute the (width, height) which `preprocess` gives a picture of this (width, height)."""
    if config.preprocess == "none":
        return size
    if config.preprocess in ("fixsize", "resize"):
        return config.load_size, config.load_size
    sides = {"scale_width": size[0], "scale_shortside": min(size), "scale_longside": max(size)}
    return _scaled(size, config.load_size / sides[config.preprocess])


def largest_size(size: tuple[int, int], config: DataConfig) -> tuple[int, int]:
    """Compute the largest (width, height) that a picture of this size has on its way through `prepare`."""
    size = rule_size(size, config)
    has_side = config.crop in ("random", "center")
    return _scaled(size, max(1.0, config.crop_size / min(size))) if has_side else size


def stride_size(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Round both sides to the nearest multiple of `stride`, at least one."""
    return max(1, round(size[0] / stride)) * stride, max(1, round(size[1] / stride)) * stride


def _scaled(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize a picture unless it has that size."""
    return image if image.size == size else resize(image, size)


def _zoomed_size(size: tuple[int, int], config: DataConfig, across: float, down: float) -> tuple[int, int]:
    """Shrink each side by its own factor, but not below what the crop needs."""
    needed = config.crop_size if config.crop in ("random", "center") else 1
    width, height = (
        max(min(side, needed), round(side * (config.zoom + (1 - config.zoom) * chance)))
        for side, chance in zip(size, (across, down), strict=True)
    )
    return width, height


def _cropped(image: Image.Image, config: DataConfig, place: tuple[float, float] | None) -> Image.Image:
    """Cut out a square, at `place` (fractions 0 to 1 of the room to the right and below) or in the middle."""
    if config.crop == "none":
        return image
    side = min(image.size) if config.crop == "square" else config.crop_size
    if min(image.size) < side:
        image = resize(image, _scaled(image.size, side / min(image.size)))
    room = (image.width - side, image.height - side)
    if place is None:
        left, top = room[0] // 2, room[1] // 2
    else:
        left, top = int(place[0] * (room[0] + 1)), int(place[1] * (room[1] + 1))
    return image.crop((left, top, left + side, top + side))
