"""What the tests of the studio share: the real one, started once, and its page in Chromium."""

import contextlib
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.web.looks import PATIENCE
from tests.web.servers import Running, running

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
START = 300.0  # seconds


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose runs the studio shows, empty at first."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def studio_url(runs_folder: Path) -> Iterator[str]:
    """The address of `swapae studio` with a model in the box, as a user starts it."""
    command = [sys.executable, "-m", "swapae", "studio", "-m", "synthetic64", "--port", "0", "--no-browser"]
    command += ["--runs", str(runs_folder)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    assert running.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(iter(running.stdout.readline, "")), daemon=True)  # type: ignore[union-attr]
    reader.start()
    try:
        yield _address(running, lines)
    finally:
        running.terminate()
        code = running.wait(PATIENCE)
        reader.join(5)
        running.stdout.close()
    assert code == 0, "".join(lines)


def _address(running: subprocess.Popen[str], lines: list[str]) -> str:
    """Wait until the studio has said where it is, and takes work."""
    end = time.monotonic() + START
    while time.monotonic() < end and running.poll() is None:
        found = ADDRESS.search("".join(lines))
        if found and _is_ready(found.group()):
            return found.group()
        time.sleep(0.1)
    raise AssertionError(f"the studio did not start: {''.join(lines)}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def open_page(browser: Any, studio_url: str) -> Iterator[Callable[..., Any]]:
    """A maker of pages: `open_page("mix", width=390, scheme="dark")`, with the first picture on screen.

    At the end no page may have asked another host for anything, nor have said anything in its console. A test
    that provokes an error appends to `page.allowed` what the console will say.
    """
    pages: list[Any] = []

    def make(
        screen: str = "swap", *, width: int = 1440, height: int = 900, scheme: str = "light", **more: Any
    ) -> Any:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme, accept_downloads=True, **more)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on(
            "filechooser", lambda chooser: None
        )  # watched from now on, for a key may be quicker than that
        page.asked, page.said, page.allowed = [], [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda said: said.type == "error" and page.said.append(said.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        pages.append(page)
        page.goto(f"{studio_url}/#{screen}")
        page.wait_for_selector(f".screen.{screen}")
        return page

    yield make
    for page in pages:
        page.context.close()
        others = [
            url
            for url in page.asked
            if not url.startswith(("blob:", "data:")) and _host(url) != _host(studio_url)
        ]
        assert others == []
        assert [text for text in page.said if not any(part in text for part in page.allowed)] == []


def _host(url: str) -> str:
    return urlsplit(url).netloc


@pytest.fixture(scope="module")
def make_running() -> Iterator[Callable[..., Running]]:
    """A maker of servers that run until the module's tests are done."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(running(*arguments, **named))
