"""Notebooks as pages: their words, their code, and what came out when they were run."""

import json
from collections.abc import Iterator
from typing import Any

FENCE = "`" * 6
SEEN = ("image/png", "image/jpeg", "image/webp")


def as_page(text: str) -> str:
    """Give the Markdown of a notebook; pictures lie in the page itself."""
    return "\n\n".join(part for cell in json.loads(text)["cells"] for part in _cell(cell)) + "\n"


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"]).strip()
    if cell["cell_type"] == "markdown":
        yield source
    elif cell["cell_type"] == "code" and source:
        yield f"{FENCE}python\n{source}\n{FENCE}"
        for output in cell["outputs"]:
            yield from _output(output)


def _output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    seen = next((kind for kind in SEEN if kind in data), None)
    if seen is not None:
        encoded = "".join("".join(data[seen]).split())
        yield f"![what the code above shows](data:{seen};base64,{encoded})"
    elif words := "".join(output.get("text", data.get("text/plain", ""))).rstrip():
        yield f"{FENCE}text\n{words}\n{FENCE}"
