"""One image of a set, brought to size and encoded anew; or the reason why it cannot be."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Literal

from swapae.data.packs.pack import MAX_BYTES, Pack
from swapae.data.reading import decode_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import IMAGE_SUFFIXES, decode_image, encode_image, opened

Encoding = Literal["png", "jpeg", "webp", "keep"]

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "AVIF": ".avif", "TIFF": ".tif", "BMP": ".bmp"}
SUFFIXES |= {"GIF": ".gif", "PPM": ".ppm", "HEIF": ".heic"}


@dataclass(frozen=True)
class Encoded:
    """What became of an image: its bytes and size, or `error`."""

    data: bytes = b""
    sha256: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    error: str | None = None


@dataclass(frozen=True)
class Encoder:
    """From the number of an image to its new bytes: always the same for the same file, settings, libraries.

    - pack: the images.
    - config: how they are resized; its first step only.
    - encoding: `keep` leaves the bytes as they are, once they were decoded in full to be sure of them.
    - quality: 1 to 100, of JPEG and WebP.
    """

    pack: Pack
    config: DataConfig
    encoding: Encoding
    quality: int

    def __call__(self, index: int) -> Encoded:
        name = self.pack.name_of(index)
        try:
            data, size = self._encode(index, name)
        except UserError as error:
            return Encoded(error=str(error))
        except OSError as error:
            return Encoded(error=f"{shown(name)} cannot be read ({error.strerror}).")
        return Encoded(data, hashlib.sha256(data).hexdigest(), size)

    def died(self, index: int) -> Encoded:
        """What becomes of an image whose decoding ended the process."""
        name = shown(self.pack.name_of(index))
        return Encoded(error=f"{name} makes the process that decodes it die: remove it.")

    def suffix(self, index: int) -> str:
        """The suffix of the new file; of a kept one its own, or the one of its format."""
        if self.encoding != "keep":
            return SUFFIXES[self.encoding.upper()]
        dot, own = self.pack.name_of(index).rpartition(".")[1:]
        if dot and f".{own.lower()}" in IMAGE_SUFFIXES:
            return f".{own.lower()}"
        try:
            with self.pack.open(index) as file, opened(file, self.pack.name_of(index)) as header:
                return SUFFIXES.get(header.format or "", ".img")
        except (UserError, OSError):  # it will be told when its turn comes
            return ".img"

    def _encode(self, index: int, name: str) -> tuple[bytes, tuple[int, int]]:
        with self.pack.open(index) as file:
            if self.encoding == "keep":
                data = file.read(MAX_BYTES + 1)
                if len(data) > MAX_BYTES:
                    raise UserError(f"{shown(name)} has more than {MAX_BYTES:,} bytes: too many to be kept.")
                return data, decode_image(io.BytesIO(data), name).size
            image = decode_resized(file, name, self.config)
            return encode_image(image, self.encoding.upper(), self.quality, name), image.size
