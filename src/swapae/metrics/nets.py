"""Where the weights of the measuring networks lie; nothing is ever downloaded here."""

import os
import sys
from pathlib import Path

from swapae.errors import UserError

VARIABLE = "SWAPAE_WEIGHTS"  # environment: a folder of weights files


def find_net(filename: str, weights: str | Path | None = None) -> Path:
    """Find a measuring network's weights file.

    Args:
        filename: its usual name.
        weights: the file, or a folder that holds it; without it the folder named by the environment variable
            `SWAPAE_WEIGHTS` is searched, then `cache_folder()`.

    Raises:
        UserError: the file is in none of these places; a place given by `weights` is the only one.
    """
    places = _places() if weights is None else [Path(weights).expanduser()]
    if weights is not None and places[0].is_file():
        return places[0]
    for folder in places:
        if (folder / filename).is_file():
            return folder / filename
    searched = " or ".join(str(folder) for folder in places)
    raise UserError(
        f"{filename} is not in {searched}: give the file or its folder as --weights, "
        f"or set {VARIABLE} to its folder."
    )


def cache_folder() -> Path:
    """Name the folder in which this user's networks are kept, by the habit of the system."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "swapae" / "nets"


def _places() -> list[Path]:
    named = os.environ.get(VARIABLE)
    return [*([Path(named).expanduser()] if named else []), cache_folder()]
