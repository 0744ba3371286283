"""Files that appear whole or not at all: the one way in which this program writes; where its cache is.

What is written without PyTorch too has its home in `swapae_onnx.files`, and can be had here.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from swapae.errors import UserError, WriteError
from swapae_onnx.files import check_free as check_free
from swapae_onnx.files import reason as reason
from swapae_onnx.files import shown as shown
from swapae_onnx.files import write_bytes as write_bytes
from swapae_onnx.files import written_whole as written_whole

CACHE = "SWAPAE_CACHE"  # environment: the folder for what may be lost


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
    folder = Path(os.path.realpath(folder))  # a link stays one
    beside = folder.with_name(f".swapae-{uuid4().hex}.tmp")
    try:
        check_free_folder(folder, ours, force)
        beside.mkdir(parents=True)
        yield beside
        for file in beside.rglob("*"):
            sync_folder(file)
        check_free_folder(folder, ours, force)
        _put(beside, folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise WriteError(f"{shown(folder)} cannot be written ({reason(error)}).") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put(beside: Path, folder: Path) -> None:
    """Rename a folder; one that is in its place goes only once this one is there."""
    before = beside.with_suffix(".old")
    if folder.exists():
        os.replace(folder, before)
    try:
        os.replace(beside, folder)
    except OSError:
        if before.exists():
            os.replace(before, folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


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
