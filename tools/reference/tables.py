"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table with a heading; bars in cells are escaped."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Set words as code; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def words(text: str) -> str:
    """Let a sentence of a help be Markdown: what could be taken for a tag or a link is none."""
    parts = text.split("`")
    return "`".join(
        part if i % 2 else part.replace("<", "&lt;").replace("*", "\\*") for i, part in enumerate(parts)
    )
