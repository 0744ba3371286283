"""A folder of images as a source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from swapae.data.reading import check_growth, open_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import IMAGE_SUFFIXES, image_size

Skip = Callable[[str, str], None]  # hears of (relative path, reason)


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
        found = find_images(self.root, self._skip)
        self.paths = [path for path in found if self._has_sound_header(path)]
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
                return open_resized(self.root / path, self.config)
            except UserError as error:
                self._skip(path, str(error))
        raise UserError(f"No image in {self.name} can be decoded; the last: {self.skipped[-1][1]}")

    def name_of(self, index: int) -> str:
        """The relative path."""
        return self.paths[index]

    def fingerprint(self) -> str:
        """A digest of the names, sizes and times of change of all images."""
        return digest_of_files(self.root, self.paths)

    def _has_sound_header(self, path: str) -> bool:
        try:
            size = image_size(self.root / path)
            if self.config is not None:
                _check_either_way(size, self.config, self.root / path)
        except UserError as error:
            self.skipped.append((shown(path), str(error)))
            return False
        return True

    def _skip(self, path: str, reason: str) -> None:
        entry = (shown(path), reason)
        if entry not in self.skipped:
            self.skipped.append(entry)


def find_images(root: Path, skip: Skip) -> list[str]:
    """List the relative posix path of every image file below a folder once, sorted as `FolderSource` says.

    `skip` hears of folders that cannot be searched.

    Raises:
        UserError: there is no such folder.
    """
    _check_folder(root)
    found = sorted(path.relative_to(root).as_posix() for path in _walk(root, skip))
    seen: dict[str, str] = {}
    for path in found:
        seen.setdefault(os.path.realpath(root / path), path)
    return list(seen.values())


def digest_of_files(root: Path, paths: Sequence[str]) -> str:
    """A digest of the names, sizes and times of change of files."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            status = os.stat(root / path)
            state = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:  # it was removed a moment ago
            state = "gone"
        digest.update(os.fsencode(path) + b"\0" + state.encode() + b"\0")
    return digest.hexdigest()


def _walk(root: Path, skip: Skip) -> Iterator[Path]:
    def tell(error: OSError) -> None:
        why = f"{shown(error.filename)} cannot be searched ({error.strerror})."
        skip(os.path.relpath(error.filename, root), why)

    entered = {os.path.realpath(root)}
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=tell):
        visible = sorted(name for name in subfolders if not name.startswith("."))
        subfolders[:] = [name for name in visible if _is_new(os.path.join(folder, name), entered)]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(folder, name)


def _check_either_way(size: tuple[int, int], config: DataConfig, path: Path) -> None:
    """Refuse a picture that would grow too large, whichever way it lies: a header does not say that."""
    try:
        check_growth((size[1], size[0]), config, path)
    except UserError:
        check_growth(size, config, path)


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
