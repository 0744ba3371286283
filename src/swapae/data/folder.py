"""A folder of images as a source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from swapae.data.reading import open_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import IMAGE_SUFFIXES, image_size, open_image, split_alpha


class FolderSource:
    """All images below a folder, in the order of their relative paths (`a/b.jpg`, compared as text).

    - Folders are searched to any depth and links are followed; what is met twice through links counts once.
    - Names that begin with a dot are ignored; upper and lower case of suffixes are the same.
    - Transparent parts are laid over white.
    - Headers are read when the source is made: a file without a sound one is not counted but listed in
      `skipped`. Decoding every file as well would take minutes for a large set, so a file may still fail when
      its turn comes. It is then listed in `skipped` too, and the next readable one stands in for it: the same
      one every time.

    Args:
        root: the folder.
        config: if given, images come at the size that its `preprocess` gives them, decoded as it says.

    Attributes:
        name: the folder.
        paths: the relative posix paths of the images; image number i is `paths[i]`.
        skipped: (relative path, reason) of every file and folder that could not be used so far.

    Raises:
        UserError: no such folder, no images in it, or none with a sound header.
    """

    def __init__(self, root: str | Path, config: DataConfig | None = None) -> None:
        self.root = Path(root)
        self.config = config
        self.name = shown(self.root)
        self.skipped: list[tuple[str, str]] = []
        _check_folder(self.root)
        self.paths = [path for path in self._find() if self._has_sound_header(path)]
        if not self.paths and self.skipped:
            raise UserError(f"No image in {self.name} can be read; the first: {self.skipped[0][1]}")
        if not self.paths:
            raise UserError(f"There are no images in {self.name}: it should hold .jpg, .png or .webp files.")

    @property
    def num_images(self) -> int:
        """How many images have a sound header."""
        return len(self.paths)

    def read(self, indices: Sequence[int]) -> list[Image.Image]:
        """Decode the images of these numbers to RGB.

        Raises:
            UserError: no image of the folder can be decoded.
        """
        return [self._read_from(index) for index in indices]

    def _read_from(self, index: int) -> Image.Image:
        for step in range(len(self.paths)):
            path = self.paths[(index + step) % len(self.paths)]
            try:
                return self._open(self.root / path)
            except UserError as error:
                self._skip(path, str(error))
        raise UserError(f"No image in {self.name} can be decoded; the last: {self.skipped[-1][1]}")

    def _open(self, path: Path) -> Image.Image:
        return split_alpha(open_image(path))[0] if self.config is None else open_resized(path, self.config)

    def fingerprint(self) -> str:
        """A digest of the names, sizes and times of change of all images."""
        digest = hashlib.sha256()
        for path in self.paths:
            try:
                status = os.stat(self.root / path)
                state = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:  # it was removed a moment ago
                state = "gone"
            digest.update(os.fsencode(path) + b"\0" + state.encode() + b"\0")
        return digest.hexdigest()

    def _has_sound_header(self, path: str) -> bool:
        try:
            image_size(self.root / path)
        except UserError as error:
            self._skip(path, str(error))
            return False
        return True

    def _skip(self, path: str, reason: str) -> None:
        entry = (shown(path), reason)
        if entry not in self.skipped:
            self.skipped.append(entry)

    def _find(self) -> Iterator[str]:
        """Yield the relative posix path of every image file once, sorted."""
        found = sorted(path.relative_to(self.root).as_posix() for path in self._walk())
        seen: set[str] = set()
        for path in found:
            real = os.path.realpath(self.root / path)
            if real not in seen:
                seen.add(real)
                yield path

    def _walk(self) -> Iterator[Path]:
        entered = {os.path.realpath(self.root)}
        for folder, subfolders, files in os.walk(self.root, followlinks=True, onerror=self._skip_folder):
            visible = sorted(name for name in subfolders if not name.startswith("."))
            subfolders[:] = [name for name in visible if _is_new(os.path.join(folder, name), entered)]
            for name in files:
                if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                    yield Path(folder, name)

    def _skip_folder(self, error: OSError) -> None:
        folder = os.path.relpath(error.filename, self.root)
        self._skip(folder, f"{shown(error.filename)} cannot be searched ({error.strerror}).")


def _is_new(folder: str, entered: set[str]) -> bool:
    """Whether this folder was not entered before; else a link to a folder above never ends."""
    real = os.path.realpath(folder)
    is_new = real not in entered
    entered.add(real)
    return is_new


def _check_folder(root: Path) -> None:
    if not os.path.exists(root):  # unlike root.exists() it never raises
        raise UserError(f"There is no folder {shown(root)}.")
    if not os.path.isdir(root):
        raise UserError(f"{shown(root)} is a file: give the folder that holds the images.")
