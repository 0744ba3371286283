"""Fetching the weights of measuring nets, when asked: checked, whole or not at all, resumable."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from swapae.errors import UserError
from swapae.files import shown
from swapae.metrics.inception import FILENAMES
from swapae.metrics.lpips import TRUNKS
from swapae.metrics.nets import nets_folder

TORCHVISION = "https://download.pytorch.org/models/"
PYTORCH_FID = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"

_CHUNK = 1 << 20  # bytes
_TIMEOUT = 30.0  # seconds without a byte

Progress = Callable[[int, int | None], None]  # bytes that are here, and in all if the server says


class Remote(NamedTuple):
    """A file in the net.

    - url: where it is.
    - sha256: the first hexadecimal digits of its digest, which its name ends with.
    - about: what it is for, its size, its licence.
    """

    url: str
    sha256: str
    about: str

    @property
    def filename(self) -> str:
        """What it is called."""
        return self.url.rpartition("/")[2]


def _remote(base: str, filename: str, about: str) -> Remote:
    return Remote(base + filename, filename.removesuffix(".pth").rpartition("-")[2], about)


REMOTES: dict[str, Remote] = {
    "Inception": _remote(PYTORCH_FID, FILENAMES[0], "FID, KID and SIFID of articles, 91 MB, Apache-2.0"),
    "VGG16": _remote(TORCHVISION, TRUNKS["vgg"].filename, "SelfSim-VGG16, LPIPS-vgg, 528 MB, BSD-3-Clause"),
    "alex": _remote(TORCHVISION, TRUNKS["alex"].filename, "LPIPS-alex, 233 MB, BSD-3-Clause"),
    "squeeze": _remote(TORCHVISION, TRUNKS["squeeze"].filename, "LPIPS-squeeze, 5 MB, BSD-3-Clause"),
}


def fetch(remote: Remote, folder: Path | None = None, progress: Progress = lambda here, of: None) -> Path:
    """Bring a file into a folder, by default the cache; one that is there and sound is left alone.

    What was fetched before the connection broke is kept beside, and the next call goes on from there.

    Raises:
        UserError: it cannot be fetched or written, or what came is not the file.
    """
    folder = folder or nets_folder()
    target, part = folder / remote.filename, folder / f".{remote.filename}.part"
    try:
        if target.is_file() and _is_sound(target, remote):
            return target
        folder.mkdir(parents=True, exist_ok=True)
        if not (part.is_file() and _is_sound(part, remote)):
            _receive(remote.url, part, progress)
        if not _is_sound(part, remote):
            part.unlink()
            raise UserError(
                f"{remote.url} gave another file than it should (its SHA-256 does not begin with "
                f"{remote.sha256}): nothing was kept; try again, or fetch it elsewhere."
            )
        os.replace(part, target)
    except (OSError, HTTPException) as error:
        why = getattr(error, "reason", None) or error
        have = f", and goes on from {part.stat().st_size:,} bytes" if part.is_file() else ""
        raise UserError(
            f"{remote.url} could not be fetched ({shown(why) or type(error).__name__}): the same command "
            f"tries again{have}; or put the file into {shown(folder)} by hand."
        ) from error
    return target


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Append what is missing of a file to `part`, or begin anew where the server cannot go on."""
    here = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={here}-"} if here else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # nothing lies beyond: what is here is too much, or another file
            raise
        part.unlink()
        answer = urllib.request.urlopen(url, timeout=_TIMEOUT)
    with answer, open(part, "ab" if answer.status == 206 else "wb") as file:
        here = file.tell() if answer.status == 206 else 0
        length = answer.headers.get("Content-Length")
        whole = here + int(length) if length else None
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            here += len(chunk)
            progress(here, whole)
        file.flush()
        os.fsync(file.fileno())
    if whole is not None and here < whole:
        raise ConnectionError(f"the connection ended after {here:,} of {whole:,} bytes")


def _is_sound(path: Path, remote: Remote) -> bool:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(remote.sha256)
