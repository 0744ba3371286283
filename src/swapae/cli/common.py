"""What every command takes, and the one way a command speaks."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from tyro.conf import arg

from swapae.errors import UserError
from swapae.files import shown

Report = dict[str, object]


class UsageError(UserError):
    """The command line itself is wrong: exit status 2."""


class Ended(SystemExit):
    """Another process has said all there is to say; the code is its exit status."""


Flag = Annotated[bool, arg(help_behavior_hint="")]


@dataclass(frozen=True)
class Common:
    """Options of every command."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    force: Flag = False
    """Overwrite outputs that exist."""
    json: Flag = False
    """Print one JSON object and nothing else on standard output."""
    quiet: Flag = False
    """Print nothing but what was asked for."""
    debug: Flag = False
    """Show the traceback of an error."""

    def say(self, text: str) -> None:
        """Print a line about the work."""
        if not self.quiet:
            self.show(text)

    def note(self, text: str | None) -> None:
        """Print a line about the work, where there is anything to tell."""
        if text is not None:
            self.say(text)

    def show(self, text: str) -> None:
        """Print what was asked for."""
        if not self.json:
            sys.stdout.write(harmless(text) + "\n")
            sys.stdout.flush()


@dataclass(frozen=True)
class Running(Common):
    """Options of every command that runs a model."""

    backend: Literal["torch", "compile", "onnx", "auto"] = "torch"
    """What runs the model; auto measures, once for a machine."""


def end_with(status: int, report: Report, common: Common) -> NoReturn:
    """End with an exit status when all is said, the report included, as where only some of it was done.

    Raises:
        Ended: always.
    """
    if common.json:
        sys.stdout.write(json.dumps(report, ensure_ascii=False, default=str) + "\n")
    raise Ended(status)


def harmless(text: str) -> str:
    """Escape what could steer a terminal, which the name of a file may hold; newlines stay."""
    return "\n".join(map(shown, text.split("\n")))


CommonOptions = Annotated[Common, arg(name="")]
RunningOptions = Annotated[Running, arg(name="")]
Model = Annotated[
    str,
    arg(
        aliases=["-m"],
        metavar="MODEL",
        help="Name that `swapae models` lists, folder of a model, run directory, or hub id.",
    ),
]
OutFile = Annotated[Path, arg(aliases=["-o"], metavar="OUT")]
OutFolder = Annotated[Path, arg(aliases=["-o"], metavar="DIR")]


def claim_folder(folder: Path, names: list[str], force: bool) -> None:
    """Refuse, before the work, a folder that is none or in which one of the files exists.

    Raises:
        UserError: as said.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is not a folder: name another with -o.")
    taken = [name for name in names if (folder / name).exists()]
    if taken and not force:
        raise UserError(f"{folder / taken[0]} exists already: use --force to overwrite it.")
