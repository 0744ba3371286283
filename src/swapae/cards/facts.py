"""What the files of a model's folder say by themselves, and which files they are."""

import hashlib
import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from swapae import box
from swapae.errors import UserError
from swapae.weights import read_metadata

PRECISIONS = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}

Card = Mapping[str, Any]


def belongings(folder: Path) -> list[str]:
    """List what belongs to a model by names with `/`: weights, config, card, directions, picture, gallery.

    Other files in the folder are nobody's business, and discriminators are for those who train on.
    """
    gallery = sorted((folder / box.GALLERY).glob("*")) if (folder / box.GALLERY).is_dir() else []
    samples = [file.name for file in gallery if file.is_file() and file.suffix in box.SAMPLES]
    own = [name for name in box.FILES if (folder / name).is_file()]
    return [*own, *(f"{box.GALLERY}/{name}" for name in samples if not name.startswith("."))]


def facts(folder: Path, size: int | None = None) -> dict[str, Any]:
    """Tell what the files say: codes, parameters, precision, size and digest of the weights, what lies by.

    Args:
        folder: of the model.
        size: side of the images of its training, where that is known.

    Raises:
        UserError: the weights cannot be read.
    """
    weights = folder / box.WEIGHTS
    tensors, config = _header(weights), _config(weights)
    with open(weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found: dict[str, Any] = {
        "image_size": size,
        "codes": _codes(config, size),
        "parameters": _parameters(tensors),
        "precision": " and ".join(sorted({_precision(one) for one in tensors.values()})),
        "bytes": weights.stat().st_size,
        "sha256": digest,
        "directions": _directions(folder / box.DIRECTIONS),
        "gallery": _gallery(folder / box.GALLERY / "gallery.json"),
        "picture": next((name for name in box.PICTURES if (folder / name).is_file()), None),
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def _header(weights: Path) -> dict[str, Any]:
    """Read names, kinds and shapes of a safetensors file: 8 bytes say how long that is."""
    read_metadata(weights)  # which says what is wrong with the file, if anything is
    with open(weights, "rb") as file:
        header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {name: about for name, about in header.items() if name != "__metadata__"}


def _config(weights: Path) -> Card:
    try:
        found = json.loads(read_metadata(weights)["config"])
        return {name: int(found[name]) for name in ("structure_channels", "texture_channels")} | {
            "stride": 2 ** int(found["structure_downsamplings"])
        }
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{weights} holds no readable config; save the model again.") from error


def _codes(config: Card, size: int | None) -> dict[str, Any]:
    """The shapes of the codes; without a size, of the structure code only its channels and its stride."""
    channels, stride = config["structure_channels"], config["stride"]
    known = {"structure": [channels, -(-size // stride), -(-size // stride)]} if size else {}
    return known | {"channels": channels, "stride": stride, "texture": config["texture_channels"]}


def _parameters(tensors: Card) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, about in tensors.items():
        network = name.partition(".")[0]
        counts[network] = counts.get(network, 0) + prod(about["shape"])
    return counts | {"total": sum(counts.values())}


def _precision(about: Card) -> str:
    return PRECISIONS.get(str(about["dtype"]), str(about["dtype"]))


def _directions(file: Path) -> list[str]:
    """Name the directions that lie by; none where there are none, or they cannot be read."""
    try:
        return [str(one["name"]) for one in json.loads(read_metadata(file)["directions"])]
    except (UserError, KeyError, TypeError, ValueError, RecursionError):
        return []


def _gallery(file: Path) -> list[str]:
    try:
        return [str(one["name"]) for one in json.loads(file.read_text(encoding="utf-8"))["samples"]]
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return []
