"""A server in a thread of the test, with a double in its worker process, and ways to speak to it."""

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import numpy as np
from PIL import Image

from swapae.web.app import make_app
from swapae.web.guard import Guard
from swapae.web.serving import Server, config_of, listen
from swapae.web.settings import StudioSettings

T = TypeVar("T")


def elsewhere(call: Callable[[], T]) -> T:
    """Call in a thread: in the tests' own, browser tests leave an event loop that forbids another."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own."""
    return elsewhere(lambda: asyncio.run(coroutine))


@dataclass
class Running:
    """A server in a thread of this process."""

    app: Guard
    server: Server
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=False)


@contextlib.contextmanager
def running(make: Callable[[], object], settings: StudioSettings, wait: bool = True) -> Iterator[Running]:
    """Run a server; with `wait`, until its model is loaded."""
    listening = listen("127.0.0.1", 0)
    app = make_app(make, settings)
    server = Server(config_of(app))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        one = Running(app, server, listening.getsockname()[1])
        end = time.monotonic() + 60
        while not server.started or (wait and app.desk.inference.state != "ready"):
            assert time.monotonic() < end, "the server did not start"
            assert thread.is_alive()
            time.sleep(0.01)
        yield one
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def png(width: int = 6, height: int = 4, mode: str = "RGB", seed: int = 0, **options: object) -> bytes:
    """A picture's file."""
    shape = (height, width, len(mode)) if len(mode) > 1 else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, str(options.pop("format", "PNG")), **options)
    return file.getvalue()


RAW = {"Content-Type": "application/octet-stream"}


def upload(client: httpx.Client, data: bytes) -> str:
    """Upload an image, and give its id."""
    answer = client.post("/api/v1/images", content=data, headers=RAW)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
