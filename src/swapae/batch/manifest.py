"""What is done of a batch so far: files in its folder that only grow, a line a fact.

manifest.jsonl           settings in the first line; then a row for each picture begun, done or failed
manifest.3-of-8.jsonl    the same of one share of a set
errors.jsonl             a line for each picture that failed the last time
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

from swapae.errors import UserError, WriteError
from swapae.files import reason, shown

FORMAT = "swapae.batch/1"
Row = dict[str, Any]
Share = tuple[int, int]  # the i-th of n, from 1


def name_of(stem: str, share: Share | None) -> str:
    """Name a file of a batch, or of one share of it."""
    return f"{stem}.jsonl" if share is None else f"{stem}.{share[0]}-of-{share[1]}.jsonl"


@dataclass
class Lines:
    """A file of JSON lines that only grows; a line that is cut short at its end counts for nothing."""

    path: Path
    file: FileIO | None = field(default=None, repr=False)

    def read(self) -> list[Row]:
        """Read the whole lines; what is no row is passed over."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{shown(self.path)} cannot be read ({reason(error)}).") from None
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        return [row for row in map(_parsed, lines) if row is not None]

    def open(self) -> None:
        """Open for adding, and cut off a line that was not written whole.

        Raises:
            WriteError: as said.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = FileIO(self.path, "r+" if self.path.exists() else "x+")
            _cut_to_whole_lines(self.file)
        except OSError as error:
            raise WriteError(f"{shown(self.path)} cannot be written ({reason(error)}).") from error

    def add(self, rows: Iterable[Row], is_lasting: bool = False) -> None:
        """Add rows, all or none; with `is_lasting` they are on the disk when this returns.

        Raises:
            WriteError: as said.
        """
        if self.file is None:
            self.open()
        assert self.file is not None
        data = b"".join(map(_line, rows))
        before = self.file.seek(0, os.SEEK_END)
        try:
            _write_all(self.file, data)
            if is_lasting:
                os.fsync(self.file.fileno())
        except OSError as error:
            with _tried():
                self.file.truncate(before)
            raise WriteError(f"{shown(self.path)} cannot be written ({reason(error)}).") from error

    def clear(self) -> None:
        """Begin anew."""
        if self.file is None:
            self.open()
        assert self.file is not None
        self.file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()
            self.file = None


@dataclass(frozen=True)
class Known:
    """What is known of a set: the settings, and for every picture by its name how far it once got.

    A picture that was done stays so here, whatever became of it later: whether its result is there and still
    that of the picture is seen by looking.

    - rows: by the names of pictures.
    - headers: the first lines of manifests.
    """

    rows: Mapping[str, Row]
    headers: Mapping[Path, Row]

    @classmethod
    def of(cls, folder: Path, settings: Mapping[str, Any], force: bool = False) -> Known:
        """Read all manifests in a folder, those of shares too.

        Raises:
            UserError: one is of other settings, which with `force` counts for nothing; or it is no manifest
                of a batch, or cannot be read.
        """
        rows: dict[str, Row] = {}
        headers: dict[Path, Row] = {}
        for path in manifests(folder):
            header, *found = Lines(path).read() or [{}]
            if header.get("format") != FORMAT and not is_torn(path):
                raise UserError(f"{shown(path)} is not of a batch: move it, or give another folder with -o.")
            change = differing(header.get("settings"), settings) if header else ""
            if change and not force:
                fix = "give another folder with -o, or --force to begin anew"
                raise UserError(f"{shown(folder)} holds a batch of other settings ({change}): {fix}.")
            if header and not change:
                headers[path] = header
                _take(rows, found)
        return cls(rows, headers)


def is_torn(path: Path) -> bool:
    """Whether a file holds no more than the beginning of a manifest's first line."""
    beginning = _line({"format": FORMAT})[:-2]
    with open(path, "rb") as file:
        start = file.read(len(beginning))
        return beginning.startswith(start) and b"\n" not in start + file.read()


def _take(rows: dict[str, Row], found: Iterable[Row]) -> None:
    for row in found:
        name, output = row.get("input"), row.get("output")
        before = rows.get(name) if isinstance(name, str) else None
        is_told = isinstance(name, str) and isinstance(output, str)
        if is_told and (before is None or before.get("state") != "done" or row.get("state") == "done"):
            rows[str(name)] = row


def manifests(folder: Path) -> list[Path]:
    """Find the manifests of a batch and of its shares."""
    try:
        return sorted(path for path in folder.glob("manifest*.jsonl") if path.is_file())
    except OSError:
        return []


def state_of_manifests(folder: Path) -> dict[str, int]:
    """The sizes of all manifests that hold something: if they are the same, nobody has added to them."""
    sizes = {path.name: path.stat().st_size for path in manifests(folder)}
    return {name: size for name, size in sizes.items() if size}


def differing(before: object, now: Mapping[str, Any]) -> str:
    """Say in what settings differ, "" where they do not."""
    known = before if isinstance(before, dict) else {}
    changed = [name for name in now if known.get(name) != now[name]]
    return "; ".join(f"{name} was {_short(known.get(name))}, is {_short(now[name])}" for name in changed)


@contextmanager
def held(folder: Path, manifest: FileIO, share: Share | None) -> Iterator[None]:
    """Keep others out of a batch while it is worked on; shares of it let each other in.

    Raises:
        UserError: another process is at it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        for place, kind in (
            (descriptor, fcntl.LOCK_EX if share is None else fcntl.LOCK_SH),
            (manifest.fileno(), fcntl.LOCK_EX),
        ):
            try:
                fcntl.flock(place, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"another process works on {shown(folder)} at this moment: wait for its end."
                ) from None
            except OSError:  # a network file system without locks
                pass
        yield
    finally:
        os.close(descriptor)


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _line(row: Row) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a name that is no text
        return json.dumps(row).encode() + b"\n"


def _cut_to_whole_lines(file: FileIO) -> None:
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - (1 << 16))
        file.seek(start)
        place = file.read(end - start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    file.truncate(end)


def _write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


@contextmanager
def _tried() -> Iterator[None]:
    try:
        yield
    except OSError:
        pass


def _short(value: object) -> str:
    text = shown(value)
    return text if len(text) <= 48 else f"{text[:45]}…"
