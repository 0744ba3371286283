"""A zip of images, stored or deflated, read in place."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from swapae.data.packs.archive import Archive
from swapae.data.packs.pack import MAX_BYTES, is_image_name, is_name_outside
from swapae.data.packs.ranges import RangeFile
from swapae.errors import UserError
from swapae.files import reason, shown

# An entry is a bomb if it is large and grows more than this; pictures, even BMP, hardly shrink by deflate.
MAX_RATIO = 200
HARMLESS_BYTES = 1 << 24  # what may grow by any factor

IS_ENCRYPTED = 0x1
LOCAL_MAGIC = b"PK\x03\x04"
LOCAL_HEADER = struct.Struct("<4s5H3L2H")


class _Entry(NamedTuple):
    name: str
    start: int  # of the local header
    packed_size: int
    size: int
    checksum: int
    method: int


class ZipPack(Archive[_Entry]):
    """The image files of a zip, in the order of their names; nothing is unpacked to the disk.

    Entries that are encrypted, packed by another method, too large, or named to lie outside are listed in
    `skipped`. No more is unpacked of an entry than the archive's directory says, and its checksum must fit.

    Args:
        path: the zip.

    Raises:
        UserError: it cannot be read, or is no sound zip.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(shown(path))
        self.path = Path(path)
        self._file = RangeFile(path)
        for info in sorted(_directory(self.path), key=lambda info: info.filename):
            self._take(info)

    def open(self, index: int) -> BinaryIO:
        """Read an entry whole.

        Raises:
            UserError: it is damaged.
        """
        entry = self._entries[index]
        header = LOCAL_HEADER.unpack(self._file.read(entry.start, LOCAL_HEADER.size))
        if header[0] != LOCAL_MAGIC:
            raise UserError(f"{shown(entry.name)} is not where {self.name} says: the archive is damaged.")
        start = entry.start + LOCAL_HEADER.size + header[-2] + header[-1]
        data = self._file.read(start, entry.packed_size)
        if entry.method == zipfile.ZIP_DEFLATED:
            data = _inflated(data, entry)
        if len(data) != entry.size or zlib.crc32(data) != entry.checksum:
            raise UserError(f"{shown(entry.name)} is damaged in {self.name}: its checksum does not fit.")
        return io.BytesIO(data)

    def fingerprint(self) -> str:
        """A digest of the names, sizes and checksums in the archive's directory."""
        digest = hashlib.sha256()
        for entry in self._entries:
            digest.update(f"{entry.name!a} {entry.size} {entry.checksum} {entry.method}\n".encode())
        return digest.hexdigest()

    def _take(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        if info.is_dir() or not is_image_name(name):
            return
        fault = _fault(info)
        if self._is_again(name):
            fault = "is in the archive twice; the first is used"
        if fault:
            self._skip(name, fault)
            return
        sizes = info.compress_size, info.file_size
        self._entries.append(_Entry(name, info.header_offset, *sizes, info.CRC, info.compress_type))


def is_zip(path: str | Path) -> bool:
    """Whether a file begins as a zip does."""
    try:
        with open(path, "rb") as file:
            return file.read(4) in (LOCAL_MAGIC, b"PK\x05\x06")
    except (OSError, ValueError):
        return False


def _directory(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None
    except Exception as error:  # a stranger's bytes: struct.error, ValueError, UnicodeDecodeError, …
        why = shown(error) or type(error).__name__
        raise UserError(f"{shown(path)} is damaged or no zip ({why}).") from None


def _fault(info: zipfile.ZipInfo) -> str | None:
    """Why an entry cannot be used, as the end of a sentence."""
    if is_name_outside(info.orig_filename) or is_name_outside(info.filename):
        return "points outside of the archive, which no honest archive does"
    if info.flag_bits & IS_ENCRYPTED:
        return "is encrypted: unpack the archive with its password first"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {info.compress_type}: only stored and deflated entries are read"
    if max(info.file_size, info.compress_size) > MAX_BYTES:
        return f"has {info.file_size:,} bytes, too many to be read safely (the limit is {MAX_BYTES:,})"
    if info.file_size > max(HARMLESS_BYTES, MAX_RATIO * info.compress_size):
        grown = f"{info.compress_size:,} bytes would become {info.file_size:,}"
        return f"is packed too densely to be unpacked safely: {grown}"
    return None


def _inflated(data: bytes, entry: _Entry) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.size + 1)
    except zlib.error as error:
        raise UserError(f"{shown(entry.name)} is damaged in its archive ({shown(error)}).") from None
