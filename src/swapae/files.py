"""Files that appear whole or not at all: the one way in which this program writes; where its cache is."""

import os
import shutil
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from swapae.errors import UserError, WriteError

CACHE = "SWAPAE_CACHE"  # environment: the folder for what may be lost


def check_free(path: Path, force: bool) -> None:
    """Refuse to overwrite.

    Raises:
        UserError: `path` is a folder, or exists and `force` is false.
    """
    if os.path.isdir(path):  # unlike path.is_dir() it never raises, e.g. below a folder one may not enter
        raise UserError(f"{shown(path)} is a folder: give the path of a file.")
    if not force and os.path.lexists(path):
        raise UserError(f"{shown(path)} exists already; give another path, or --force to overwrite it.")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give the path of an empty file beside `path` to write to; then put it in place.

    It is flushed to the disk before it is renamed, so others see the old file or all of the new one, even
    after a power cut; if the writer fails, nothing is left behind. The folder is made.

    Raises:
        WriteError: the folder or the file cannot be written.
    """
    if "\0" in str(path):
        raise UserError(f"{shown(path)} cannot be the name of a file.")
    beside = path.with_name(f".swapae-{uuid4().hex}.tmp")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside, "xb") as file:
                mode = os.fstat(file.fileno()).st_mode  # as the user's umask has it
            yield beside
            with open(beside, "rb+") as file:
                os.fsync(file.fileno())
            os.chmod(beside, mode)  # a writer may have put a file with other rights here
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{shown(path)} cannot be written ({reason(error)}).") from None


def check_free_folder(folder: Path, ours: Set[str], force: bool) -> None:
    """Refuse a folder that holds anything; `force` lets one be replaced that holds nothing but `ours`.

    Raises:
        UserError: as said, or it is no folder.
    """
    if not os.path.lexists(folder):
        return
    if not os.path.isdir(folder):
        raise UserError(f"{shown(folder)} is a file; give the name of a folder.")
    inside = set(os.listdir(folder))
    if inside and not force:
        raise UserError(f"{shown(folder)} exists already; give another name, or --force to replace it.")
    if foreign := sorted(inside - ours):
        named = ", ".join(map(shown, foreign[:3]))
        raise UserError(
            f"{shown(folder)} holds other files than this command's ({named}); give another name."
        )


@contextmanager
def folder_written_whole(folder: Path, ours: Set[str], force: bool = False) -> Iterator[Path]:
    """Give an empty folder beside `folder` to write to; then put it in place, whole or not at all.

    Args:
        folder: what `check_free_folder` allows, asked before and after.
        ours: names of files and folders that a replaced one may hold.
        force: replace one.

    Raises:
        UserError: it may not be replaced.
        WriteError: it cannot be written.
    """
    folder = folder.absolute()
    beside = folder.with_name(f".swapae-{uuid4().hex}.tmp")
    try:
        check_free_folder(folder, ours, force)
        beside.mkdir(parents=True)
        yield beside
        for file in beside.rglob("*"):
            sync_folder(file)
        check_free_folder(folder, ours, force)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(beside, folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise WriteError(f"{shown(folder)} cannot be written ({reason(error)}).") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can: then a rename outlives a power cut.

    A file's contents are flushed likewise.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and has nothing to flush there
        return
    try:
        with suppress(
            OSError
        ):  # some network file systems do not know how, and keep names in order themselves
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole."""
    with written_whole(path) as beside:
        beside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole, with \\n at the end of lines on every system."""
    write_bytes(path, text.encode("utf-8"))


def cache_folder() -> Path:
    """Name the folder for what may be lost: `SWAPAE_CACHE`, or the one that is usual on this system."""
    if named := os.environ.get(CACHE):
        return Path(os.path.expanduser(named))
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return Path(base) / "swapae"


def shown(thing: object) -> str:
    """Text fit for one line of a message: what cannot be printed (newlines, broken UTF-8) is escaped."""
    text = str(thing)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def reason(error: OSError | ValueError) -> str:
    """Why an operation on a file failed, in a few words."""
    return (error.strerror if isinstance(error, OSError) else None) or shown(error)
