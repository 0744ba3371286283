"""Images as the resize rule leaves them, kept as plain bytes: the same samples without any decoding.

CACHE/index.json     what is kept, and of which images; without it there is no cache
CACHE/pixels-….u8    the bytes of every image, rows of RGB; then a table, (first byte, width, height) in int64

The index is written last and replaced whole, so a cache is complete or absent however its making ended.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, features

from swapae.data.source import Source
from swapae.data.transforms import DataConfig, resized, rule_size
from swapae.errors import UserError
from swapae.files import reason, shown, write_text

INDEX = "index.json"
FORMAT = "swapae images"
VERSION = 1  # of the files; another one is made anew
TABLE_TYPE = "<i8"
SECONDS_BETWEEN = 15.0  # between two messages

Tell = Callable[[str], None]
Stop = Callable[[], bool]


class CachedSource:
    """The images of a cache as a source.

    Attributes:
        name: what the source was called of which the images were taken.
        num_images: how many there are.
        skipped: (path, reason) of every file that could not be used when the cache was made.

    Raises:
        UserError: there is no sound cache at `folder`, or it was made with another resize rule.
    """

    def __init__(self, folder: str | Path, config: DataConfig | None = None) -> None:
        self.folder = Path(folder)
        index = _read_index(self.folder)
        if index is None:
            raise UserError(f"{shown(folder)} holds no sound images of this program: make it anew.")
        if config is not None:
            _check_rule(self.folder, index["key"], config)
        self.name: str = index["name"]
        self.num_images: int = index["num_images"]
        self.skipped: list[tuple[str, str]] = [(path, why) for path, why in index["skipped"]]
        self._fingerprint = json.dumps(index["key"], sort_keys=True)
        self._file = self.folder / index["file"]
        self._opened: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None

    def read(self, indices: Sequence[int]) -> list[Image.Image]:
        """Return the images of these numbers, RGB, at the size that the resize rule gave them.

        Raises:
            UserError: the cache was removed, or replaced by another training.
        """
        pixels, table = self._open()
        images = []
        for start, width, height in table[list(indices)].tolist():
            kept = pixels[start : start + width * height * 3].reshape(height, width, 3)
            images.append(Image.fromarray(np.array(kept)))
        return images

    def name_of(self, index: int) -> str:
        """Its number: a cache keeps no names."""
        return f"image {index}"

    def fingerprint(self) -> str:
        """What the images depend on."""
        return self._fingerprint

    def __getstate__(self) -> dict[str, Any]:
        """Leave the map behind: a worker opens the same file itself."""
        return self.__dict__ | {"_opened": None}

    def _open(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        if self._opened is None:
            try:
                pixels = np.memmap(self._file, np.uint8, "r")
                table = np.frombuffer(pixels[-24 * self.num_images :].tobytes(), TABLE_TYPE)
            except (OSError, ValueError) as error:
                raise UserError(
                    f"{shown(self._file)} cannot be read ({reason(error)}): start again."
                ) from None
            self._opened = pixels, table.astype(np.int64).reshape(-1, 3)
        return self._opened


# ── when training starts ─────────────────────────────────────────────────────────────────────────


def cached(source: Source, config: DataConfig, tell: Tell, stop: Stop | None = None) -> Source:
    """Give the source that training reads: the cache at `config.cache`, made first if need be, or `source`.

    A cache is used again only if it was made of the same files (names, sizes, times of change), by the same
    rule and the same decoder; else it is made anew in its place.

    Args:
        source: the images.
        config: names the folder, or None for no cache; and the resize rule.
        tell: hears of the making.
        stop: asked between images; when it says True nothing is kept and `source` itself comes back.

    Raises:
        UserError: the source has no end, or the folder holds other files or cannot be written.
    """
    if config.cache is None or isinstance(source, CachedSource):
        return source
    folder = Path(config.cache)
    key = cache_key(source, config)
    index = _read_index(folder)
    if index is None or index["key"] != key:
        if index is not None:
            tell(f"{shown(folder)} was made of other images or by other settings, and is made anew.")
        if not build(source, config, folder, tell, stop):
            return source
        index = _read_index(folder)
    if index is None or index["key"] != key:
        raise UserError(f"{shown(folder)} is used by another training too: give each its own data.cache.")
    return CachedSource(folder)


def cache_key(source: Source, config: DataConfig) -> dict[str, object]:
    """All that the bytes of a cache depend on, as JSON has it."""
    return {
        "images": source.fingerprint(),
        "preprocess": config.preprocess,
        "load_size": config.load_size,
        "decode": config.decode,
        "decoder": f"Pillow {PIL.__version__}, JPEG {features.version('libjpeg_turbo')}",
    }


def is_cache(folder: str | Path) -> bool:
    """Whether a folder is a cache, sound or not."""
    try:
        index = json.loads(Path(folder, INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(index, dict) and index.get("format") == FORMAT


# ── making ───────────────────────────────────────────────────────────────────────────────────────


def build(
    source: Source, config: DataConfig, folder: str | Path, tell: Tell, stop: Stop | None = None
) -> bool:
    """Make a cache at a folder that is new, empty or a cache; return False if it was stopped.

    What fails or is stopped leaves an older cache as it was.

    Raises:
        UserError: as `cached`.
    """
    folder = Path(folder)
    if source.num_images is None:
        raise UserError(f"{source.name} has no end and cannot be cached: set data.cache to none.")
    key = cache_key(source, config)
    file = folder / f"pixels-{uuid4().hex}.u8"
    try:
        _check_free(folder)
        tell(f"Bringing {source.num_images:,} images to size once, into {shown(folder)}.")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(file, "xb") as pixels:
                if not _write_images(pixels, source, source.num_images, config, tell, stop):
                    return False
            _write_index(file, source, key)
        finally:
            _remove_unnamed(folder, file)
    except OSError as error:
        fix = "give data.cache another folder, or set it to none"
        raise UserError(f"{shown(folder)} cannot hold the images ({reason(error)}): {fix}.") from None
    return True


def _write_images(
    pixels: BinaryIO, source: Source, num_images: int, config: DataConfig, tell: Tell, stop: Stop | None
) -> bool:
    """Write all images and the table; return False if it was stopped."""
    table = np.zeros((num_images, 3), TABLE_TYPE)
    told = time.monotonic()
    for number in range(num_images):
        if stop and stop():
            return False
        image = source.read([number])[0]
        image = resized(image, rule_size(image.size, config))
        table[number] = pixels.tell(), *image.size
        pixels.write(image.tobytes())
        if time.monotonic() - told >= SECONDS_BETWEEN:
            told = time.monotonic()
            tell(f"{number + 1:,} of {num_images:,} images are at size.")
    tell(f"All images are at size and take {pixels.tell() / 1e6:,.1f} MB.")
    pixels.write(table.tobytes())
    pixels.flush()
    os.fsync(pixels.fileno())
    return True


def _write_index(file: Path, source: Source, key: Mapping[str, object]) -> None:
    index = {
        "format": FORMAT,
        "version": VERSION,
        "name": source.name,
        "key": key,
        "num_images": source.num_images,
        "num_bytes": file.stat().st_size,
        "file": file.name,
        "skipped": source.skipped,
    }
    write_text(file.parent / INDEX, json.dumps(index, indent=2) + "\n")


def _check_free(folder: Path) -> None:
    """Refuse a folder with anything in it that is not of a cache."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise UserError(f"{shown(folder)} is a file: give data.cache a folder.")
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    others = [name for name in names if not (name.startswith("pixels-") and name.endswith(".u8"))]
    if others == [INDEX] and (is_cache(folder) or len(names) > 1):
        return
    if others:
        raise UserError(
            f"{shown(folder)} holds other files ({shown(others[0])}): give data.cache a new folder."
        )


