"""From what a user types as MODEL to a weights file: a folder, a run directory, or a hub id."""

import re
from pathlib import Path

from swapae.errors import UserError

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
RUN_MODEL = "model"  # the folder of a run directory that holds its model


def find_weights(
    name: str | Path, filename: str, *, revision: str | None = None, local_files_only: bool = False
) -> Path:
    """Find `filename` of a model.

    Args:
        name: a folder that holds it, a run directory, the file itself, or a hub id `user/name`.
        filename: name of the weights file.
        revision: branch, tag or commit, for the hub.
        local_files_only: look into the hub's cache, never download.

    Raises:
        UserError: when there is no such model.
    """
    path = Path(name).expanduser()
    if path.is_file() and path.suffix == Path(filename).suffix:
        return path
    for folder in (path, path / RUN_MODEL):
        if (folder / filename).is_file():
            return folder / filename
    if path.is_dir():
        raise UserError(f"{path} holds no model: there is no {filename} in it or in its folder '{RUN_MODEL}'.")
    if path.exists():
        raise UserError(f"{path} is not a model; name a folder with {filename}, or `swapae convert` a checkpoint.")
    if not HUB_ID.fullmatch(str(name)):
        raise UserError(f"there is no model '{name}'; name a folder with {filename}, a run, or a hub id user/name.")
    return _from_hub(str(name), filename, revision, local_files_only)


def _from_hub(name: str, filename: str, revision: str | None, local_files_only: bool) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(name, filename, revision=revision, local_files_only=local_files_only))
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"there is no folder '{name}', and the hub's model of that name is not in the cache and could not be "
            "fetched; check the name and the connection."
        ) from error
    except (EntryNotFoundError, HfHubHTTPError) as error:
        raise UserError(f"the hub has no {filename} under '{name}'; check the name and the revision.") from error
    except (OSError, ValueError) as error:
        raise UserError(f"'{name}' could not be fetched from the hub ({type(error).__name__}).") from error
