"""A notebook as a page: its text, its code, and what the code printed or drew when it was run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

FENCE = "`" * 6


def as_markdown(text: str) -> str:
    """Give the Markdown of a notebook's file."""
    return "\n\n".join(part for cell in json.loads(text)["cells"] for part in _parts(cell)) + "\n"


def _parts(cell: Mapping[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"{FENCE}python\n{source}\n{FENCE}"
    for output in cell["outputs"]:
        yield from _shown(output)


def _shown(output: Mapping[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    if picture := data.get("image/jpeg"):
        yield f"![What the cell draws](data:image/jpeg;base64,{''.join(picture).replace(chr(10), '')})"
    elif printed := "".join(output.get("text", data.get("text/plain", ""))).rstrip():
        yield f"{FENCE}text\n{printed}\n{FENCE}"
