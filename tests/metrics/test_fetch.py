"""Fetching from a server of this machine that cuts, refuses, lies and resumes."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from swapae import UserError
from swapae.metrics.fetch import REMOTES, Remote, fetch

DATA = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(DATA).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves DATA; `/cut/` ends early once, `/whole/` knows no ranges, `/other/` has another file."""

    asked: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        ranges = self.headers.get("Range")
        self.asked.append(ranges)
        kind = self.path.split("/")[1]
        if kind == "none":
            self.send_error(404)
            return
        first = int(ranges[6:-1]) if ranges and kind != "whole" else 0
        if first >= len(DATA):
            self.send_error(416)
            return
        body = DATA[first:] if kind != "other" else DATA[first:][::-1]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(
            body[: len(body) // 3] if kind in ("cut", "whole") and len(self.asked) == 1 else body
        )

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def remote(url: str, kind: str) -> Remote:
    return Remote(f"{url}/{kind}/net-{DIGEST[:8]}.pth", DIGEST[:8], "a net")


def test_a_file_comes_whole_and_is_not_fetched_twice(url: str, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = fetch(remote(url, "good"), tmp_path / "new", lambda here, of: told.append((here, of)))
    assert path.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert fetch(remote(url, "good"), tmp_path / "new") == path
    assert len(Server.asked) == 1
    path.write_bytes(DATA[:-1])  # damaged: fetched again
    assert fetch(remote(url, "good"), tmp_path / "new").read_bytes() == DATA
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["cut", "whole"])
def test_a_broken_connection_is_one_sentence_and_the_next_call_goes_on(
    kind: str, url: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"could not be fetched .*goes on from 426,666 bytes"):
        fetch(remote(url, kind), tmp_path)
    assert not (tmp_path / remote(url, kind).filename).exists()
    assert fetch(remote(url, kind), tmp_path).read_bytes() == DATA
    assert Server.asked == [None, "bytes=426666-"]


def test_another_file_is_not_kept(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="SHA-256 does not begin with"):
        fetch(remote(url, "other"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_too_much_of_a_file_is_thrown_away(url: str, tmp_path: Path) -> None:
    (tmp_path / f".{remote(url, 'good').filename}.part").write_bytes(DATA + b"more")
    assert fetch(remote(url, "good"), tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("kind", ["none", "nobody"])
def test_a_missing_file_or_server_is_one_sentence(kind: str, url: str, tmp_path: Path) -> None:
    where = remote(url if kind == "none" else "http://127.0.0.1:1", kind)
    with pytest.raises(UserError, match=r"could not be fetched .*by hand") as caught:
        fetch(where, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_names_of_the_files_tell_their_digests() -> None:
    for found in REMOTES.values():
        assert found.url.startswith("https://")
        assert len(found.sha256) == 8
        assert found.filename.endswith(f"-{found.sha256}.pth")
