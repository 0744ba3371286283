"""Bytes from the middle of a file, for any process and thread that asks."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

from swapae.errors import UserError
from swapae.files import reason, shown


class RangeFile:
    """A file of which ranges are read. It is opened at the first read, and in every process anew.

    Reads carry their own place (pread), so threads and forked processes do not disturb each other.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._opened: tuple[int, int] | None = None  # process, descriptor

    def read(self, start: int, count: int) -> bytes:
        """Read `count` bytes from `start` on.

        Raises:
            UserError: the file cannot be read, or ends before.
        """
        try:
            data = self._read(start, count)
        except (OSError, ValueError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError | ValueError) else shown(error)
            raise UserError(f"{shown(self.path)} cannot be read ({why}).") from None
        if len(data) < count:
            raise UserError(f"{shown(self.path)} is cut short: it ends before byte {start + count:,}.")
        return data

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file behind."""
        return self.__dict__ | {"_opened": None}

    def _read(self, start: int, count: int) -> bytes:
        if not hasattr(os, "pread"):  # Windows, which does not fork either
            with open(self.path, "rb") as file:
                file.seek(start)
                return file.read(count)
        descriptor, parts = self._descriptor(), []
        while count > 0 and (part := os.pread(descriptor, count, start)):
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return b"".join(parts)

    def _descriptor(self) -> int:
        process = os.getpid()
        if self._opened is None or self._opened[0] != process:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            weakref.finalize(self, os.close, descriptor)
            self._opened = process, descriptor
        return self._opened[1]


def state_of(path: str | Path) -> str:
    """Size and time of change of a file, as text.

    Raises:
        UserError: it is not there.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None
    return f"{status.st_size} {status.st_mtime_ns}"
