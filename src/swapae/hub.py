"""Models on the hub, by the conventions of huggingface_hub's `PyTorchModelHubMixin`: its options, its cache.

The mixin itself is not inherited: it would import the hub's client with the model, read a config by its own
rules instead of `config.py`'s, and overwrite without being asked. Nothing here is called unless a hub id is
named, and whatever the hub's client raises becomes one sentence.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

from swapae.errors import UserError
from swapae.files import shown

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
LOGIN = "run `hf auth login`, or set HF_TOKEN"
COMMIT = re.compile(r"[0-9a-f]{40}")


class Download(TypedDict, total=False):
    """How to fetch.

    - revision: branch, tag or commit; "main" where none is given.
    - cache_dir: folder of the cache; that of huggingface_hub where none is given.
    - token: for the hub; that of `hf auth login` where none is given; False for none.
    - local_files_only: never ask the hub, look into the cache.
    - force_download: fetch again what is in the cache.
    """

    revision: str | None
    cache_dir: str | Path | None
    token: str | bool | None
    local_files_only: bool
    force_download: bool


class Push(TypedDict, total=False):
    """How to upload.

    - private: whether a new repository is seen by its owner alone; the owner's default where None is given.
    - token: for the hub; that of `hf auth login` where none is given.
    - branch: to commit to, made if need be; "main" where none is given.
    - commit_message: of the one commit.
    - create_pr: propose the commit as a pull request.
    - allow_patterns, ignore_patterns: which of the files go; all where none is given.
    - delete_patterns: files on the hub to delete in the same commit.
    """

    private: bool | None
    token: str | bool | None
    branch: str | None
    commit_message: str
    create_pr: bool | None
    allow_patterns: list[str] | str | None
    ignore_patterns: list[str] | str | None
    delete_patterns: list[str] | str | None


class Commit(NamedTuple):
    """A repository and one of its commits."""

    repo: str
    revision: str


def fetch(name: str, filename: str, beside: list[str], **options: Unpack[Download]) -> Path:
    """Fetch a file of a repository into the cache, and what is there of the files that belong to it.

    Args:
        name: of the repository, `user/name`.
        filename: to fetch.
        beside: patterns of other files of the same commit; a model can do without them.
        options: as `Download` has them.

    Raises:
        UserError: it is not there, or could not be fetched.
    """
    from huggingface_hub import hf_hub_download

    with _in_one_sentence(name, filename, options.get("revision")):
        _ask_once(name, filename, options)
        path = Path(hf_hub_download(name, filename, **options))
    if beside and (commit := commit_of(path)) is not None:
        _fetch_beside(commit, beside, options)
    return path


def _ask_once(name: str, filename: str, options: Download) -> None:
    """Ask the hub for what is not in the cache: its client tries for half a minute before it gives up.

    Raises:
        UserError: nobody answers.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    revision, cache = options.get("revision"), options.get("cache_dir")
    known = try_to_load_from_cache(name, filename, cache_dir=cache, revision=revision)
    if options.get("local_files_only") or isinstance(known, str):
        return
    try:
        get_hf_file_metadata(hf_hub_url(name, filename, revision=revision), token=options.get("token"))
    except (HfHubHTTPError, OfflineModeIsEnabled):  # an answer, of which the client knows more to say
        return
    except Exception as error:  # of the transport
        raise UserError(_unreachable(name, revision)) from error


def _fetch_beside(commit: Commit, patterns: list[str], options: Download) -> None:
    """Fetch what lies beside a file; whatever is in the way, the file has come already."""
    from huggingface_hub import snapshot_download

    at = {**options, "revision": commit.revision}
    with _quiet(), progress(is_shown=False):
        try:
            snapshot_download(commit.repo, allow_patterns=patterns, **at)  # type: ignore[call-overload]
        except Exception:  # the hub's client passes on whatever its transport raises
            return


def commit_of(path: Path) -> Commit | None:
    """Tell the repository and the commit that a file in the hub's cache is of; None for any other file."""
    for commit in path.parents:
        if commit.parent.name == "snapshots" and COMMIT.fullmatch(commit.name):
            kind, *name = commit.parent.parent.name.split("--")
            if kind == "models" and name:
                return Commit("/".join(name), commit.name)
    return None


