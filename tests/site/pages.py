"""What a built page holds: where its links lead, what it loads, which places of it can be linked to."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

LOADING = {  # attributes that make a browser fetch something by itself
    ("img", "src"),
    ("img", "srcset"),
    ("source", "srcset"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("script", "src"),
    ("iframe", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("use", "href"),
    ("image", "href"),
}
LOADING_LINKS = {
    "stylesheet",
    "icon",
    "preconnect",
    "preload",
    "prefetch",
    "modulepreload",
    "dns-prefetch",
    "manifest",
}


class Page(HTMLParser):
    """Links, things loaded and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.images_without_words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and LOADING_LINKS & set(given.get("rel", "").split()):
            self.loaded.append(given["href"])
        self.loaded += [given[name] for of, name in LOADING if of == tag and name in given]
        if tag == "img" and not given.get("alt"):
            self.images_without_words.append(given.get("src", ""))


@cache
def page_of(path: Path) -> Page:
    """Read a page, once."""
    return Page(path)


def broken_links(site: Path, path: Path) -> list[str]:
    """List the links and pictures of a page that lead to no file or to no place in it."""
    broken = []
    page = page_of(path)
    for link in [*page.links, *page.loaded]:
        target, _, anchor = link.partition("#")
        if ":" in target.split("/")[0]:
            continue
        file = path.resolve() if not target else (path.parent / target).resolve()
        if file.is_dir():
            file = file / "index.html"
        is_there = file.is_relative_to(site.resolve()) and file.is_file()
        has_place = not anchor or file.suffix != ".html" or (is_there and anchor in page_of(file).anchors)
        if not is_there or not has_place:
            broken.append(link)
    return broken
