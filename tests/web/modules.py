"""Modules of the page in a browser, without a server: the package answers at an address that is no host's."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

HOST = "http://studio.test"
STATIC = Path(str(resources.files("swapae.web"))) / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def answer(route: "Route") -> None:
    """Answer with a file of the package, or an empty page."""
    path = STATIC / route.request.url.removeprefix(f"{HOST}/")
    if path.is_file() and path.suffix in KINDS:
        route.fulfill(body=path.read_bytes(), content_type=KINDS[path.suffix])
    else:
        route.fulfill(body="<!doctype html><title>Modules</title>", content_type="text/html")


@contextmanager
def imported(browser: "Browser", **modules: str) -> "Iterator[Page]":
    """Open a page in which modules, by their paths below `js/`, are variables of the given names."""
    page = browser.new_page()
    page.route("**/*", answer)
    page.goto(f"{HOST}/")
    for name, path in modules.items():
        page.evaluate(
            "([name, path]) => import(path).then((one) => { window[name] = one; })", [name, f"/js/{path}"]
        )
    try:
        yield page
    finally:
        page.close()
