"""An LMDB whose values are encoded images: LSUN's, or one that `swapae data prepare` made."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from weakref import WeakValueDictionary

from swapae.data.packs.pack import MAX_BYTES
from swapae.data.packs.ranges import state_of
from swapae.data.packs.remember import remembered
from swapae.errors import UserError
from swapae.files import shown

if TYPE_CHECKING:
    import lmdb

FILE = "data.mdb"
MAGIC = bytes.fromhex("dec0efbe")  # in every byte order but the own: a file of another kind of machine


class LmdbPack:
    """All values of an LMDB, in the order of their keys, taken for encoded images whatever the keys are.

    It is opened read-only and without a lock, so nothing is written beside it and it may lie on a read-only
    disk; nobody must write to it meanwhile. Keys are read through once and remembered in the user's cache.
    Colours are as the image files say: neither key nor path changes their order.

    Args:
        path: the folder that holds data.mdb, or a file of that kind.

    Raises:
        UserError: it cannot be read, is damaged, or the package `lmdb` is missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = shown(path)
        self.skipped: list[tuple[str, str]] = []
        self._file = self.path / FILE if self.path.is_dir() else self.path
        self._state = state_of(self._file)
        self._environment: tuple[int, lmdb.Environment] | None = None
        self._names: list[str] | None = None
        self._keys = self._find_keys()

    @property
    def num_images(self) -> int:
        """How many values there are."""
        return len(self._keys)

    def name_of(self, index: int) -> str:
        """The key, as text."""
        return self._keys[index].decode("utf-8", "backslashreplace")

    def open(self, index: int) -> BinaryIO:
        """Read a value.

        Raises:
            UserError: it is not there any more, or the file is damaged.
        """
        key, name = self._keys[index], shown(self.name_of(index))
        value = self._get(key)
        if value is None:
            raise UserError(f"{name} is not in {self.name} any more.")
        if len(value) > MAX_BYTES:
            raise UserError(f"{name} has {len(value):,} bytes, too many to be read safely.")
        return io.BytesIO(value)

    def fingerprint(self) -> str:
        """A digest of the keys, and of the file's size and time of change."""
        digest = hashlib.sha256(self._state.encode())
        for key in self._keys:
            digest.update(len(key).to_bytes(4, "little") + key)
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the environment behind: every process opens its own."""
        return self.__dict__ | {"_environment": None}

    def _find_keys(self) -> list[bytes]:
        self._open()  # what is damaged is refused, also where the keys are remembered
        key = f"lmdb 1 {os.path.realpath(self._file)!a} {self._state}"
        num_bytes = self._file.stat().st_size
        rows = remembered("lmdb", key, num_bytes, lambda: [[k.decode("latin-1") for k in self._read_keys()]])
        return [str(key).encode("latin-1") for key in rows[0]]

    def _read_keys(self) -> list[bytes]:
        import lmdb

        try:
            with self._open().begin() as transaction, transaction.cursor() as cursor:
                return [bytes(key) for key in cursor.iternext(values=False)]
        except lmdb.Error as error:
            raise _damaged(self._file, error) from None

    def _get(self, key: bytes) -> bytes | None:
        import lmdb

        try:
            with self._open().begin() as transaction:
                value = transaction.get(key)
                return None if value is None else bytes(value)
        except lmdb.Error as error:
            raise _damaged(self._file, error) from None

    def _open(self) -> lmdb.Environment:
        process = os.getpid()
        if self._environment is None or self._environment[0] != process:
            self._environment = process, _environment(self._file, process)
        return self._environment[1]


def is_lmdb(path: str | Path) -> bool:
    """Whether a path is an LMDB: a folder with data.mdb, or a file that begins as one does."""
    try:
        if os.path.isdir(path):
            return os.path.isfile(os.path.join(path, FILE))
        with open(path, "rb") as file:
            return file.read(20)[16:] in (MAGIC, MAGIC[::-1])
    except (OSError, ValueError):
        return False


# ── one environment for a file and process: LMDB forbids two ─────────────────────────────────────

_OPEN: WeakValueDictionary[tuple[int, str], lmdb.Environment] = WeakValueDictionary()  # by process, path


def _environment(file: Path, process: int) -> lmdb.Environment:
    """Open a file, or give the environment that this process has of it."""
    place = process, os.path.realpath(file)
    environment = _OPEN.get(place)
    if environment is None:
        for key, inherited in list(_OPEN.items()):
            if key[0] != process:  # this process was forked, and must not open the file beside its parent's
                inherited.close()
                del _OPEN[key]
        environment = _OPEN[place] = _opened(file)
    return environment


def _opened(file: Path) -> lmdb.Environment:
    try:
        import lmdb
    except ImportError:
        fix = "pip install 'swapae[lmdb]'"
        raise UserError(f"{shown(file)} is an LMDB, which needs an extra: {fix}.") from None
    if not is_lmdb(file):
        raise UserError(f"{shown(file)} is no LMDB, or of another version.")
    try:
        environment = lmdb.open(
            str(file), subdir=False, readonly=True, lock=False, readahead=False, create=False, max_dbs=0
        )
    except lmdb.Error as error:
        raise _damaged(file, error) from None
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if os.path.getsize(file) < needed:  # reading behind the end of a mapped file kills the process
        environment.close()
        raise UserError(f"{shown(file)} is cut short: it should have {needed:,} bytes.")
    return environment


def _damaged(file: Path, error: Exception) -> UserError:
    return UserError(f"{shown(file)} is damaged or cannot be read as an LMDB ({shown(error)}).")