def _remove_unnamed(folder: Path, file: Path) -> None:
    """Remove pixels that the index does not name: all of them if it names `file`, or else only `file`."""
    index = _read_index(folder)
    named = None if index is None else index["file"]
    for path in folder.glob("pixels-*.u8") if named == file.name else [file]:
        if path.name != named:
            with suppress(OSError):  # some systems keep a file that is in use; the next making removes it
                path.unlink()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def _read_index(folder: Path) -> dict[str, Any] | None:
    """Read the index; None if there is none, or one of another version, or its pixels are not all there."""
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        is_sound = index["format"] == FORMAT and index["version"] == VERSION
        is_sound &= Path(index["file"]).name == index["file"]
        is_sound &= (folder / index["file"]).stat().st_size == index["num_bytes"]
        is_sound &= {"key", "name", "num_images", "skipped"} <= index.keys()
        is_sound &= index["num_bytes"] >= 24 * index["num_images"] > 0
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return index if is_sound else None


def _check_rule(folder: Path, key: Mapping[str, object], config: DataConfig) -> None:
    made = f"{key['preprocess']} to {key['load_size']} px"
    asked = f"{config.preprocess} to {config.load_size} px"
    if made != asked:
        fix = "give the images themselves, or set data.preprocess and data.load_size to that"
        raise UserError(f"{shown(folder)} holds images by {made}, asked for is {asked}: {fix}.")
