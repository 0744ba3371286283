"""What is done of a packing so far: a line per image, believed only as far as it was written whole."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """An image that is packed, or with `error` one that cannot be.

    - name: in the pack; of an error that of the source.
    - source: the name it had.
    - place: where its bytes lie, in the terms of the kind of pack.
    """

    name: str
    source: str
    num_bytes: int = 0
    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    place: tuple[int, ...] = ()
    error: str | None = None


class Journal:
    """A file of entries that only grows; what was added is on the disk when `add` returns.

    Args:
        path: the file; it need not exist. A torn line at its end is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries, whole = _read(path)
        if path.exists():
            os.truncate(path, whole)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries down."""
        lines = "".join(json.dumps(_to_row(entry)) + "\n" for entry in entries)
        with open(self.path, "ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        self.entries += entries


def _to_row(entry: Entry) -> list[Any]:
    if entry.error is not None:
        return [entry.name, entry.source, entry.error]
    return [entry.name, entry.source, entry.num_bytes, entry.sha256, entry.size, entry.place]


def _from_row(row: list[Any]) -> Entry:
    if len(row) == 3:
        return Entry(row[0], row[1], error=row[2])
    name, source, num_bytes, sha256, (width, height), place = row
    return Entry(name, source, int(num_bytes), sha256, (width, height), tuple(place))


def _read(path: Path) -> tuple[list[Entry], int]:
    """The entries up to the first torn line, and how many bytes they take."""
    entries: list[Entry] = []
    whole = 0
    if not path.exists():
        return entries, whole
    with open(path, "rb") as file:
        for line in file:
            try:
                if not line.endswith(b"\n"):
                    break
                entries.append(_from_row(json.loads(line)))
            except (ValueError, TypeError, RecursionError):
                break
            whole += len(line)
    return entries, whole
