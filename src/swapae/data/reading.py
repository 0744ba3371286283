"""A picture file → an RGB picture on which the resize rule has acted, decoded no further than that needs."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from PIL import Image

from swapae.data.transforms import DataConfig, largest_size, resized, rule_size
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import MAX_PIXELS, Size, decode_draft, decode_image, open_file, resize, split_alpha

# Sides at which a JPEG is decoded, as multiples of the wanted ones, at least; None is always in full.
DRAFT_GAPS = {"close": None, "quick": 2, "rough": 1}

# Sides that are left to the bicubic filter when blocks of pixels were averaged, as multiples likewise.
REDUCING_GAP = 2.0


def open_resized(path: str | Path, config: DataConfig | None) -> Image.Image:
    """Open a picture, upright and over white, at the size that `config.preprocess` gives it, if given.

    `prepare` finds its first step done. How much is decoded and how it is shrunk is up to `config.decode`:

    - `exact`: all pixels are decoded, and resized by the bicubic filter alone.
    - `close`: blocks of pixels are averaged first, if each side stays at least twice the wanted one.
    - `quick`: besides, a JPEG is decoded at 1/2, 1/4 or 1/8, each side at least twice the wanted one.
    - `rough`: besides, a JPEG is decoded at 1/2, 1/4 or 1/8, each side at least the wanted one.

    All four are the same where a picture is not shrunk.

    Raises:
        UserError: as `open_image`, and as `check_growth`.
    """
    with open_file(Path(path)) as file:
        return decode_resized(file, path, config)


def decode_resized(file: BinaryIO, name: str | Path, config: DataConfig | None) -> Image.Image:
    """Decode an open binary file as `open_resized` does; `name` is what messages call it."""
    if config is None:
        return split_alpha(decode_image(file, name))[0]
    if config.decode == "exact":
        image, _ = split_alpha(decode_image(file, name))
        check_growth(image.size, config, name)
        return resized(image, rule_size(image.size, config))
    gap = DRAFT_GAPS[config.decode]

    def least(size: Size) -> Size:
        width, height = rule_size(size, config)
        return (gap * width, gap * height) if gap else size

    picture, whole, box = decode_draft(file, name, least)
    check_growth(whole, config, name)
    image, _ = split_alpha(picture)
    size = rule_size(whole, config)
    is_done = image.size == size and box == (0, 0, *size)
    return image if is_done else resize(image, size, box, REDUCING_GAP)


def check_growth(size: Size, config: DataConfig, name: str | Path) -> None:
    """Refuse a picture so narrow that what resizes and crops it would make it too large.

    Raises:
        UserError: with both sizes; a picture of 1x20000 pixels would become 256x5120000.
    """
    width, height = largest_size(size, config)
    if width * height > MAX_PIXELS:
        was, limit = f"{size[0]}x{size[1]}", f"the limit is {MAX_PIXELS:,} pixels"
        raise UserError(f"{shown(name)} is too narrow: {was} would become {width}x{height} to fit ({limit}).")
