"""From what a user types as MODEL to a weights file: a folder, a run directory, or a hub id."""

import logging
import os
import re
from pathlib import Path

from swapae.errors import UserError

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
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
    path = Path(os.path.expanduser(name))  # which, unlike Path's own, leaves an unknown ~user as it is
    if path.is_file() and path.suffix == Path(filename).suffix:
        return path
    for folder in (path, path / RUN_MODEL):
        if (folder / filename).is_file():
            return folder / filename
    if (path / "config.yaml").is_file():
        raise UserError(f"the run {path} has saved no model yet; go on with its `swapae train` command.")
    if path.is_dir():
        raise UserError(
            f"{path} holds no model: there is no {filename} in it or in its folder '{RUN_MODEL}'."
        )
    if path.exists():
        raise UserError(
            f"{path} is not a model; name a folder with {filename}, or `swapae convert` a checkpoint."
        )
    is_local = path.parent != Path() and path.parent.is_dir()  # a mistyped folder: do not ask the hub for it
    if is_local or not HUB_ID.fullmatch(str(name)):
        raise UserError(
            f"there is no model '{name}'; name a folder with {filename}, a run, or a hub id user/name."
        )
    return _from_hub(str(name), filename, revision, local_files_only)


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
