"""`python -m tools.reference`: write docs/reference anew. A test fails where it is not what the code says."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.reference import commands, config, python_api

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
NOTES = re.compile(r" \((?:model-spec|paper) [^)]*\)")  # sources that docstrings name for those who read code
PAGES: dict[str, Callable[[], str]] = {
    **{name: partial(python_api.page, name) for name in python_api.PAGES},
    "commands.md": commands.page,
    "config.md": config.config_page,
    "presets.md": config.presets_page,
}


def text_of(name: str) -> str:
    """Make a page: what the code says now, without blanks at the ends of lines."""
    text = NOTES.sub("", PAGES[name]())
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(line for i, line in enumerate(lines) if line or (i and lines[i - 1])) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(text_of(name), encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