def push(folder: Path, name: str, **options: Unpack[Push]) -> str:
    """Upload all files of a folder in one commit; the repository is made if need be.

    Args:
        folder: whose files go.
        name: of the repository, `user/name`; without a user, of the one who is logged in.
        options: as `Push` has them.

    Returns:
        the address of the commit, or of the pull request.

    Raises:
        UserError: there is no login or no right, the name will not do, or the network failed; a commit is
            made whole or not at all.
    """
    from huggingface_hub import HfApi

    check_name(name)
    api = HfApi(token=options.get("token"))
    branch, is_proposal = options.get("branch"), bool(options.get("create_pr"))
    with _in_one_sentence(name, "", branch, "pushed to"):
        repo = api.create_repo(name, private=options.get("private"), exist_ok=True).repo_id
        if branch is not None and not is_proposal:
            api.create_branch(repo, branch=branch, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            revision=branch,
            create_pr=is_proposal,
            commit_message=options.get("commit_message"),
            allow_patterns=options.get("allow_patterns"),
            ignore_patterns=options.get("ignore_patterns"),
            delete_patterns=options.get("delete_patterns"),
        )
        return str(done.pr_url or done.commit_url)


@contextmanager
def progress(*, is_shown: bool) -> Iterator[None]:
    """Let the hub's client show its bars, or not; what is said after one that was cut off begins a line."""
    from huggingface_hub import utils

    was_off = utils.are_progress_bars_disabled()  # type: ignore[attr-defined]
    if not is_shown:
        utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    except UserError:
        if is_shown:
            sys.stderr.write("\n")
        raise
    finally:
        if not was_off:
            utils.enable_progress_bars()  # type: ignore[attr-defined]


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a repository, before anything is done for it.

    Raises:
        UserError: with what is wrong.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        rule = "letters, digits, '-', '_' and '.', as in user/name"
        raise UserError(
            f"'{shown(name)}' cannot be the name of a model on the hub: it takes {rule}."
        ) from error


# ── words for what goes wrong ────────────────────────────────────────────────────────────────────


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the client's warnings: those about retries would hide the one sentence."""
    from huggingface_hub import logging as hub_logging

    verbosity = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        hub_logging.set_verbosity(verbosity)


@contextmanager
def _in_one_sentence(
    name: str, filename: str, revision: str | None, doing: str = "fetched from"
) -> Iterator[None]:
    """Turn whatever the hub's client raises into a sentence."""
    with _quiet():
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            cause = (
                error.__cause__ if type(error) is RuntimeError else None
            )  # of an upload, in a thread of its own
            found = cause if isinstance(cause, Exception) else error
            raise UserError(_sentence(found, name, filename, revision, doing)) from error


def _unreachable(name: str, revision: str | None) -> str:
    where = f" at revision '{revision}'" if revision else ""
    return (
        f"there is no folder '{name}', and no model of that name{where} in the hub's cache, nor could it be "
        "fetched; check the name and the connection."
    )


def _sentence(error: Exception, name: str, filename: str, revision: str | None, doing: str) -> str:
    from huggingface_hub import errors

    where = f" at revision '{revision}'" if revision else ""
    status = getattr(getattr(error, "response", None), "status_code", None)
    is_push = not filename
    if isinstance(error, errors.LocalEntryNotFoundError):
        return _unreachable(name, revision)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"'{name}' cannot be {doing} the hub, for HF_HUB_OFFLINE is set; unset it to do so."
    if isinstance(error, errors.LocalTokenNotFoundError) or (status == 401 and is_push):
        return f"'{name}' cannot be {doing} the hub without a login; {LOGIN}."
    if isinstance(error, errors.GatedRepoError):
        return f"'{name}' asks for a login; {LOGIN}, and accept its terms on its page."
    if status == 403:
        return f"your login has no right to this ('{name}'); check the name, and that the token may write."
    if isinstance(
        error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError | errors.EntryNotFoundError
    ):
        what = f"no {filename} under '{name}'" if filename else f"no '{name}'"
        return f"the hub has {what}{where}; check the name, or {LOGIN} if it is private."
    reason = shown(next(iter(str(error).splitlines()), ""))
    whole = " Nothing was committed." if is_push else ""
    return f"'{name}' could not be {doing} the hub ({type(error).__name__}: {reason}).{whole}"
