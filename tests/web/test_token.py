"""The token, the headers of every answer, and other names for a server that others can reach."""

from typing import Any

import pytest
from tests.web.double import Making
from tests.web.servers import awaited

from swapae.web.app import make_app
from swapae.web.guard import HEADERS, Guard
from swapae.web.settings import StudioSettings, is_loopback

TOKEN = "a-token.of_the~tests"
OPEN = StudioSettings()
CLOSED = StudioSettings(host="0.0.0.0", token=TOKEN, names=("studio.example",))


class Answer:
    """What an application answered, without a server between."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status = int(messages[0]["status"])
        self.headers = [(name.decode().lower(), value.decode()) for name, value in messages[0]["headers"]]
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, values
        return values[0] if values else None


def ask(app: Guard, path: str, method: str = "GET", host: str = "127.0.0.1", **headers: str) -> Answer:
    """Ask for something; underscores in names of headers are hyphens."""
    path, _, query = path.partition("?")
    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    awaited(app(scope, receive, send))
    return Answer(sent)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.5.6.7", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.5", False),
        ("127.example.org", False),
    ],
)
def test_what_others_can_reach_is_no_loopback(host: str, is_own: bool) -> None:
    assert is_loopback(host) == is_own


@pytest.fixture(scope="module")
def closed() -> Guard:
    return make_app(Making(), CLOSED)


@pytest.fixture(scope="module")
def opened() -> Guard:
    return make_app(Making(), OPEN)


@pytest.mark.parametrize("path", ["/api/v1/model", "/api/v1/nothing", "/metrics", "/docs", "/openapi.json"])
def test_without_the_token_nothing_is_told(closed: Guard, path: str) -> None:
    wrong = [
        {},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": "Bearer \u00e9"},
        {"cookie": "swapae-token=no"},
        {"cookie": f"other={TOKEN}"},
        {"cookie": f"swapae-token={TOKEN}", "authorization": "Bearer no"},
    ]
    for headers in wrong:
        answer = ask(closed, path, **headers)
        assert (answer.status, answer.header("www-authenticate")) == (401, "Bearer"), headers
        assert b'"code": "token"' in answer.body
        assert TOKEN.encode() not in answer.body
    assert ask(closed, f"{path}?token={TOKEN}").status == 401  # a link opens the page, and nothing else


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN}"},
        {"cookie": f"swapae-token={TOKEN}"},
        {"cookie": f'a=b; swapae-token="{TOKEN}"; c=d'},
    ],
)
def test_with_the_token_requests_are_answered(closed: Guard, headers: dict[str, str]) -> None:
    assert ask(closed, "/openapi.json", **headers).status == 200
    assert ask(closed, "/api/v1/model", **headers).status == 503  # let in, but nothing is loaded


def test_the_page_and_health_need_no_token(closed: Guard) -> None:
    assert ask(closed, "/").status == 200
    assert ask(closed, "/static/js/app.js").status == 200
    assert ask(closed, "/livez").status == 200
    assert ask(closed, "/readyz").status == 503


def test_the_link_printed_at_the_start_becomes_a_cookie(closed: Guard, opened: Guard) -> None:
    answer = ask(closed, f"/?token={TOKEN}")
    assert answer.status == 200
    assert answer.header("set-cookie") == f"swapae-token={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    for wrong in ("/", "/?token=", f"/?token={TOKEN}x", f"/?token={TOKEN}&token=x", f"/livez?token={TOKEN}"):
        assert ask(closed, wrong).header("set-cookie") is None
    assert ask(opened, "/?token=").header("set-cookie") is None


def test_a_page_can_change_the_token_into_a_cookie(closed: Guard) -> None:
    assert ask(closed, "/api/v1/session", "POST").status == 401
    answer = ask(closed, "/api/v1/session", "POST", authorization=f"Bearer {TOKEN}")
    assert answer.status == 204
    assert str(answer.header("set-cookie")).startswith(f"swapae-token={TOKEN}; HttpOnly; SameSite=Strict")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/static/js/app.js", "GET", 200),
        ("/livez", "GET", 200),
        ("/readyz", "GET", 503),
        ("/docs", "GET", 200),
        ("/docs/swagger-ui.css", "GET", 200),
        ("/openapi.json", "GET", 200),
        ("/api/v1/nothing", "GET", 404),
        ("/api/v1/render", "GET", 405),
        ("/api/v1/render", "PATCH", 405),
        ("/api/v1/render", "POST", 415),
    ],
)
def test_every_answer_carries_the_headers(opened: Guard, path: str, method: str, status: int) -> None:
    body = {"content_length": "5"} if method == "POST" else {}
    answer = ask(opened, path, method, **body)
    assert answer.status == status
    for name, value in HEADERS.items():
        assert answer.header(name) == value
    assert answer.header("cache-control") in ("no-store", "no-cache")
    assert answer.header("server") is None
    policy = str(answer.header("content-security-policy"))
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_file_that_has_not_changed_is_not_sent_again(opened: Guard) -> None:
    first = ask(opened, "/static/js/app.js")
    again = ask(opened, "/static/js/app.js", if_none_match=str(first.header("etag")))
    assert (again.status, again.body) == (304, b"")
    assert first.header("content-type") == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.20:7860", 200),
        ("[fe80::1]:7860", 200),
        ("studio.example", 200),
        ("STUDIO.example.:80", 200),
        ("localhost", 200),
        ("other.example", 403),
        ("studio.example.evil.example", 403),
    ],
)
def test_a_server_for_others_is_called_by_addresses_and_the_names_it_was_given(
    closed: Guard, host: str, status: int
) -> None:
    assert ask(closed, "/livez", host=host).status == status


def test_another_protocol_than_http_is_refused(opened: Guard) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    awaited(opened({"type": "websocket", "path": "/", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]
