"""Packing in one call, and what came of it."""

from pathlib import Path

from swapae.data.open import open_pack
from swapae.data.packing.job import Packing, pack_images

KINDS = ["folder", "zip", "tar", "lmdb"]


def nothing(*_):
    pass


def pack(data, out, kind="zip", workers=0, force=False, **settings):
    packing = Packing(kind, **({"resize": "scale_shortside", "size": 12} | settings))
    return pack_images(open_pack(data), Path(out), packing, workers, nothing, force)


def tree(root):
    """Every file below a folder by content, hidden ones too."""
    files = sorted(path for path in Path(root).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
