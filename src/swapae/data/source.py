"""What a training needs to know of a set of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PIL import Image


class Source(Protocol):
    """A set of images that can be asked for any of them by number.

    A source is sent to worker processes, so it must survive pickling.

    Attributes:
        name: what reports call it.
        num_images: how many there are; None if there is no end to them.
        skipped: (path, reason) of every file that could not be used.
    """

    @property
    def name(self) -> str: ...

    @property
    def num_images(self) -> int | None: ...

    @property
    def skipped(self) -> list[tuple[str, str]]: ...

    def read(self, indices: Sequence[int]) -> list[Image.Image]:
        """Return the RGB images of these numbers, always the same for the same number.

        They may already have the size that `rule_size` gives them, if the source was opened with a config.
        """
        ...

    def name_of(self, index: int) -> str:
        """What people know the image of this number by."""
        ...

    def fingerprint(self) -> str:
        """A text that differs if any image may differ, found without decoding."""
        ...
