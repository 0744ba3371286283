"""The word for a set of images on the command line → the set."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from swapae.data.source import Source
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.files import shown

if TYPE_CHECKING:
    from swapae.data.packs.pack import Pack

GENERATED = "synthetic"
HUB = "hf:"

# What `swapae data prepare` writes beside a pack, and how it is called there.
MANIFEST, PREPARED = "manifest.json", "swapae prepared images"
ZIP_NAME = "images.zip"
WORK = ".swapae"  # a folder that is there while it works, and gone in the end


def open_source(data: str | Path, *, resolution: int, config: DataConfig | None = None) -> Source:
    """Open a set of images.

    - `synthetic`: the generated set; a folder of that name is `./synthetic`.
    - `hf:NAME`: a Hugging Face data set (swapae.data.packs.hub).
    - A folder of images or a cache of them, of tar shards, or with an LMDB; what `data prepare` wrote.
    - A zip, tar or LMDB file, known by its first bytes.

    Args:
        data: path or word.
        resolution: side in pixels at which generated images are drawn; others do not need it.
        config: if given, images come as its `preprocess` and `decode` leave them.

    Raises:
        UserError: there is no such set, or no readable image in it, or it is a cache by another rule.
    """
    if data == GENERATED:
        from swapae.data.synthetic import SyntheticSource

        return SyntheticSource(resolution, seed=0)
    from swapae.data.cache import CachedSource, is_cache
    from swapae.data.folder import FolderSource
    from swapae.data.packs.pack import PackedSource

    if is_cache(data):
        return CachedSource(data, config)
    pack = _open_archive(data)
    return PackedSource(pack, config) if pack is not None else FolderSource(data, config)


def open_pack(data: str | Path) -> Pack:
    """Open a set of encoded images: all that `open_source` takes but the generated set and a cache.

    Raises:
        UserError: there is no such set.
    """
    from swapae.data.cache import is_cache
    from swapae.data.packs.folder import FolderPack

    if data == GENERATED or is_cache(data):
        raise UserError(f"{shown(data)} holds no image files: give the images themselves.")
    return _open_archive(data) or FolderPack(data)


def names_no_path(data: str | Path) -> bool:
    """Whether a word stands for something else than a path."""
    return data == GENERATED or str(data).startswith(HUB)


def _open_archive(data: str | Path) -> Pack | None:
    """Open what is no plain folder of images; None if it is one."""
    if str(data).startswith(HUB):
        from swapae.data.packs.hub import HubPack

        return HubPack(str(data))
    if not os.path.exists(data):
        raise UserError(f"There is no folder {shown(data)}: {_hint(data)}")
    from swapae.data.packs.lmdb import LmdbPack, is_lmdb
    from swapae.data.packs.tar import TarPack, is_tar
    from swapae.data.packs.zip import ZipPack, is_zip

    if os.path.isdir(data):
        kind = prepared_kind(data)
        if kind == "zip":
            return ZipPack(Path(data, ZIP_NAME))
        if kind is None and os.path.exists(os.path.join(data, WORK, "settings.json")):
            fix = "give the same swapae data prepare command again"
            raise UserError(f"{shown(data)} is not complete, its making was ended: {fix}.")
    if is_lmdb(data):
        return LmdbPack(data)
    if os.path.isdir(data):
        return TarPack(data) if _holds_only_tars(data) else None
    if is_zip(data):
        return ZipPack(data)
    if is_tar(data):
        return TarPack(data)
    kinds = "a folder of images, a zip, an uncompressed tar or an LMDB"
    raise UserError(f"{shown(data)} is a file, but no set of images: give {kinds}.")


def prepared_kind(folder: str | Path) -> str | None:
    """In what `data prepare` packed the images of a folder; None if it did not make, or finish, it."""
    try:
        manifest = json.loads(Path(folder, MANIFEST).read_text(encoding="utf-8"))
        return str(manifest["kind"]) if manifest["format"] == PREPARED else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _holds_only_tars(folder: str | Path) -> bool:
    """Whether a folder holds tars, and beside them neither folders nor images."""
    from swapae.images import IMAGE_SUFFIXES

    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return False
    others = [e for e in entries if _is_folder(e) or Path(e.name).suffix.lower() in IMAGE_SUFFIXES]
    return not others and any(entry.name.endswith(".tar") for entry in entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _hint(data: str | Path) -> str:
    if difflib.get_close_matches(str(data).lower(), [GENERATED]):
        return f"did you mean {GENERATED}?"
    return f"give a folder of images, a zip, tar or LMDB, {HUB}NAME, or the word {GENERATED}."
