"""The models in the box: small trained ones that come with the package, each a folder found by its name."""

import json
from pathlib import Path
from typing import Any

from swapae.errors import UserError

FOLDER = Path(__file__).with_name("models")
WEIGHTS, CARD, CARD_PAGE, GALLERY = "model.safetensors", "card.json", "README.md", "gallery"
DIRECTIONS = "directions.safetensors"  # those that a model, also one outside the box, brings along


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
