"""One image of a pack, decoded in full: whether it can be used, and what is worth knowing of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from swapae.data.packs.pack import Pack
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import decoded, opened, orientation_of, resize, split_alpha

HASH_SIDE, HASH_KEPT = 32, 8  # pixels of the thumbnail; frequencies per side of which the hash is made
COLOR_SIDE = 4  # pixels of the thumbnail that is compared by colour
GRAY_LEVELS = 4  # by so much the channels of a gray picture may differ, which JPEG rounds


@dataclass(frozen=True)
class Facts:
    """What an image is; the fields behind `error` mean nothing if there is one."""

    name: str
    num_bytes: int
    error: str | None = None  # why it cannot be used, a sentence
    format: str = ""
    size: tuple[int, int] = (0, 0)  # width, height, upright
    orientation: int = 1  # as EXIF has it
    is_gray: bool = False
    has_alpha: bool = False  # some pixel is not opaque
    look: int = 0  # 64-bit perceptual hash
    colors: bytes = b""  # RGB of COLOR_SIDE² fields
    index: int = -1  # in the pack


@dataclass(frozen=True)
class Inspector:
    """From the number of an image to its facts. Never raises for what an image holds.

    - pack: the images.
    - hashes: by name the SHA-256 that the bytes of an image must have; others may have any.
    """

    pack: Pack
    hashes: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, index: int) -> Facts:
        name, num_bytes = shown(self.pack.name_of(index)), 0
        try:
            with self.pack.open(index) as file:
                num_bytes = file.seek(0, os.SEEK_END)
                file.seek(0)
                self._check_hash(file, index)
                return replace(inspect(file, name, num_bytes), index=index)
        except UserError as error:
            return Facts(name, num_bytes, str(error))
        except OSError as error:
            return Facts(name, num_bytes, f"{name} cannot be read ({error.strerror}).")

    def _check_hash(self, file: BinaryIO, index: int) -> None:
        name = self.pack.name_of(index)
        expected = self.hashes.get(name)
        if expected is not None and hashlib.sha256(file.read()).hexdigest() != expected:
            raise UserError(f"{shown(name)} is not as it was packed: its SHA-256 is another one.")
        file.seek(0)

    def died(self, index: int) -> Facts:
        """The facts of an image whose decoding ended the process."""
        name = shown(self.pack.name_of(index))
        return Facts(name, 0, f"{name} makes the process that decodes it die: remove it.")


def inspect(file: BinaryIO, name: str, num_bytes: int) -> Facts:
    """Decode a picture in full and look at it.

    Raises:
        UserError: it cannot be decoded.
    """
    with opened(file, name) as header:
        header.load()  # before EXIF is asked for: that loads a PNG too, and hides that it is cut short
        format_name, orientation = header.format or "", orientation_of(header)
        picture = decoded(header, name)
    image, alpha = split_alpha(picture)
    thumbnail = np.asarray(resize(image, (HASH_SIDE, HASH_SIDE), reducing_gap=2.0))
    return Facts(
        name,
        num_bytes,
        format=format_name,
        size=image.size,
        orientation=orientation if orientation in range(1, 9) else 1,
        is_gray=int(np.ptp(thumbnail, axis=2).max()) <= GRAY_LEVELS and _has_gray_pixels(image),
        has_alpha=alpha is not None and alpha.getextrema()[0] != 255,
        look=perceptual_hash(thumbnail),
        colors=_colors(thumbnail),
    )


def perceptual_hash(thumbnail: NDArray[np.uint8]) -> int:
    """64 bits that hardly change when a picture is resized or saved again: the signs of its low frequencies.

    Of the 8×8 lowest frequencies (DCT-II of the 32×32 gray picture) each is held against the median of all
    but the mean; the mean's own bit is 0, so brightness does not count. A picture of one colour gives 0.
    """
    gray = thumbnail.astype(np.float64) @ (0.299, 0.587, 0.114)
    basis = _cosines()
    waves = np.round(basis @ gray @ basis.T, 1).ravel()  # rounded, so that nothing hangs on the last bits
    bits = waves > np.median(waves[1:])
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@cache
def _cosines() -> NDArray[np.float64]:
    """The first rows of the DCT-II, orthonormal `[HASH_KEPT, HASH_SIDE]`."""
    places = (2 * np.arange(HASH_SIDE) + 1) * np.pi / (2 * HASH_SIDE)
    rows: NDArray[np.float64] = np.cos(np.arange(HASH_KEPT)[:, None] * places) * np.sqrt(2 / HASH_SIDE)
    rows[0] /= np.sqrt(2)
    return rows


def _colors(thumbnail: NDArray[np.uint8]) -> bytes:
    step = HASH_SIDE // COLOR_SIDE
    fields = thumbnail.reshape(COLOR_SIDE, step, COLOR_SIDE, step, 3).mean(axis=(1, 3))
    return bytes(np.rint(fields).astype(np.uint8))


def _has_gray_pixels(image: Image.Image) -> bool:
    """Whether no pixel has a colour; looked at in bands, for a large picture's sake."""
    for top in range(0, image.height, 512):
        band = np.asarray(image.crop((0, top, image.width, min(top + 512, image.height))))
        least = np.minimum(np.minimum(band[..., 0], band[..., 1]), band[..., 2])
        most = np.maximum(np.maximum(band[..., 0], band[..., 1]), band[..., 2])
        if int((most - least).max()) > GRAY_LEVELS:
            return False
    return True
