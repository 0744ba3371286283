"""A Hugging Face data set, local or in the cache: `hf:NAME`, or in full `hf:NAME:CONFIG:SPLIT#COLUMN`."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from swapae.data.packs.pack import MAX_BYTES
from swapae.errors import UserError
from swapae.files import shown
from swapae.images import open_file

if TYPE_CHECKING:
    from datasets import Dataset

PREFIX = "hf:"
WORD = re.compile(
    r"(?P<name>(?:[A-Za-z]:[\\/])?[^:#]+)(?::(?P<one>[^:#]+))?(?::(?P<two>[^:#]+))?(?:#(?P<column>.+))?"
)


class Word(NamedTuple):
    """What `hf:NAME:CONFIG:SPLIT#COLUMN` says, all but the name optional."""

    name: str
    config: str | None
    split: str | None
    column: str | None


class HubPack:
    """The images of one column of one split, in the data set's own order.

    The set is taken from a folder (one of `save_to_disk`, or of Parquet or image files) or from the cache.
    Nothing is fetched unless the environment says HF_HUB_OFFLINE=0. No code of the set is run.

    Args:
        word: `hf:NAME`, with :SPLIT, :CONFIG:SPLIT and #COLUMN where there are several.

    Raises:
        UserError: there is no such set, split or column, or there are several; or `datasets` is missing.
    """

    def __init__(self, word: str) -> None:
        self.name = shown(word)
        self.skipped: list[tuple[str, str]] = []
        parts = parse(word)
        with _quiet_and_offline():
            rows = _one_split(_loaded(parts), parts)
        self._column = _image_column(rows, parts)
        self._rows = _undecoded(rows, self._column)

    @property
    def num_images(self) -> int:
        """How many rows the split has."""
        return len(self._rows)

    def name_of(self, index: int) -> str:
        """The number of the row."""
        return f"row {index}"

    def open(self, index: int) -> BinaryIO:
        """Read the encoded image of a row.

        Raises:
            UserError: there is none, or its file is gone.
        """
        cell = self._rows[index][self._column]
        if isinstance(cell, Mapping):
            data, path = cell.get("bytes"), cell.get("path")
        else:
            data, path = cell, None
        if data is None and path and "://" not in path:
            return open_file(Path(path))
        if not isinstance(data, bytes):
            raise UserError(f"{self.name_of(index)} of {self.name} holds no image.")
        if len(data) > MAX_BYTES:
            raise UserError(f"{self.name_of(index)} has {len(data):,} bytes, too many to be read safely.")
        return io.BytesIO(data)

    def fingerprint(self) -> str:
        """A digest of the set's own fingerprint, the number of its rows, and the state of its files."""
        digest = hashlib.sha256(f"{self._column!a} {len(self._rows)} {self._rows._fingerprint}".encode())
        for file in self._rows.cache_files:
            status = os.stat(file["filename"])
            digest.update(f"\n{status.st_size} {status.st_mtime_ns}".encode())
        return digest.hexdigest()


def parse(word: str) -> Word:
    """Take `hf:NAME:CONFIG:SPLIT#COLUMN` apart.

    Raises:
        UserError: it is not of that form.
    """
    found = WORD.fullmatch(word.removeprefix(PREFIX))
    if found is None:
        raise UserError(
            f"{shown(word)} is no data set: write hf:NAME, hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT."
        )
    name, one, two, column = found["name"], found["one"], found["two"], found["column"]
    return Word(name, one if two else None, two or one, column)


def _loaded(word: Word) -> Any:
    """Load the data set, all its splits."""
    try:
        import datasets
    except ImportError:
        fix = "pip install 'swapae[datasets]'"
        raise UserError(
            f"{shown(word.name)} is a Hugging Face data set, which needs an extra: {fix}."
        ) from None
    folder = Path(os.path.expanduser(word.name))
    try:
        if any((folder / file).is_file() for file in ("state.json", "dataset_dict.json")):
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(str(folder) if folder.is_dir() else word.name, word.config)
    except Exception as error:  # the package passes on whatever its parts raise
        raise UserError(_why_not_loaded(word, error, is_folder=folder.is_dir())) from None


def _why_not_loaded(word: Word, error: Exception, is_folder: bool) -> str:
    first = shown(next(iter(str(error).splitlines()), "") or type(error).__name__)
    if "Config name is missing" in str(error) or "BuilderConfig" in str(error):
        return (
            f"{shown(word.name)} comes in several configs: write hf:{shown(word.name)}:CONFIG:SPLIT ({first})"
        )
    if is_folder:
        return f"{shown(word.name)} cannot be read as a Hugging Face data set ({first})."
    return (
        f"There is no folder {shown(word.name)}, and no data set of that name in the cache of `datasets`; "
        f"set HF_HUB_OFFLINE=0 to let it be fetched ({first})."
    )


def _one_split(loaded: Any, word: Word) -> Dataset:
    if not isinstance(loaded, Mapping):  # saved as one split
        own = str(loaded.split) if getattr(loaded, "split", None) else None
        if word.split not in (None, own):
            raise UserError(f"{shown(word.name)} is one split ({own or 'without a name'}), not {word.split}.")
        return loaded
    names = list(loaded)
    split = word.split or ("train" if "train" in names else names[0] if len(names) == 1 else None)
    if split not in names:
        asked = f"no split {shown(split)}" if split else "several splits"
        fix = f"write hf:{shown(word.name)}:SPLIT"
        raise UserError(f"{shown(word.name)} has {asked}: {fix}, one of {', '.join(names)}.")
    return loaded[split]


def _image_column(rows: Dataset, word: Word) -> str:
    """Find the one column that holds images: by its declared type, else by what it stores."""
    names = list(rows.features)
    if word.column is not None:
        if word.column not in names:
            raise UserError(
                f"{shown(word.name)} has no column {shown(word.column)}: it has {', '.join(names)}."
            )
        return word.column
    declared = [name for name, kind in rows.features.items() if type(kind).__name__ == "Image"]
    found = declared or [name for name, kind in rows.features.items() if _may_hold_images(kind)]
    if len(found) != 1:
        what = f"several columns of images ({', '.join(found)})" if found else "no column of images"
        fix = f"name one after a #, hf:{shown(word.name)}#COLUMN"
        raise UserError(f"{shown(word.name)} has {what} among {', '.join(names)}: {fix}.")
    return str(found[0])


def _may_hold_images(kind: Any) -> bool:
    """Whether a column stores bytes, or bytes and a path, as images without a declared type are."""
    if isinstance(kind, Mapping):
        return "bytes" in kind and set(kind) <= {"bytes", "path"}
    return getattr(kind, "dtype", None) in ("binary", "large_binary")


def _undecoded(rows: Dataset, column: str) -> Dataset:
    """The column alone, as encoded bytes."""
    from datasets import Image

    rows = rows.select_columns([column]).with_format(None)
    is_declared = isinstance(rows.features[column], Image)
    return rows.cast_column(column, Image(decode=False)) if is_declared else rows


@contextmanager
def _quiet_and_offline() -> Iterator[None]:
    """Keep the packages from fetching anything that is not asked for, from bars, and from warnings."""
    try:
        import datasets
        from huggingface_hub import constants
    except ImportError:  # said later, in a sentence
        yield
        return
    is_asked = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("0", "no", "off", "false")
    before = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    had_bars, verbosity = datasets.is_progress_bar_enabled(), datasets.logging.get_verbosity()
    if not is_asked:
        datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before
        datasets.logging.set_verbosity(verbosity)
        if had_bars:
            datasets.enable_progress_bars()
