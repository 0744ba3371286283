"""A page as `swapae export --web` writes it, behind a plain server of files, opened in Chromium."""

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from swapae.cli.main import main

PATIENCE = 120_000  # ms, on a machine that is busy with other things
PREFIX = "some/where"  # the page is not at the top of its server


@dataclass
class Served:
    """A running server of files, and the lines it would have logged."""

    url: str
    log: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of `synthetic64`."""
    folder = tmp_path_factory.mktemp("served") / PREFIX
    assert main(["export", "synthetic64", "--web", str(folder), "--device", "cpu", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="session")
def served(page_folder: Path) -> Iterator[Served]:
    """The folder above the page, served as `python -m http.server` does."""
    lines: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            lines.append(format % arguments)

    root = page_folder.parents[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Served(f"http://127.0.0.1:{server.server_port}/{PREFIX}/", lines)
        server.shutdown()


class Visit:
    """A page that was opened, and what tests ask of it."""

    SETTLED = """() => globalThis.swapae?.live.frame && !swapae.live.isWorking && swapae.live.frame.isFull
        && swapae.live.frame.recipe === swapae.state.get().recipe"""

    def __init__(
        self, browser: Any, url: str, routes: Mapping[str, Any] | None = None, **context: Any
    ) -> None:
        self.context = browser.new_context(accept_downloads=True, **context)
        self.page = page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.allowed: list[str] = []  # parts of what the console may say
        self.answers: list[Any] = []
        page.on("filechooser", lambda chooser: None)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", lambda answer: self.answers.append(answer))
        page.on("console", lambda said: said.type == "error" and self.said.append(said.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        for pattern, answer in (routes or {}).items():
            page.route(pattern, answer)
        page.goto(url)

    def settle(self) -> None:
        """Wait until the picture on screen is that of the recipe."""
        self.page.wait_for_function(self.SETTLED)

    def floats(self) -> Any:
        """The picture of the recipe before it is rounded, float32 [3, H, W]."""
        import numpy as np

        self.settle()
        ask = """async () => {
            const {planes, size} = await swapae.api.floats(swapae.state.get().recipe);
            let text = '';
            for (const byte of new Uint8Array(planes.buffer)) text += String.fromCharCode(byte);
            return {data: btoa(text), size};
        }"""
        found = self.page.evaluate(ask)
        import base64

        return np.frombuffer(base64.b64decode(found["data"]), "<f4").reshape(3, *found["size"])

    def saved(self) -> Any:
        """The picture that the button saves."""
        from PIL import Image

        with self.page.expect_download() as download:
            self.page.click(".save")
        return Image.open(download.value.path())

    def close(self) -> None:
        self.context.close()


@pytest.fixture(scope="session")
def visit(browser: Any, served: Served) -> Iterator[Callable[..., Visit]]:
    """A maker of visits, `visit(viewport=…)`; no page may ask another host, nor complain in its console."""
    visits: list[Visit] = []

    def make(query: str = "", **context: Any) -> Visit:
        visits.append(Visit(browser, served.url + query, **context))
        return visits[-1]

    yield make
    for one in visits:
        one.close()
        others = [url for url in one.asked if not url.startswith((served.url, "blob:", "data:"))]
        assert others == []
        assert [said for said in one.said if not any(part in said for part in one.allowed)] == []


@pytest.fixture(scope="session")
def opened(visit: Callable[..., Visit]) -> Visit:
    """One page that tests share, with the first picture on screen; each leaves Swap open."""
    one = visit(viewport={"width": 1440, "height": 900})
    one.settle()
    return one


@pytest.fixture(scope="session")
def model() -> Any:
    """The model of the page, by PyTorch."""
    from swapae import SwappingAutoencoder

    return SwappingAutoencoder.from_pretrained("synthetic64", device="cpu")
