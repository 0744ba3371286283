"""`--gpus N`: the same command once more, in several processes of this machine."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

from tyro.conf import arg

from swapae.cli.common import Ended, UsageError

Processes = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]


def check_processes(gpus: int | None) -> None:
    """Refuse a number of processes that is none; of several that are here, let only the first speak.

    Raises:
        UsageError: as said.
    """
    if gpus is not None and gpus < 1:
        raise UsageError(f"--gpus must be at least 1, not {gpus}.")
    from swapae.training.group import is_first_process

    if not is_first_process():
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_in_all(command: Sequence[str], gpus: int, advice: str) -> NoReturn:
    """Run a command of this program in several processes, to their end.

    Args:
        command: its name and its options.
        gpus: how many processes.
        advice: what helps when one was killed.

    Raises:
        Ended: they have said all, and these are to end as the first of them did.
        UserError: one was killed.
    """
    from swapae.training.launch import launch

    raise Ended(launch(["-m", "swapae", *without_gpus(command)], gpus, advice))


def without_gpus(arguments: Sequence[str]) -> list[str]:
    """Drop the option that the process that starts the others has dealt with."""
    left: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--gpus":
            next(words, None)
        elif not word.startswith("--gpus="):
            left.append(word)
    return left
