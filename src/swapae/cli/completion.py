"""`swapae completion`: a script that lets a shell complete this program's command lines."""

import sys
from collections.abc import Callable
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Report

Shell = Literal["bash", "zsh", "fish"]
Commands = dict[str, Callable[..., Report]]

HEAD = """\
# Completion of swapae {version} for {shell}, made by: swapae completion {shell}
# It holds all there is to complete: nothing else starts while you type. After an update, make it anew.
"""


def completion_of(commands: Callable[[], Commands]) -> Callable[..., Report]:
    """Make the command that completes all commands, of which it is one itself."""

    def completion(
        shell: Annotated[Positional[Shell], arg(metavar="{bash,zsh,fish}")],
        *,
        common: CommonOptions,
    ) -> Report:
        """Print a script by which a shell completes commands, options and files.

        It knows choices, models in the box and presets as well.
        Where it goes: for bash ~/.local/share/bash-completion/completions/swapae, for zsh a file _swapae in a
        folder of $fpath, for fish ~/.config/fish/completions/swapae.fish.

        Args:
            shell: The shell.
        """
        script = script_for(shell, commands())
        if not common.json:
            sys.stdout.write(script)
        return {"shell": shell, "script": script}

    return completion


def script_for(shell: Shell, commands: Commands) -> str:
    """Write the script for a shell."""
    from swapae import __version__, box
    from swapae.cli.completable import lines
    from swapae.cli.shells import SCRIPTS
    from swapae.presets import PRESETS

    found = lines(commands, box.names(), list(PRESETS))
    opening = "#compdef swapae\n" if shell == "zsh" else ""  # which zsh looks for in the first line alone
    return opening + HEAD.format(version=__version__, shell=shell) + SCRIPTS[shell](found)
