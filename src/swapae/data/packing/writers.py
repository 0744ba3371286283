"""Where the bytes of packed images go: a folder, a zip, tar shards, an LMDB.

Each writes into a working folder, can be cut back to what the journal knows, and moves what is complete to
its place. The bytes depend on names and contents alone: not on the time, nor on how often it was interrupted.
"""

from __future__ import annotations

import os
import struct
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from swapae.data.open import ZIP_NAME
from swapae.data.packing.journal import Entry
from swapae.data.packs.lmdb import FILE as LMDB_NAME
from swapae.data.packs.remember import Row
from swapae.data.packs.tar import BLOCK, INDEX, index_lines
from swapae.errors import UserError
from swapae.files import shown, write_text

Place = tuple[int, ...]


class Writer(Protocol):
    """- work: the folder in which it writes.
    - out: the folder in which the pack shall lie in the end.
    """

    def resume(self, entries: Sequence[Entry]) -> None:
        """Cut what lies in the working folder back to these entries."""
        ...

    def add(self, name: str, data: bytes) -> Place:
        """Take the bytes of an image; tell where they lie."""
        ...

    def flush(self) -> None:
        """Bring all that was added to the disk."""
        ...

    def finish(self, entries: Sequence[Entry]) -> None:
        """Complete the pack and put it in its place; done twice, the second time does nothing."""
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


# ── a folder ─────────────────────────────────────────────────────────────────────────────────────


class FolderWriter:
    """A file per image, in OUT/images."""

    def __init__(self, work: Path, out: Path) -> None:
        self.work, self.final = work / "images", out / "images"
        self._unsynced: list[Path] = []

    def resume(self, entries: Sequence[Entry]) -> None:
        """Nothing is to be cut: files beyond are written anew."""

    def add(self, name: str, data: bytes) -> Place:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._unsynced.append(path)
        return ()

    def flush(self) -> None:
        for path in self._unsynced:
            with open(path, "rb+") as file:
                os.fsync(file.fileno())
        self._unsynced.clear()

    def finish(self, entries: Sequence[Entry]) -> None:
        if not self.final.exists():
            self.work.mkdir(exist_ok=True)
            os.replace(self.work, self.final)

    def close(self) -> None:
        pass


# ── one growing file ─────────────────────────────────────────────────────────────────────────────


