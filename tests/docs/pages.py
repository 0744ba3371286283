"""What stands in the pages: their code blocks, and the commands in these."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELLS = ("", "sh", "bash", "shell", "console")
ENDS = ("|", ";", "&&", "||", "&", ">", ">>", "2>")


@dataclass(frozen=True)
class Block:
    """A code block: the page (from the root), the number of its first line, its language, its lines."""

    page: str
    start: int
    language: str
    lines: list[str]

    @property
    def code(self) -> str:
        return "\n".join(self.lines) + "\n"


@dataclass
class Command:
    """A line of a shell block, with the lines that continue it, and of a console what it is to print."""

    page: str
    line: int
    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page. What stands behind the language on a fence counts for nothing."""
    name = page.relative_to(ROOT).as_posix()
    start, language, inside = 0, "", []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = line.strip()
        if start and fence == "```":
            yield Block(name, start, language, inside)
            start = 0
        elif start:
            inside.append(line)
        elif fence.startswith("```"):
            words = fence.removeprefix("```").split()
            start, language, inside = number + 1, words[0] if words else "", []


def commands(block: Block) -> Iterator[Command]:
    """The commands of a shell block. In a `console` they stand behind `$`, and what follows is printed."""
    if block.language == "console":
        yield from _session(block)
        return
    text, first = "", block.start
    for number, line in enumerate(block.lines, block.start):
        first = number if not text else first
        text += line.removesuffix("\\") + " " if line.endswith("\\") else line
        if line.endswith("\\"):
            continue
        if text.strip() and not text.lstrip().startswith("#"):
            yield Command(block.page, first, text.strip())
        text = ""


def _session(block: Block) -> Iterator[Command]:
    command, is_open = None, False
    for number, line in enumerate(block.lines, block.start):
        if line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(block.page, number, line.removeprefix("$ ").removesuffix("\\"))
        elif command is not None and is_open:
            command.text += line.removesuffix("\\")
        elif command is not None:
            command.shown.append(line)
        is_open = line.endswith("\\") and (is_open or line.startswith("$ "))
    if command is not None:
        yield command


def is_script(block: Block) -> bool:
    """Whether a shell block is a file for another program, as a scheduler, not something to be typed in."""
    return bool(block.lines) and block.lines[0].startswith("#!")


def program_words(text: str) -> list[str] | None:
    """The words of a call of this program, after variables or a launcher; None if it is none."""
    found = re.search(r"(?:^|\s)(?:-m )?swapae\s+(?=[a-z-])(.*)", text)
    return words_of(found[1]) if found else None


def words_of(line: str) -> list[str]:
    """The words of a command before a comment, a pipe, a redirection or the next command."""
    words = shlex.split(line, comments=True)
    ends = [words.index(word) for word in ENDS if word in words]
    return words[: min(ends, default=len(words))]
