"""The models in the box: small trained ones that come with the package, each a folder found by its name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swapae.errors import UserError

FOLDER = Path(__file__).with_name("models")
WEIGHTS, CARD, CARD_PAGE, GALLERY = "model.safetensors", "card.json", "README.md", "gallery"
DIRECTIONS = "directions.safetensors"  # those that a model, also one outside the box, brings along
CONFIG = "config.json"
PICTURES = ("swaps.jpg", "swaps.png", "swaps.webp")  # of a card; at most one of them is there
SAMPLES = (".json", ".safetensors", ".png", ".jpg", ".webp")  # suffixes of files in a gallery
FILES = (CONFIG, WEIGHTS, CARD_PAGE, CARD, DIRECTIONS, *PICTURES)
BELONGINGS = [*FILES, *(f"{GALLERY}/*{suffix}" for suffix in SAMPLES)]  # patterns of all that makes a model


def names() -> list[str]:
    """Name the models that are there, in alphabetical order."""
    folders = (path.parent.name for path in FOLDER.glob(f"*/{WEIGHTS}"))
    return sorted(name for name in folders if not name.startswith("."))  # one that is being written


def folder_of(name: str) -> Path | None:
    """Give the folder of a model in the box; None if there is none of that name."""
    return FOLDER / name if name in names() else None


def card_of(name: str) -> dict[str, Any]:
    """Read what the card of a model in the box says, as data.

    Raises:
        UserError: there is no such model, or its card is damaged.
    """
    return read_json(required(name) / CARD)


def required(name: str) -> Path:
    """Give the folder of a model in the box.

    Raises:
        UserError: there is none of that name; the sentence lists those that are there.
    """
    folder = folder_of(name)
    if folder is None:
        there = f"it has {', '.join(names())}" if names() else "this copy of the package has none"
        raise UserError(f"there is no model '{name}' in the box: {there}.")
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a file of the box.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is missing or damaged; install swapae anew.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged; install swapae anew.")
    return found


def image_size(folder: Path) -> int | None:
    """Tell the side of the images that a model was trained on, in pixels.

    Its card says so, or else the config of its run; None where nobody has written it down.
    """
    return next((size for size in _sizes(folder) if size is not None), None)


def _sizes(folder: Path) -> Iterator[int | None]:
    yield _number(folder / CARD, "image_size")
    for place in (folder, folder.parent):
        yield _number(place / "config.yaml", "discriminator", "image_size")


def _number(path: Path, *keys: str) -> int | None:
    """Read one number above 0 from a file of JSON or YAML; None where it has none, or is damaged."""
    if not path.is_file():
        return None
    import yaml

    try:
        read = json.loads if path.suffix == ".json" else yaml.safe_load
        found = read(path.read_text(encoding="utf-8"))
        for key in keys:
            found = found[key]
    except Exception:  # PyYAML lets through what its constructors raise, and deep nesting ends in another
        return None
    return found if isinstance(found, int) and found > 0 else None
