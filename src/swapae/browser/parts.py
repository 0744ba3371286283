"""The files a page is made of: its own, and of the studio's what they import."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path, PurePosixPath

OWN = Path(str(files("swapae.browser"))) / "static"
STUDIO = Path(str(files("swapae.web"))) / "static"
STYLES = ("tokens.css", "layout.css", "components.css", "stage.css", "screens.css")
STARTS = ("js/here/app.js", "js/here/worker.js")
PLAIN = ("index.html", "favicon.svg", "js/theme.js", "js/here/opening.js", "css/browser.css")

_IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}/[^"]+)\"""")


def parts() -> dict[str, Path]:
    """Find all files, by their paths in the page's folder."""
    named = [*PLAIN, *(f"css/{name}" for name in STYLES), *_reached(STARTS)]
    return {name: _source(name) for name in sorted(set(named))}


def _reached(starts: tuple[str, ...]) -> Iterator[str]:
    """Follow the imports of modules."""
    waiting, seen = list(starts), set(starts)
    while waiting:
        name = waiting.pop()
        yield name
        folder = PurePosixPath(name).parent
        for path in _IMPORT.findall(_source(name).read_text(encoding="utf-8")):
            other = _plain(folder / path)
            if other not in seen:
                seen.add(other)
                waiting.append(other)


def _plain(path: PurePosixPath) -> str:
    """Resolve `..` in a path."""
    found: list[str] = []
    for part in path.parts:
        if part == "..":
            found.pop()
        else:
            found.append(part)
    return "/".join(found)


def _source(name: str) -> Path:
    own = OWN / name
    return own if own.is_file() else STUDIO / name
