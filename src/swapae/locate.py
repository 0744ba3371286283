"""From what a user types as MODEL to a weights file: a folder, a run, a name in the box, or a hub id."""

import logging
import os
import re
from pathlib import Path

from swapae import box
from swapae.errors import UserError

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
EXPORTED = "swapae.onnx/"  # begins `swapae_onnx.folder.FORMAT`
RUN_MODEL = "model"  # the folder of a run directory that holds its model


def find_weights(
    name: str | Path, filename: str, *, revision: str | None = None, local_files_only: bool = False
) -> Path:
    """Find `filename` of a model.

    A folder that holds a model, or is a run, comes before a model in the box of the same name; one that holds
    none does not. `./name` is always the folder.

    Args:
        name: a folder that holds it, a run directory, the file itself, the name of a model in the box, or a
            hub id `user/name`.
        filename: name of the weights file.
        revision: branch, tag or commit, for the hub.
        local_files_only: look into the hub's cache, never download.

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
    return _from_hub(str(name), filename, revision, local_files_only)


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


def _from_hub(name: str, filename: str, revision: str | None, local_files_only: bool) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub import logging as hub_logging
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    verbosity = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)  # its warnings about retries would hide the one sentence
    try:
        return Path(hf_hub_download(name, filename, revision=revision, local_files_only=local_files_only))
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"there is no folder '{name}', and no model of that name in the hub's cache, nor could it be "
            "fetched; check the name and the connection."
        ) from error
    except GatedRepoError as error:
        raise UserError(f"'{name}' asks for a login; run `hf auth login` and accept its terms.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError) as error:
        where = f" at revision '{revision}'" if revision else ""
        raise UserError(f"the hub has no {filename} under '{name}'{where}; check the name.") from error
    except Exception as error:  # the hub's client passes on whatever its transport raises
        reason = next(iter(str(error).splitlines()), "")
        raise UserError(
            f"'{name}' could not be fetched from the hub ({type(error).__name__}: {reason})."
        ) from error
    finally:
        hub_logging.set_verbosity(verbosity)
