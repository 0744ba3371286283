"""Tables in Markdown."""

import html
import re
from collections.abc import Iterable, Sequence

CODE = re.compile(r"`([^`]*)`")


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table with a heading; bars in cells are escaped."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return CODE.sub(_as_html, " ".join(text.split())).replace("|", "\\|")


def _as_html(found: re.Match[str]) -> str:
    """Write code with a bar as HTML: in a table, programs differ on what a bar within backticks is."""
    if "|" not in found[1]:
        return found[0]
    return f"<code>{html.escape(found[1], quote=False).replace('|', '&#124;')}</code>"


def code(text: object) -> str:
    """Set words as code; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def words(text: str) -> str:
    """Let a sentence of a help be Markdown: what could be taken for a tag or a link is none."""
    parts = text.split("`")
    return "`".join(
        part if i % 2 else part.replace("<", "&lt;").replace("*", "\\*") for i, part in enumerate(parts)
    )
