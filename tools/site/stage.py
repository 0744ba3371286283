"""Lay out what the site is made of: the pages of docs/, those of the project, and every file they link to."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tools.site import notebooks
from tools.site.links import rewritten
from tools.site.places import MODELS, NOTEBOOK, PICTURES, PROJECT_PAGES, ROOT, is_page, place_of

HERE = Path(__file__).parent
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".json": "json",
    ".sh": "sh",
    ".js": "js",
}
OFF_NAV = ("source/", "adr/", "models/")  # reached from pages that are in it
SOURCE = """---
title: {path}
search:
  exclude: true
---
# `{path}`

{fence}{language}
{text}
{fence}
"""


def stage(folder: Path) -> Path:
    """Write pages and configuration below `folder`; give the configuration, whose site will be beside it."""
    pages = folder / "pages"
    shutil.copytree(HERE / "theme", folder / "theme")
    waiting, done = set(first_files()), set()
    while waiting:
        file = waiting.pop()
        done.add(file)
        waiting |= lay_out(file, pages) - done
    for assets in ("stylesheets", "scripts"):
        shutil.copytree(HERE / "theme" / assets, pages / assets)
    settings = yaml.safe_load((HERE / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = with_the_rest(settings["nav"], pages)
    settings |= {"docs_dir": "pages", "site_dir": "site"}
    settings["theme"]["custom_dir"] = "theme"
    config = folder / "mkdocs.yml"
    config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


def first_files() -> Iterator[PurePosixPath]:
    """All that is on the site whether or not something links to it."""
    yield from (PurePosixPath(name) for name in PROJECT_PAGES if (ROOT / name).exists())
    for folder in (PurePosixPath("docs"), MODELS):
        kinds = {".md", NOTEBOOK, *(PICTURES if folder.name == "docs" else ())}
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in kinds:
                yield PurePosixPath(path.relative_to(ROOT).as_posix())
    yield PurePosixPath("docs/adr")


def lay_out(file: PurePosixPath, pages: Path) -> set[PurePosixPath]:
    """Write one file's page, or copy the picture; give the files it links to."""
    path, place = ROOT / file, pages / place_of(file)
    if not path.exists():
        sys.exit(f"a page links to {file}, which is not there.")
    if str(file) == "README.md":  # the site has its own first page
        return set()
    place.parent.mkdir(parents=True, exist_ok=True)
    met: set[PurePosixPath] = set()
    if path.is_dir():
        text, met = rewritten(listing(file), file / "index.md")
        place.write_text(text, encoding="utf-8")
    elif is_page(file):
        text, met = rewritten(path.read_text(encoding="utf-8"), file)
        place.write_text(text, encoding="utf-8")
    elif file.suffix == NOTEBOOK:
        text, met = rewritten(notebooks.as_page(path.read_text(encoding="utf-8")), file)
        place.write_text(text, encoding="utf-8")
    elif file.suffix in PICTURES or file.parts[0] == "docs":
        shutil.copyfile(path, place)
    else:
        place.write_text(as_source(file, path.read_text(encoding="utf-8")), encoding="utf-8")
    return met


def listing(folder: PurePosixPath) -> str:
    """Make the page of a folder: its Markdown files by their first lines, or all its files."""
    names = sorted(
        path.name for path in (ROOT / folder).iterdir() if path.is_file() and path.name != "index.md"
    )
    shown = [name for name in names if name.endswith(".md")] or names
    heading = "Decisions" if folder.name == "adr" else f"`{folder}`"
    return (
        f"# {heading}\n\n" + "\n".join(f"- [{_title(ROOT / folder / name)}]({name})" for name in shown) + "\n"
    )


def _title(path: Path) -> str:
    if path.suffix != ".md":
        return path.name
    return path.read_text(encoding="utf-8").lstrip().splitlines()[0].lstrip("# ")


def as_source(file: PurePosixPath, text: str) -> str:
    """Make the page that shows a file of the repository."""
    fence = "`" * 8
    return SOURCE.format(
        path=file, fence=fence, language=LANGUAGES.get(file.suffix, "text"), text=text.rstrip()
    )


def with_the_rest(nav: list[dict[str, Any]], pages: Path) -> list[dict[str, Any]]:
    """Give the navigation with the pages that it does not name at its end.

    Raises:
        SystemExit: it names a page that is not there.
    """
    named = {place for entry in nav for place in _places(entry)}
    if missing := sorted(place for place in named if not (pages / place).exists()):
        sys.exit(f"the navigation in tools/site/mkdocs.yml names {', '.join(missing)}, which is not there.")
    rest = [path.relative_to(pages).as_posix() for path in sorted(pages.rglob("*.md"))]
    unnamed = [place for place in rest if place not in named and not place.startswith(OFF_NAV)]
    return [*nav, {"More": unnamed}] if unnamed else nav


def _places(entry: Mapping[str, Any]) -> Iterator[str]:
    for target in entry.values():
        if isinstance(target, str):
            yield target
        else:
            for one in target:
                yield from _places(one)
