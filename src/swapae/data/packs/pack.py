"""What every place of encoded images can do, and any of them as a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from PIL import Image

from swapae.data.reading import decode_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import IMAGE_SUFFIXES

# The most bytes that an encoded image may have: no smaller than the pixels `images` lets through.
MAX_BYTES = 1 << 29


class Pack(Protocol):
    """Encoded images by number, in a fixed order. Nothing is decoded; it survives pickling, fork and spawn.

    Attributes:
        name: what reports call it.
        num_images: how many entries there are; some may turn out to be no images.
        skipped: (name, reason) of entries that cannot be used whatever they hold.
    """

    @property
    def name(self) -> str: ...

    @property
    def num_images(self) -> int: ...

    @property
    def skipped(self) -> list[tuple[str, str]]: ...

    def name_of(self, index: int) -> str:
        """The name of an entry, relative and unique in the pack."""
        ...

    def open(self, index: int) -> BinaryIO:
        """Open an entry, positioned at its first byte.

        Raises:
            UserError: with the name, if it cannot be read or is damaged.
        """
        ...

    def fingerprint(self) -> str:
        """A text that differs if any image may differ."""
        ...


class PackedSource:
    """The images of a pack as a source.

    Entries are decoded when their turn comes. One that cannot be is listed in `skipped` then, and the next
    readable one stands in for it: the same one every time. Transparent parts are laid over white.

    Args:
        pack: the place.
        config: if given, images come at the size that its `preprocess` gives them, decoded as it says.

    Raises:
        UserError: the pack is empty.
    """

    def __init__(self, pack: Pack, config: DataConfig | None = None) -> None:
        self.pack = pack
        self.config = config
        self.skipped: list[tuple[str, str]] = list(pack.skipped)
        if not pack.num_images:
            first = f"; the first: {self.skipped[0][1]}" if self.skipped else ""
            raise UserError(f"There are no images in {pack.name}{first or '.'}")

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.pack.name

    @property
    def num_images(self) -> int:
        """How many entries there are."""
        return self.pack.num_images

    def read(self, indices: Sequence[int]) -> list[Image.Image]:
        """Decode the images of these numbers to RGB.

        Raises:
            UserError: no image of the pack can be decoded.
        """
        return [self._read_from(index) for index in indices]

    def _read_from(self, index: int) -> Image.Image:
        for step in range(self.num_images):
            number = (index + step) % self.num_images
            try:
                with self.pack.open(number) as file:
                    return decode_resized(file, self.pack.name_of(number), self.config)
            except UserError as error:
                entry = (shown(self.pack.name_of(number)), str(error))
                if entry not in self.skipped:
                    self.skipped.append(entry)
        raise UserError(f"No image in {self.name} can be decoded; the last: {self.skipped[-1][1]}")

    def name_of(self, index: int) -> str:
        """The name of the entry."""
        return self.pack.name_of(index)

    def fingerprint(self) -> str:
        """What the images depend on, found without decoding."""
        return self.pack.fingerprint()


def is_image_name(name: str) -> bool:
    """Whether an archive's entry counts as an image: by its suffix, and no part begins with a dot."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or f".{suffix.lower()}" not in IMAGE_SUFFIXES:
        return False
    parts = stem.replace("\\", "/").split("/")
    return parts[-1] != "" and not any(part.startswith(".") and part not in (".", "..") for part in parts)


def is_name_outside(name: str) -> bool:
    """Whether a name in an archive points out of the folder it would be unpacked to."""
    has_drive = len(name) > 1 and name[1] == ":"
    is_rooted = name.startswith(("/", "\\")) or has_drive or "\0" in name
    return is_rooted or ".." in name.replace("\\", "/").split("/")
