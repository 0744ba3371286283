"""docs/reference/commands.md: what `--help` says of every command, which imports no torch."""

import contextlib
import io
import os
import re
from collections.abc import Iterator
from unittest import mock

from tools.reference.tables import code, table, words

HEAD = """# Commands

Made of the program's own help by `python -m tools.reference`: `swapae COMMAND --help` says the same.

Exit status: 0, done · 1, something you can put right, in one sentence · 2, the command line is wrong · 130,
interrupted. Outputs appear whole or not at all.
"""
EVERY = ("--device", "--force", "--json", "--quiet", "--debug", "--backend", "--help")
BOXES = str.maketrans("│╭╮╰╯─", "      ")
WIDE = {"COLUMNS": "1000", "NO_COLOR": "1", "PYTHON_TYRO_ANSI_CODES": "False"}


def page() -> str:
    """Write the page."""
    from swapae.cli.commands import COMMANDS
    from swapae.cli.main import summary

    helps = {name: help_of(name) for name in COMMANDS}
    every = {row[0]: row[1] for text in helps.values() for row in rows(text) if is_for_every(row[0])}
    parts = [
        HEAD,
        table(["command", ""], ([f"[`{n}`](#{anchor(n)})", words(summary(c))] for n, c in COMMANDS.items())),
    ]
    parts += ["## Options of every command\n\n`--backend` is of those that run a model.\n"]
    parts += [table(["option", "meaning"], ([code(name), words(text)] for name, text in every.items()))]
    return "\n".join([*parts, *(section(name, text) for name, text in helps.items())])


def anchor(name: str) -> str:
    return f"swapae-{name.replace(' ', '-')}"


def section(name: str, text: str) -> str:
    """Write what is said of one command."""
    usage, _, rest = text.partition("\n")
    said = re.split(r"╭| positional arguments | options ", rest)[0].strip()
    own = [[code(n), words(about)] for n, about in rows(text) if not is_for_every(n)]
    options = table(["argument", "meaning"], own) if own else "It has no options of its own.\n"
    return f"## swapae {name}\n\n```text\n{usage}\n```\n\n{_paragraphs(said)}\n\n{options}"


def _paragraphs(said: str) -> str:
    return "\n\n".join(words(" ".join(part.split())) for part in said.split("\n\n"))


def is_for_every(declaration: str) -> bool:
    return any(option in declaration.split() for option in EVERY)


def help_of(name: str) -> str:
    """Capture `swapae NAME --help`, on lines that need no breaking."""
    from swapae.cli.main import main

    said = io.StringIO()
    with mock.patch.dict(os.environ, WIDE), contextlib.redirect_stdout(said):
        main([*name.split(), "--help"])
    return said.getvalue()


def rows(text: str) -> Iterator[tuple[str, str]]:
    """Give declaration and explanation of each argument in a help, with or without drawn boxes."""
    waiting = ""
    for line in text.translate(BOXES).splitlines():
        held = re.fullmatch(r"  (\S.*?)(?:  +(\S.*?))?\s*", line)
        if held and held[2]:
            yield held[1], held[2]
        elif held:
            waiting = held[1]
        elif waiting and line.startswith("     ") and line.strip():
            yield waiting, line.strip()
            waiting = ""
