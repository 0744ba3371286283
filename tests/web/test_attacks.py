"""Traversal, rebinding, CSRF, SSRF, smuggling: none of what an attacker would send is answered."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.web.double import Making
from tests.web.payloads import RAW, Payload, payloads
from tests.web.servers import Running, png, upload

from swapae.web.settings import StudioSettings

PAYLOADS = list(payloads())
REFUSED = {400, 401, 403, 404, 405, 413, 415, 422, 431}


@pytest.fixture(scope="module")
def server(make_running: object) -> Running:
    return make_running(Making(), StudioSettings())  # type: ignore[operator]


@pytest.fixture(scope="module")
def image(server: Running) -> str:
    with server.client() as client:
        return upload(client, png())


class Canary:
    """A server that notes whether anybody called."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                self.socket.accept()[0].close()
                self.calls += 1
        except OSError:
            pass


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    one = Canary()
    yield one
    one.socket.close()


def _part(connection: socket.socket, answer: bytes) -> bytes:
    """Receive more of an answer; a server that closes with some of the request unread may end by a reset."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        if not answer:
            raise
        return b""


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while part := _part(connection, answer):
            answer += part
    return answer


def test_there_are_enough_of_them_and_each_is_another() -> None:
    assert len(PAYLOADS) >= 250
    assert len({(p.line, p.headers, p.body, p.host) for p in PAYLOADS}) == len(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload.about)[1:50])
def test_an_attack_is_refused(payload: Payload, server: Running, image: str, canary: Canary) -> None:
    host = f"127.0.0.1:{server.port}"
    answer = exchange(server.port, payload.wire(host=host, port=server.port, image=image, canary=canary.port))
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    assert int(lines[0].split()[1]) in REFUSED, answer[:300]
    assert "x-content-type-options: nosniff" in lines
    assert any(line.startswith("content-security-policy: default-src 'self'") for line in lines)
    assert not any(line.startswith(("location:", "access-control-", "set-cookie:")) for line in lines)
    assert body.startswith(b'{"error": "'), body[:100]
    assert not any(
        secret in body for secret in (b"Traceback", b"root:", b"import ", b"/src/", b"site-packages")
    )
    assert canary.calls == 0


def test_after_all_that_everything_is_as_it_was(server: Running, image: str, canary: Canary) -> None:
    with server.client() as client:
        assert client.get(f"/api/v1/images/{image}/thumbnail").status_code == 200
        assert client.get("/api/v1/directions").json() == []
        assert "swapae_model_restarts_total 0.0" in client.get("/metrics").text
    assert canary.calls == 0


def test_nonsense_after_a_refusal_ends_the_connection_without_a_word_in_the_log(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    start = Payload("", "POST /api/v1/images HTTP/1.1", ("Origin: null", RAW, "Transfer-Encoding: chunked"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = start.wire(host=f"127.0.0.1:{server.port}").replace(b"Connection: close\r\n", b"")
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")
        with suppress(ConnectionError):  # it may be closed already
            connection.sendall(b"zz\r\n\r\n")
            while connection.recv(65536):
                pass
    assert caplog.text == ""


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Origin: http://127.0.0.1:{port}",),
        ("Sec-Fetch-Site: same-origin",),
        ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"),
        ("X-Forwarded-Host: evil.example", "X-Forwarded-For: 1.2.3.4"),
    ],
)
def test_the_same_without_an_attack_is_answered(server: Running, headers: tuple[str, ...]) -> None:
    one = Payload("", headers=headers).wire(host=f"127.0.0.1:{server.port}", port=server.port)
    assert exchange(server.port, one).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST", "[::1]:1234", "127.0.0.1", "localhost."])
def test_this_machine_may_be_called_by_any_of_its_names(server: Running, host: str) -> None:
    one = Payload("", host=host).wire(port=server.port)
    assert exchange(server.port, one).startswith(b"HTTP/1.1 200")


def test_a_link_of_another_site_may_open_the_page_but_not_show_it_in_a_frame(server: Running) -> None:
    visit = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: {dest}")
    one = Payload("", "GET / HTTP/1.1", visit)
    host = f"127.0.0.1:{server.port}"
    assert exchange(server.port, one.wire(host=host, dest="document")).startswith(b"HTTP/1.1 200")
    assert exchange(server.port, one.wire(host=host, dest="iframe")).startswith(b"HTTP/1.1 403")
