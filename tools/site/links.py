"""Links of a page, found outside of code and rewritten for the page's place on the site."""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from tools.site.places import place_of

FENCE = re.compile(r"^\s*(```+|~~~+)")
# A code span, which is left alone, or the target of a link or picture.
TARGET = re.compile(
    r"(?P<code>`+[^`]*`+)|(?P<open>\]\()(?P<to>[^)\s]+)(?=[)\s])|(?P<tag>(?:src|href)=\")(?P<of>[^\"]+)"
)
OUTSIDE = re.compile(r"^(?:[a-z][a-z+.-]*:|#|//)")


def rewritten(text: str, page: PurePosixPath) -> tuple[str, set[PurePosixPath]]:
    """Give a page with its links as they are on the site, and the files they lead to.

    Args:
        text: Markdown.
        page: where it lies in the repository.
    """
    met: set[PurePosixPath] = set()

    def at_site(target: str) -> str:
        if OUTSIDE.match(target):
            return target
        path, mark, anchor = target.partition("#")
        file = PurePosixPath(posixpath.normpath(page.parent / path))
        met.add(file)
        return posixpath.relpath(place_of(file), place_of(page).parent) + mark + anchor

    return "".join(_lines(text, at_site)), met


def _lines(text: str, at_site: Callable[[str], str]) -> Iterator[str]:
    fence = ""
    for line in text.splitlines(keepends=True):
        marks = FENCE.match(line)
        if marks and (not fence or marks[1].startswith(fence)):
            fence = "" if fence else marks[1]
        yield line if fence or marks else TARGET.sub(lambda found: _replaced(found, at_site), line)


def _replaced(found: re.Match[str], at_site: Callable[[str], str]) -> str:
    if found["code"]:
        return found["code"]
    start, target = (found["open"], found["to"]) if found["open"] else (found["tag"], found["of"])
    return start + at_site(target)
