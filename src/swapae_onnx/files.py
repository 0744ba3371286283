"""Files that appear whole or not at all, and what a message may say of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from swapae_onnx.errors import UserError, WriteError


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


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole."""
    with written_whole(path) as beside:
        beside.write_bytes(data)


def shown(thing: object) -> str:
    """Text fit for one line of a message: what cannot be printed (newlines, broken UTF-8) is escaped."""
    text = str(thing)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def reason(error: OSError | ValueError) -> str:
    """Why an operation on a file failed, in a few words."""
    return (error.strerror if isinstance(error, OSError) else None) or shown(error)
