"""What lies in a folder that `swapae export --onnx` wrote: its config, read and checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swapae_onnx.errors import UserError
from swapae_onnx.files import reason, shown

FORMAT = "swapae.onnx/1"
CONFIG = "config.json"
LARGEST = 2**14  # of any number: more is no model, and would ask for all the memory there is
GRAPHS = ("encoder", "generator", "noisy_generator")


@dataclass(frozen=True)
class Folder:
    """An exported model: where its graphs are, and what their inputs must be.

    Attributes:
        files: of each of `GRAPHS`.
        config: all that `config.json` says.
        stride: pixels of an image per place of the structure code.
        min_side: shortest side, in pixels, that the encoder takes.
        structure_channels: channels of the structure code.
        texture_channels: length of the texture code.
        noise: of each noise map, in layer order, how many times the structure code's sides its own are.
    """

    files: Mapping[str, Path]
    config: Mapping[str, Any]
    stride: int
    min_side: int
    structure_channels: int
    texture_channels: int
    noise: tuple[int, ...]


def read_folder(path: str | Path) -> Folder:
    """Read the config of a folder, and hold every graph against its SHA-256.

    Raises:
        UserError: the folder or a file is missing, damaged, or of a format this version does not know.
    """
    place = Path(os.path.expanduser(path))
    config = _config_of(place)
    try:
        folder = _described(place, config)
        sums = {name: str(config[name]["sha256"]) for name in GRAPHS}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"{type(error).__name__}: {shown(error)}"
        raise UserError(f"{shown(place / CONFIG)} is damaged ({why}); export the model again.") from None
    for name, file in folder.files.items():
        _check_sum(file, sums[name])
    return folder


def _config_of(place: Path) -> Mapping[str, Any]:
    if not place.is_dir():
        raise UserError(f"there is no folder {shown(place)}; `swapae export MODEL --onnx DIR` writes one.")
    if not (place / CONFIG).is_file():
        raise UserError(
            f"{shown(place)} holds no exported model: there is no {CONFIG} in it; "
            "`swapae export MODEL --onnx DIR` writes one."
        )
    try:
        config = json.loads((place / CONFIG).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{shown(place / CONFIG)} cannot be read ({reason(error)}).") from None
    except (ValueError, RecursionError):
        raise UserError(f"{shown(place / CONFIG)} is damaged; export the model again.") from None
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        says = f"says {shown(json.dumps(found))[:60]}" if found is not None else "names no format"
        raise UserError(
            f"{shown(place)} is no exported model of the format {FORMAT}: its {CONFIG} {says}; "
            "export it with this version of swapae."
        )
    return config  # type: ignore[no-any-return]


def _described(place: Path, config: Mapping[str, Any]) -> Folder:
    model = config["model"]
    numbers = config["stride"], config["min_side"], model["structure_channels"], model["texture_channels"]
    noise = tuple(config["noise"])
    for number in (*numbers, *noise):
        if type(number) is not int or not 1 <= number <= LARGEST:
            raise ValueError(f"{number!r} is not a number from 1 to {LARGEST}")
    names = {name: config[name]["file"] for name in GRAPHS}
    for name in names.values():
        if not isinstance(name, str) or name != os.path.basename(name) or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is not the name of a file")
    files = {key: place / name for key, name in names.items()}
    return Folder(files, config, *numbers, noise)


def _check_sum(file: Path, expected: str) -> None:
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(f"{shown(file)} is missing; export the model again.") from None
    except OSError as error:
        raise UserError(f"{shown(file)} cannot be read ({reason(error)}).") from None
    if found != expected:
        raise UserError(
            f"{shown(file)} is damaged or of another export: its SHA-256 is {found[:12]}…, "
            f"{CONFIG} says {shown(expected)[:12]}…; export the model again."
        )
