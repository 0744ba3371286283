"""From what a user types as MODEL to a weights file: a folder, a run, a name in the box, or a hub id."""

import os
from pathlib import Path
from typing import Unpack

from swapae import box
from swapae.errors import UserError
from swapae.hub import HUB_ID, Download, fetch

EXPORTED = "swapae.onnx/"  # begins `swapae_onnx.folder.FORMAT`
RUN_MODEL = "model"  # the folder of a run directory that holds its model


def find_weights(name: str | Path, filename: str, **options: Unpack[Download]) -> Path:
    """Find `filename` of a model.

    A folder that holds a model, or is a run, comes before a model in the box of the same name; one that holds
    none does not. `./name` is always the folder.

    Args:
        name: a folder that holds it, a run directory, the file itself, the name of a model in the box, or a
            hub id `user/name`.
        filename: name of the weights file.
        options: of the hub: revision, cache, token, whether to ask it at all; what belongs to a model comes
            along with its weights.

    Raises:
        UserError: when there is no such model.
    """
    path = Path(os.path.expanduser(name))  # which, unlike Path's own, leaves an unknown ~user as it is
    if path.is_file() and path.suffix == Path(filename).suffix:
        return path
    for folder in (path, path / RUN_MODEL):
        if (folder / filename).is_file():
            return folder / filename
    if (path / "config.yaml").is_file():
        raise UserError(f"the run {path} has saved no model yet; go on with its `swapae train` command.")
    boxed = box.folder_of(str(name))
    if boxed is not None and (boxed / filename).is_file():
        return boxed / filename
    if path.is_dir():
        _refuse_exported(path)
        raise UserError(
            f"{path} holds no model: there is no {filename} in it or in its folder '{RUN_MODEL}'."
        )
    if path.exists():
        raise UserError(
            f"{path} is not a model; name a folder with {filename}, or `swapae convert` a checkpoint."
        )
    is_local = path.parent != Path() and path.parent.is_dir()  # a mistyped folder: do not ask the hub for it
    if is_local or not HUB_ID.fullmatch(str(name)):
        there = f"one of {', '.join(box.names())}, " if box.names() else ""
        raise UserError(
            f"there is no model '{name}'; name {there}a folder with {filename}, a run, or a hub id user/name."
        )
    return fetch(str(name), filename, box.BELONGINGS if filename == box.WEIGHTS else [], **options)


def _refuse_exported(folder: Path) -> None:
    """Say what takes a model's exported form, which has graphs in place of weights."""
    try:
        made = str(box.read_json(folder / "config.json").get("format", ""))
    except UserError:
        return
    if made.startswith(EXPORTED):
        raise UserError(
            f"{folder} is a model exported to ONNX, which swapae_onnx runs: name the model it was made of; "
            "with --backend onnx that runs under ONNX Runtime, too."
        )


def is_in_box(name: str) -> bool:
    """Whether a name means a model in the box: there is one, and neither model nor run comes before it."""
    path = Path(os.path.expanduser(name))
    before = (path / box.WEIGHTS, path / RUN_MODEL / box.WEIGHTS, path / "config.yaml")
    return box.folder_of(name) is not None and not any(map(Path.is_file, before))
