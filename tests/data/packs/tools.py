"""The same images in every kind of pack."""

import io
import tarfile
import zipfile
from pathlib import Path

import lmdb
import numpy as np
from PIL import Image

from swapae.data.packs.folder import FolderPack
from swapae.data.packs.hub import HubPack
from swapae.data.packs.lmdb import LmdbPack
from swapae.data.packs.tar import TarPack
from swapae.data.packs.zip import ZipPack

KINDS = ["folder", "zip", "deflated", "tar", "shards", "lmdb", "hub"]


def encoded(seed: int = 0, size: tuple[int, int] = (24, 18), format_name: str = "PNG", **options) -> bytes:
    """A noisy picture about a colour of its own, so that swapped channels show."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 200, 3) + rng.integers(0, 56, (size[1], size[0], 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, format_name, **options)
    return buffer.getvalue()


def some_files() -> dict[str, bytes]:
    """Names in sorted order, three formats."""
    formats = {"a.jpg": "JPEG", "b/c.png": "PNG", "b/d.webp": "WEBP", "e.JPG": "JPEG"}
    files = {name: encoded(seed, format_name=kind) for seed, (name, kind) in enumerate(formats.items())}
    return dict(sorted(files.items()))


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in reversed(files.items()):
            archive.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in reversed(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_shards(root: Path, files: dict[str, bytes]) -> Path:
    for number in (0, 1):
        write_tar(root / f"{number}.tar", dict(list(files.items())[number::2]))
    return root


def write_lmdb(root: Path, files: dict[str, bytes]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    environment = lmdb.open(str(root), map_size=1 << 26, lock=False)
    with environment, environment.begin(write=True) as transaction:
        for name, data in files.items():
            transaction.put(name.encode("utf-8", "surrogateescape"), data)
    (root / "lock.mdb").unlink(missing_ok=True)
    return root


def write_hub(root: Path, files: dict[str, bytes]) -> Path:
    import datasets

    rows = {"image": [{"bytes": data, "path": None} for data in files.values()]}
    features = datasets.Features({"image": datasets.Image()})
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(rows, features).save_to_disk(str(root))
    return root


def write(kind: str, place: Path, files: dict[str, bytes]) -> str:
    """Write a pack at `place`; give the word for it."""
    match kind:
        case "folder":
            return str(write_folder(place, files))
        case "zip":
            return str(write_zip(place.with_suffix(".zip"), files))
        case "deflated":
            return str(write_zip(place.with_suffix(".zip"), files, zipfile.ZIP_DEFLATED))
        case "tar":
            return str(write_tar(place.with_suffix(".tar"), files))
        case "shards":
            return str(write_shards(place, files))
        case "lmdb":
            return str(write_lmdb(place, files))
        case _:
            return f"hf:{write_hub(place, files)}"


PACKS = {
    "folder": FolderPack,
    "zip": ZipPack,
    "deflated": ZipPack,
    "tar": TarPack,
    "shards": TarPack,
    "lmdb": LmdbPack,
    "hub": HubPack,
}