class Growing:
    """A file that is cut to a length, then only grows.

    Args:
        path: where it grows.
        final: where it is moved to when it is complete; if it is there, nothing is left to do.
    """

    def __init__(self, path: Path, final: Path) -> None:
        self.path, self.final = path, final
        self._file: BinaryIO | None = None

    def cut(self, length: int) -> None:
        """Keep the first `length` bytes.

        Raises:
            UserError: there are fewer, so somebody has changed it.
        """
        self.close()
        if self.final.exists():
            return
        self._file = open(self.path, "ab")  # noqa: SIM115  # it stays open until `close`
        if self._file.tell() < length:
            self.close()
            raise UserError(f"{shown(self.path)} is not as it was left: --force begins anew.")
        self._file.truncate(length)
        self._file.seek(0, os.SEEK_END)

    def write(self, data: bytes) -> int:
        """Append; return where the data begin."""
        file = self._opened()
        start = file.tell()
        file.write(data)
        return start

    def tell(self) -> int:
        """The length so far."""
        return self._opened().tell()

    def flush(self) -> None:
        """Bring it to the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def move(self) -> None:
        """Put it in its place."""
        self.flush()
        self.close()
        os.replace(self.path, self.final)

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.cut(0)
        assert self._file is not None
        return self._file


# ── a zip ────────────────────────────────────────────────────────────────────────────────────────

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF  # from these on, the long forms are used
UTF_8 = 0x800
OLDEST = 0x21  # 1 January 1980, the first day a zip can name


class ZipWriter:
    """OUT/images.zip, each image stored as it is: read as fast as from a folder, one file to copy."""

    def __init__(self, work: Path, out: Path) -> None:
        self._file = Growing(work / ZIP_NAME, out / ZIP_NAME)

    def resume(self, entries: Sequence[Entry]) -> None:
        self._file.cut(_zip_end(entries))

    def add(self, name: str, data: bytes) -> Place:
        encoded, checksum = name.encode(), zlib.crc32(data)
        head = (20, UTF_8, 0, 0, OLDEST, checksum, len(data), len(data), len(encoded), 0)
        start = self._file.write(LOCAL.pack(b"PK\x03\x04", *head) + encoded + data)
        return start, checksum

    def flush(self) -> None:
        self._file.flush()

    def finish(self, entries: Sequence[Entry]) -> None:
        if self._file.final.exists():
            return
        start = _zip_end(entries)
        self._file.cut(start)
        for entry in entries:
            self._file.write(_central(entry))
        self._file.write(_zip_tail(len(entries), start, self._file.tell() - start))
        self._file.move()

    def close(self) -> None:
        self._file.close()


def _zip_end(entries: Sequence[Entry]) -> int:
    if not entries:
        return 0
    last = entries[-1]
    return last.place[0] + LOCAL.size + len(last.name.encode()) + last.num_bytes


def _central(entry: Entry) -> bytes:
    start, checksum = entry.place
    name, size = entry.name.encode(), entry.num_bytes
    is_far = start >= MAX_32
    extra = struct.pack("<2HQ", 1, 8, start) if is_far else b""
    version = 45 if is_far else 20
    head = (version, version, UTF_8, 0, 0, OLDEST, checksum, size, size, len(name), len(extra), 0, 0, 0, 0)
    return CENTRAL.pack(b"PK\x01\x02", *head, MAX_32 if is_far else start) + name + extra


def _zip_tail(count: int, start: int, size: int) -> bytes:
    short = min(count, MAX_16), min(count, MAX_16), min(size, MAX_32), min(start, MAX_32)
    end = END.pack(b"PK\x05\x06", 0, 0, *short, 0)
    if count < MAX_16 and start < MAX_32 and size < MAX_32:
        return end
    long = END_64.pack(b"PK\x06\x06", END_64.size - 12, 45, 45, 0, 0, count, count, size, start)
    return long + LOCATOR_64.pack(b"PK\x06\x07", 0, start + size, 1) + end


# ── tar shards ───────────────────────────────────────────────────────────────────────────────────


class TarWriter:
    """OUT/shard-00000.tar, …, each about `shard_bytes` long, and OUT/index.jsonl."""

    def __init__(self, work: Path, out: Path, shard_bytes: int) -> None:
        self.work, self.out, self.shard_bytes = work, out, shard_bytes
        self._number = 0
        self._file = self._shard(0)

    def resume(self, entries: Sequence[Entry]) -> None:
        self._number = entries[-1].place[0] if entries else 0
        self._file = self._shard(self._number)
        self._file.cut(_tar_end(entries))

    def add(self, name: str, data: bytes) -> Place:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        head = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        block = head + data + bytes(-len(data) % BLOCK)
        if self._file.tell() and self._file.tell() + len(block) > self.shard_bytes:
            self.flush()
            self._file.close()
            self._number += 1
            self._file = self._shard(self._number)
        return self._number, self._file.write(block) + len(head)

    def flush(self) -> None:
        self._file.flush()

    def finish(self, entries: Sequence[Entry]) -> None:
        self._file.close()
        shards = []
        for number, members in enumerate(_by_shard(entries)):
            shard = self._shard(number)
            if not shard.final.exists():
                self._file = shard  # which `close` lets go of, whatever happens here
                end = _tar_end(members)
                shard.cut(end)
                shard.write(bytes(2 * BLOCK + -(end + 2 * BLOCK) % tarfile.RECORDSIZE))
                shard.move()
            shards.append((shard.final.name, shard.final.stat().st_size))
        rows: list[Row] = [[e.name, e.place[0], e.place[1], e.num_bytes] for e in entries]
        write_text(self.out / INDEX, "".join(index_lines(shards, rows)))

    def close(self) -> None:
        self._file.close()

    def _shard(self, number: int) -> Growing:
        name = f"shard-{number:05d}.tar"
        return Growing(self.work / name, self.out / name)


def _tar_end(entries: Sequence[Entry]) -> int:
    if not entries:
        return 0
    start, size = entries[-1].place[1], entries[-1].num_bytes
    return start + size + -size % BLOCK


def _by_shard(entries: Sequence[Entry]) -> list[list[Entry]]:
    shards: list[list[Entry]] = [[]]
    for entry in entries:
        if entry.place[0] == len(shards):
            shards.append([])
        shards[-1].append(entry)
    return shards


# ── an LMDB ──────────────────────────────────────────────────────────────────────────────────────


class LmdbWriter:
    """OUT/data.mdb: the names are the keys.

    How LMDB lays out its pages depends on every commit that ever was, so the images are collected in a plain
    file first, and the database is made of that at once.
    """

    NUM_IN_COMMIT = 1000

    def __init__(self, work: Path, out: Path) -> None:
        self.work, self.final = work / LMDB_NAME, out / LMDB_NAME
        self._file = Growing(work / "images.bin", out / LMDB_NAME)

    def resume(self, entries: Sequence[Entry]) -> None:
        self._file.cut(_blob_end(entries))

    def add(self, name: str, data: bytes) -> Place:
        return (self._file.write(data),)

    def flush(self) -> None:
        self._file.flush()

    def finish(self, entries: Sequence[Entry]) -> None:
        if self.final.exists():
            return
        self._file.cut(_blob_end(entries))
        self._file.close()
        self.work.unlink(missing_ok=True)
        self._build(entries)
        os.replace(self.work, self.final)

    def close(self) -> None:
        self._file.close()

    def _build(self, entries: Sequence[Entry]) -> None:
        import lmdb

        page = 4096
        size = sum(-(-(entry.num_bytes + len(entry.name.encode()) + 64) // page) + 1 for entry in entries)
        environment = lmdb.open(
            str(self.work), map_size=(2 * size + 1024) * page, subdir=False, lock=False, sync=False
        )
        with environment, open(self._file.path, "rb") as blob:
            for some in _in_runs(entries, self.NUM_IN_COMMIT):
                with environment.begin(write=True) as transaction:
                    for entry in some:
                        blob.seek(entry.place[0])
                        transaction.put(entry.name.encode(), blob.read(entry.num_bytes), append=True)
            environment.sync(True)


def _blob_end(entries: Sequence[Entry]) -> int:
    return entries[-1].place[0] + entries[-1].num_bytes if entries else 0


def _in_runs(entries: Sequence[Entry], length: int) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), length):
        yield entries[start : start + length]
