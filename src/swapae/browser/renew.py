"""Take another version of the runtime into the package.

`npm pack onnxruntime-web` fetches a tarball; `python -m swapae.browser.renew TARBALL` takes what is wanted.
Its licence and the notices of others, which npm leaves out, are those of the installed Python package
onnxruntime, which is built from the same sources.
"""

import base64
import gzip
import hashlib
import json
import sys
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from swapae.browser.runtime import FOLDER, LICENCES, MANIFEST, WANTED
from swapae.errors import UserError
from swapae.files import write_bytes, write_text

PACKAGE = "onnxruntime-web"


def renew(tarball: Path, folder: Path = FOLDER) -> dict[str, Any]:
    """Write the wanted files of an npm tarball, and what they are.

    Raises:
        UserError: the file is no such tarball.
    """
    try:
        with tarfile.open(tarball) as archive:
            described = json.loads(_member(archive, "package.json"))
            found = {name: _member(archive, f"dist/{name}") for name in WANTED}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise UserError(f"{tarball} is no tarball of {PACKAGE} with all its files ({error}).") from error
    if described.get("name") != PACKAGE:
        raise UserError(f"{tarball} holds {described.get('name')}, not {PACKAGE}.")
    told = {
        "package": PACKAGE,
        "version": described["version"],
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode(),
        "files": [_written(folder, name, data) for name, data in found.items()],
    }
    for name, to in LICENCES.items():
        write_bytes(folder / to, (files("onnxruntime") / name).read_bytes())
    write_text(folder / MANIFEST, json.dumps(told, indent=1) + "\n")
    return told


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/{name}")
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _written(folder: Path, name: str, data: bytes) -> dict[str, Any]:
    to = WANTED[name]
    packed = gzip.compress(data, 9, mtime=0) if to.endswith(".gz") else data
    write_bytes(folder / to, packed)
    sizes = {"bytes": len(data), "packed": len(packed)}
    return {"file": to, "from": f"dist/{name}", "sha256": hashlib.sha256(data).hexdigest(), **sizes}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python -m swapae.browser.renew {PACKAGE}-VERSION.tgz")
    try:
        renewed = renew(Path(sys.argv[1]))
    except UserError as problem:
        sys.exit(str(problem))
    sys.stdout.write(f"{renewed['package']} {renewed['version']}\n")
