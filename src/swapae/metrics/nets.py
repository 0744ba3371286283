"""Where the weights of the measuring networks lie; `fetch.py` downloads them, when asked."""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from swapae.errors import UserError
from swapae.files import cache_folder
from swapae.weights import load_tensors, refuse_programs

VARIABLE = "SWAPAE_WEIGHTS"  # environment: a folder of weights files


def find_net(filenames: str | Sequence[str], weights: str | Path | None = None, net: str = "") -> Path:
    """Find a measuring network's weights file; nothing is downloaded.

    Args:
        filenames: its usual name, or several, the best first.
        weights: the file, or a folder that holds it; without it the folder named by the environment variable
            `SWAPAE_WEIGHTS` is searched, then `nets_folder()`.
        net: what `swapae metrics fetch` calls it.

    Raises:
        UserError: the file is in none of these places; a place given by `weights` is the only one.
    """
    names = [filenames] if isinstance(filenames, str) else list(filenames)
    places = _places() if weights is None else [Path(weights).expanduser()]
    if weights is not None and places[0].is_file():
        return places[0]
    for name in names:
        for folder in places:
            if (folder / name).is_file():
                return folder / name
    searched = " or ".join(str(folder) for folder in places)
    fetch = " ".join(["swapae metrics fetch", *([net] if net else [])])
    if weights is None:
        ways = f"give the file or its folder as --weights, set {VARIABLE} to its folder, or run `{fetch}`"
    else:  # where nothing that lies in the cache is taken
        ways = f"give another place as --weights, or run `{fetch} --to {places[0]}`"
    raise UserError(f"{' (or '.join(names)}{')' * (len(names) - 1)} is not in {searched}: {ways}.")


def read_net(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, or of one saved by PyTorch; no code in it is run.

    Raises:
        UserError: it is damaged, or holds something else than tensors by name.
    """
    if path.suffix == ".safetensors":
        return load_tensors(path)[0]
    refuse_programs(path, "The weights of a network are tensors only.")
    try:
        with open(path, "rb") as file:
            found = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError, KeyError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path} is damaged or not a PyTorch weights file ({why}).") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"{path} holds no tensors by name: it is not the weights of a network.")
    return {str(name): tensor for name, tensor in found.items()}


def nets_folder() -> Path:
    """Name the folder in which this user's networks are kept: `nets` in `cache_folder()`."""
    return cache_folder() / "nets"


def _places() -> list[Path]:
    named = os.environ.get(VARIABLE)
    return [*([Path(named).expanduser()] if named else []), nets_folder()]
