"""A picture file → an RGB picture on which the resize rule has acted, decoded no further than that needs."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from swapae.data.transforms import DataConfig, resized, rule_size
from swapae.images import Size, open_draft, open_image, resize, split_alpha

# Sides at which a JPEG is decoded, as multiples of the wanted ones, at least; None is always in full.
DRAFT_GAPS = {"close": None, "quick": 2, "rough": 1}

# Sides that are left to the bicubic filter when blocks of pixels were averaged, as multiples likewise.
REDUCING_GAP = 2.0


def open_resized(path: str | Path, config: DataConfig) -> Image.Image:
    """Open a picture, upright and over white, at the size that `config.preprocess` gives it.

    `prepare` finds its first step done. How much is decoded and how it is shrunk is up to `config.decode`:

    - `exact`: all pixels are decoded, and resized by the bicubic filter alone.
    - `close`: blocks of pixels are averaged first, if each side stays at least twice the wanted one.
    - `quick`: besides, a JPEG is decoded at 1/2, 1/4 or 1/8, each side at least twice the wanted one.
    - `rough`: besides, a JPEG is decoded at 1/2, 1/4 or 1/8, each side at least the wanted one.

    All four are the same where a picture is not shrunk.

    Raises:
        UserError: as `open_image`.
    """
    if config.decode == "exact":
        image, _ = split_alpha(open_image(path))
        return resized(image, rule_size(image.size, config))
    gap = DRAFT_GAPS[config.decode]

    def least(size: Size) -> Size:
        width, height = rule_size(size, config)
        return (gap * width, gap * height) if gap else size

    picture, whole, box = open_draft(path, least)
    image, _ = split_alpha(picture)
    size = rule_size(whole, config)
    is_done = image.size == size and box == (0, 0, *size)
    return image if is_done else resize(image, size, box, REDUCING_GAP)
