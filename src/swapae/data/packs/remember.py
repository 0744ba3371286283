"""What was found by reading through a large data set, kept in the user's cache, never beside the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from swapae.errors import UserError
from swapae.files import cache_folder, write_text

Row = list[str | int]

# What is smaller is read through each time: it takes a moment, and the cache stays small.
LARGE_BYTES = 1 << 26


def remembered(kind: str, key: str, num_bytes: int, make: Callable[[], list[Row]]) -> list[Row]:
    """Give the rows remembered for `key`, or make and remember them; a cache that fails is done without.

    Args:
        kind: a folder in the cache.
        key: all that the rows depend on, with sizes and times of change of the files.
        num_bytes: how large the files are.
        make: finds them.
    """
    if num_bytes < LARGE_BYTES:
        return make()
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    path = cache_folder() / kind / f"{digest[:32]}.json"
    rows = _read(path, digest)
    if rows is None:
        rows = make()
        try:
            write_text(path, json.dumps({"key": digest, "rows": rows}))
        except UserError:
            pass  # then it is found again the next time
    return rows


def _read(path: Path, digest: str) -> list[Row] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        rows = found["rows"] if found["key"] == digest else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    is_sound = isinstance(rows, list) and all(isinstance(row, list) for row in rows)
    return rows if is_sound else None
