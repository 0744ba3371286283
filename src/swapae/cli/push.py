"""`swapae push`: a model to the hub, with its card and all that belongs to it."""

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Flag, Report

MESSAGE = "Model and card"


def push(
    model: Annotated[Positional[str], arg(metavar="MODEL")],
    name: Annotated[Positional[str], arg(metavar="NAME")],
    *,
    private: Flag = False,
    branch: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: main)")] = None,
    message: Annotated[str, arg(metavar="WORDS")] = MESSAGE,
    pull_request: Flag = False,
    no_picture: Flag = False,
    dry_run: Flag = False,
    common: CommonOptions,
) -> Report:
    """Upload a model to the hub, with its card and all that belongs to it.

    Weights, config, card, picture, gallery and directions go in one commit.

    Args:
        model: Name that `swapae models` lists, folder of a model, or run directory.
        name: Of the repository, user/name; it is made if need be.
        private: Let nobody else see the repository, if it is a new one.
        branch: Branch to commit to.
        message: Of the commit.
        pull_request: Propose the commit instead of making it.
        no_picture: Leave the picture here: that of a run shows images of its training.
        dry_run: Print the files and the card that would go; send nothing.
    """
    from swapae import hub
    from swapae.cli.card import gathered, picture_beside, places

    hub.check_name(name)
    folder, run = places(model)  # before torch comes: what is not there is said at once
    from swapae import sharing

    draw = None if no_picture else lambda ready: picture_beside(folder, run, ready)
    known = gathered(folder, run)
    with sharing.made_ready(folder, name, known, draw, has_picture=not no_picture) as ready:
        files = {file: (ready / file).stat().st_size for file in _files(ready)}
        for file, size in files.items():
            common.say(f"{size:>12,}  {file}")
        if dry_run:
            common.say(f"\n{(ready / 'README.md').read_text(encoding='utf-8')}")
            common.say("nothing was sent")
            return {"files": files, "url": None}
        with hub.progress(is_shown=not common.quiet and sys.stderr.isatty()):
            url = hub.push(
                ready,
                name,
                private=private or None,
                branch=branch,
                commit_message=message,
                create_pr=pull_request,
            )
    common.say(f"pushed to {url}")
    return {"files": files, "url": url}


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
