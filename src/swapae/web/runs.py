"""Training runs below one folder, to be looked at: nothing outside of it is read, and nothing is written.

Ids are made of the folders' names, and are only looked up: no part of a path ever comes from a client.
Symbolic links are passed over.
"""

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from swapae.config import parsed
from swapae.errors import UserError
from swapae.files import shown
from swapae.web.errors import UnknownId
from swapae.web.schemas import RunInfo, RunLog, SnapshotInfo

MOST_RUNS = 500
MOST_ENTRIES = 20_000  # of a folder that are looked at
MOST_SNAPSHOTS = 4000  # the newest of a run
MOST_LOG = 2**20  # bytes of a log that are read at once
MOST_CONFIG = 2**18
MOST_PICTURE = 2**25
MOST_COUNT = 2**53  # that a page can read
TAIL = 2**16  # bytes at the end of a log that hold its last line

SNAPSHOT = re.compile(r"images_(\d{1,15})(_random)?(_raw)?\.(png|webp)")


class Runs:
    """The runs in a folder: those in its own folders, and itself if it is one.

    Raises:
        UserError: there is no such folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(os.path.realpath(os.path.expanduser(root)))
        if not self.root.is_dir():
            raise UserError(f"{shown(root)} is no folder: --runs takes the one your runs are in.")
        self._configs: dict[Path, tuple[tuple[int, int, int], object]] = {}

    def list(self) -> list[RunInfo]:
        """List the runs; the one that changed last comes first."""
        found = [self._info(key, folder) for key, folder in self._folders().items()]
        return sorted(found, key=lambda run: -(run.changed or 0))

    def one(self, id: str) -> RunInfo:
        """Tell of a run.

        Raises:
            UnknownId: there is none of that id.
        """
        return self._info(id, self._folder(id))

    def log(self, id: str, after: int = 0) -> RunLog:
        """Read whole lines of a log from byte `after` on, as many as fit; what is no line is left out.

        Raises:
            UnknownId: there is no such run.
        """
        with self._opened(self._folder(id) / "log.jsonl") as file:
            if file is None:
                return RunLog(lines=[], next=0, more=False, restarted=after > 0)
            size = os.fstat(file.fileno()).st_size
            restarted = after > size
            start = 0 if restarted else max(0, after)
            file.seek(start)
            data = file.read(MOST_LOG)
        whole = data.rfind(b"\n") + 1 or (len(data) if len(data) == MOST_LOG else 0)  # a line without end
        lines = [line for line in map(_line, data[:whole].split(b"\n")) if line is not None]
        more = start + whole < size and (len(data) == MOST_LOG)
        return RunLog(lines=lines, next=start + whole, more=more, restarted=restarted)

    def snapshot(self, id: str, number: int) -> tuple[bytes, str]:
        """Give a picture of a run, and its media type.

        Raises:
            UnknownId: there is no such run or picture.
        """
        name, info = self._snapshots(self._folder(id)).get(number, ("", None))
        with self._opened(self._folder(id) / "snapshots" / (name or "none")) as file:
            data = b"" if file is None else file.read(MOST_PICTURE + 1)
        if info is None or not data or len(data) > MOST_PICTURE:
            raise UnknownId(f"{id}/{number}", "this run has no such picture, or not any more.")
        return data, info.media_type

    # ---- inside

    def _folder(self, id: str) -> Path:
        folder = self._folders().get(id)
        if folder is None:
            raise UnknownId(id[:64], "there is no such run, or not any more.")
        return folder

    def _folders(self) -> dict[str, Path]:
        """Find the runs, by id."""
        names = sorted(entry.name for entry in _entries(self.root) if entry.is_dir(follow_symlinks=False))
        every = [self.root, *(self.root / name for name in names)]
        runs = (folder for folder in every if _is_run(folder))
        return {self._id(folder): folder for folder in islice(runs, MOST_RUNS)}

    def _id(self, folder: Path) -> str:
        name = os.fsencode(folder.relative_to(self.root))
        return hashlib.sha256(b"swapae run " + name).hexdigest()[:16]

    def _info(self, id: str, folder: Path) -> RunInfo:
        config = self._config(folder)
        last, size, changed = None, 0, None
        with self._opened(folder / "log.jsonl") as file:
            if file is not None:
                status = os.fstat(file.fileno())
                size, changed = status.st_size, status.st_mtime
                file.seek(max(0, size - TAIL))
                lines = file.read(TAIL).split(b"\n")[:-1]  # after the last line break there is no whole line
                last = next((line for line in map(_line, reversed(lines)) if line is not None), None)
        snapshots = [info for _, info in self._snapshots(folder).values()]
        return RunInfo(
            id=id,
            title=shown(folder.name)[:200],
            image_size=_count(_within(config, "discriminator", "image_size")),
            images_seen=_count((last or {}).get("images_seen")),
            total_images=_count(_within(config, "total_images")),
            changed=changed,
            log_bytes=size,
            last=last,
            snapshots=snapshots,
        )

    def _config(self, folder: Path) -> object:
        """Read a run's config, once while it stays what it is: YAML takes long, and pages ask often."""
        with self._opened(folder / "config.yaml") as file:
            if file is None:
                return None
            status = os.fstat(file.fileno())
            stamp = status.st_mtime_ns, status.st_size, status.st_ino
            known = self._configs.get(folder)
            if known is None or known[0] != stamp:
                known = self._configs[folder] = stamp, _read(file)
            return known[1]

    def _snapshots(self, folder: Path) -> dict[int, tuple[str, SnapshotInfo]]:
        """Find a run's pictures in the order of images seen; a number stays that of its picture."""
        if (folder / "snapshots").is_symlink():
            return {}
        found = {}
        for entry in _entries(folder / "snapshots"):
            match = SNAPSHOT.fullmatch(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                number = 4 * int(match[1]) + 2 * bool(match[2]) + bool(match[3])
                info = SnapshotInfo(
                    number=number,
                    images_seen=int(match[1]),
                    kind="random" if match[2] else "fixed",
                    raw=bool(match[3]),
                    media_type=f"image/{match[4]}",
                )
                found[number] = entry.name, info
        return {number: found[number] for number in sorted(found)[-MOST_SNAPSHOTS:]}

    @contextmanager
    def _opened(self, path: Path) -> Iterator[BinaryIO | None]:
        """Open a regular file below the root; None where there is none, or a link leads elsewhere."""
        file = None
        with suppress(OSError):
            if os.path.realpath(path) == str(path):
                flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
                file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
        if file is None:
            yield None
            return
        with file:
            yield file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def _is_run(folder: Path) -> bool:
    """Whether a folder is one that `swapae train` made."""
    return (folder / "config.yaml").is_file() and not (folder / "config.yaml").is_symlink()


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(islice(entries, MOST_ENTRIES))
    except OSError:
        return []


def _line(text: bytes) -> dict[str, Any] | None:
    """Read a line of a log: numbers and short texts by name; what JSON cannot say, NaN say, becomes None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {
        _text(name, 100): _plain(value) for name, value in found.items() if not isinstance(value, dict | list)
    }


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > MOST_COUNT:
        return None
    return _text(value, 200) if isinstance(value, str) else value


def _text(value: str, most: int) -> str:
    """Cut a text, without halves of signs (`"\\ud800"` is JSON), which no answer can carry."""
    return value[:most].encode("utf-8", "replace").decode()


def _read(file: BinaryIO) -> object:
    try:
        return parsed(file.read(MOST_CONFIG))
    except ValueError:
        return None


def _within(config: object, *names: str) -> object:
    for name in names:
        config = config.get(name) if isinstance(config, dict) else None
    return config


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_COUNT
    return value if is_count else None  # type: ignore[return-value]
