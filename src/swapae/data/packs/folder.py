"""A folder of image files as a pack."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from swapae.data.folder import digest_of_files, find_images
from swapae.files import shown
from swapae.images import open_file


class FolderPack:
    """All image files below a folder, as `FolderSource` finds them; not even headers are read.

    Raises:
        UserError: there is no such folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.name = shown(root)
        self.skipped: list[tuple[str, str]] = []
        self.paths = find_images(self.root, lambda path, why: self.skipped.append((shown(path), why)))

    @property
    def num_images(self) -> int:
        """How many files there are."""
        return len(self.paths)

    def name_of(self, index: int) -> str:
        """The relative path."""
        return self.paths[index]

    def open(self, index: int) -> BinaryIO:
        """Open a file.

        Raises:
            UserError: it is gone, or may not be read.
        """
        return open_file(self.root / self.paths[index])

    def fingerprint(self) -> str:
        """A digest of the names, sizes and times of change of all files."""
        return digest_of_files(self.root, self.paths)
