"""Images in tar files, read in place: one tar, or a folder of shards, with an index or without."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from swapae.data.packs.archive import Archive
from swapae.data.packs.pack import MAX_BYTES, is_image_name, is_name_outside
from swapae.data.packs.ranges import RangeFile, state_of
from swapae.data.packs.remember import Row, remembered
from swapae.errors import UserError
from swapae.files import reason, shown

INDEX = "index.jsonl"
FORMAT, VERSION = "swapae tar index", 1
BLOCK = tarfile.BLOCKSIZE


class _Entry(NamedTuple):
    name: str
    shard: int
    start: int  # of the bytes
    size: int


class TarPack(Archive[_Entry]):
    """The image files of one tar or of all tars in a folder, in the order of their names.

    An index that fits the shards is believed (FOLDER/index.jsonl); without one the headers are read through
    once, and what was found is remembered in the user's cache. Entries that are no plain files, too large,
    cut short, or named to lie outside are listed in `skipped`; of two of one name the first is used.

    Args:
        path: a tar, or a folder that holds some.

    Raises:
        UserError: one cannot be read, or is no sound tar.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(shown(path))
        shards = tars_in(path)
        self._states = [state_of(shard) for shard in shards]
        self._files = [RangeFile(shard) for shard in shards]
        rows = read_index(Path(path), shards)
        if rows is None:
            key = f"tar 1 {[str(shard.resolve()) for shard in shards]!a} {self._states}"
            num_bytes = sum(shard.stat().st_size for shard in shards)
            rows = remembered("tar", key, num_bytes, lambda: _scanned(shards))
        for row in sorted(rows, key=lambda row: str(row[0])):
            self._take(row)

    def open(self, index: int) -> BinaryIO:
        """Read an entry whole.

        Raises:
            UserError: the shard is gone or cut short.
        """
        _, shard, start, size = self._entries[index]
        return io.BytesIO(self._files[shard].read(start, size))

    def fingerprint(self) -> str:
        """A digest of the names, places and sizes, and of the shards' sizes and times of change."""
        digest = hashlib.sha256("\n".join(self._states).encode())
        for entry in self._entries:
            digest.update(f"{entry.name!a} {entry.shard} {entry.start} {entry.size}\n".encode())
        return digest.hexdigest()

    def _take(self, row: Row) -> None:
        name, fault = str(row[0]), None
        if len(row) == 2:  # found to be unusable when the headers were read
            fault = str(row[1])
        elif is_name_outside(name):
            fault = "points outside of the archive, which no honest archive does"
        elif self._is_again(name):
            fault = "is there twice; the first is used"
        if fault:
            self._skip(name, fault)
            return
        shard, start, size = (int(number) for number in row[1:])
        self._entries.append(_Entry(name, shard, start, size))


def tars_in(path: str | Path) -> list[Path]:
    """The tars that a path stands for, sorted: itself, or those in the folder."""
    path = Path(path)
    try:
        return sorted(path.glob("*.tar")) if path.is_dir() else [path]
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None


def is_tar(path: str | Path) -> bool:
    """Whether a file begins as a tar does."""
    try:
        with open(path, "rb") as file:
            return file.read(262)[257:] == b"ustar"
    except (OSError, ValueError):
        return False


# ── the index ────────────────────────────────────────────────────────────────────────────────────


def index_lines(shards: Sequence[tuple[str, int]], rows: Sequence[Row]) -> Iterator[str]:
    """The lines of an index: shards with their sizes, then each entry's [name, shard, first byte, size]."""
    yield json.dumps({"format": FORMAT, "version": VERSION, "shards": shards}) + "\n"
    for row in rows:
        yield json.dumps(row) + "\n"


def read_index(folder: Path, shards: Sequence[Path]) -> list[Row] | None:
    """Read an index; None if there is none, or it does not fit the shards."""
    try:
        sizes = [shard.stat().st_size for shard in shards]
        expected = [[shard.name, size] for shard, size in zip(shards, sizes, strict=True)]
        with open(folder / INDEX, encoding="utf-8") as file:
            head = json.loads(next(file, "{}"))
            if (head["format"], head["version"], head["shards"]) != (FORMAT, VERSION, expected):
                return None
            rows = [json.loads(line) for line in file]
        is_sound = all(_fits(row, sizes) for row in rows)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return rows if is_sound else None


def _fits(row: Row, sizes: Sequence[int]) -> bool:
    name, shard, start, size = row
    if not (isinstance(name, str) and all(type(number) is int for number in (shard, start, size))):
        return False
    is_inside = 0 <= int(shard) < len(sizes) and int(start) >= 0 <= int(size) <= MAX_BYTES
    return is_inside and int(start) + int(size) <= sizes[int(shard)]


# ── without one ──────────────────────────────────────────────────────────────────────────────────


def _scanned(shards: Sequence[Path]) -> list[Row]:
    rows: list[Row] = []
    for number, shard in enumerate(shards):
        try:
            rows += _scan(shard, number)
        except OSError as error:
            raise UserError(f"{shown(shard)} cannot be read ({reason(error)}).") from None
        except Exception as error:  # a stranger's bytes: TarError, ValueError, UnicodeDecodeError, …
            why = shown(error) or type(error).__name__
            fix = "a packed one (.tar.gz) has to be unpacked to a .tar first"
            raise UserError(f"{shown(shard)} is damaged or no tar ({why}); {fix}.") from None
    return rows


def _scan(shard: Path, number: int) -> list[Row]:
    """Read the headers of a tar: [name, shard, first byte, size], or [name, what is wrong with it]."""
    rows: list[Row] = []
    size, end = shard.stat().st_size, 0
    with tarfile.open(shard, "r:") as archive:
        for member in _members(archive):
            end = member.offset_data + (-(-member.size // BLOCK) * BLOCK if member.isreg() else 0)
            name = member.name.removeprefix("./")
            if is_image_name(name):
                fault = _fault(member, size)
                rows.append([name, fault] if fault else [name, number, member.offset_data, member.size])
    with open(shard, "rb") as file:
        file.seek(end)
        if end < size and file.read(BLOCK).strip(b"\0"):  # tarfile takes a damaged header for the end
            rows.append([shard.name, f"is damaged: what follows byte {end:,} cannot be read"])
    return rows


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members up to the end, or to where the archive is damaged or cut short."""
    members = iter(archive)
    while True:
        try:
            yield next(members)
        except (StopIteration, tarfile.ReadError):
            return


def _fault(member: tarfile.TarInfo, size: int) -> str | None:
    if not member.isreg() or member.issparse():
        return "is not a plain file in its archive"
    if member.size > MAX_BYTES:
        return f"has {member.size:,} bytes, too many to be read safely (the limit is {MAX_BYTES:,})"
    if member.offset_data + member.size > size:
        return "is cut short: its archive ends before it does"
    return None
