"""What stands before every request: who asks, from which page, by which name; and headers of answers."""

import asyncio
import hmac
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect

from swapae.web.answers import Refusal, failed
from swapae.web.desk import Desk
from swapae.web.intake import check_declared, too_large
from swapae.web.settings import LOOPBACK, StudioSettings, is_loopback

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "swapae-token"
# Where the body is a file, counted as it streams; everywhere else it is JSON, read here.
FILES = ("/api/v1/images", "/api/v1/masks", "/api/v1/recipes", "/api/v1/directions/file")
# What may be refused unread when the queue is full; a request of a session may take the place of another.
WORK = ("/api/v1/render", "/api/v1/save", "/api/v1/strip", "/api/v1/masks/click")
MOST_HEADERS = 32 * 2**10  # bytes
METHODS = ("GET", "HEAD", "POST", "DELETE")
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
CACHE = ("cache-control", "no-store")  # unless the answer says otherwise
HEALTH = ("/livez", "/readyz")  # answered at once, however many others have come
# Without a token: the page itself, which holds nothing of anyone's, and whether the server lives.
OPEN = ("/", *HEALTH, "/favicon.ico")
HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
log = logging.getLogger("swapae.studio")


@dataclass(frozen=True)
class Asked:
    """The head of a request, read once."""

    method: str
    path: str
    query: bytes
    headers: dict[str, list[str]]

    @classmethod
    def of(cls, scope: Scope) -> "Asked":
        """Read it.

        Raises:
            Refusal: it is too large.
        """
        headers: dict[str, list[str]] = {}
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            raise Refusal(
                431, "large", "the headers are larger than the studio takes.", {"Connection": "close"}
            )
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        return cls(scope["method"], scope["path"], scope.get("query_string", b""), headers)

    def one(self, name: str) -> str | None:
        """Give a header that may be there once.

        Raises:
            Refusal: it is there several times.
        """
        values = self.headers.get(name, [])
        if len(values) > 1:
            raise Refusal(400, "unreadable", f"the header {name} is there {len(values)} times.")
        return values[0] if values else None


class Guard:
    """Let through what may be answered, a body of JSON read and counted; refuse the rest in a sentence."""

    def __init__(self, app: App, settings: StudioSettings, desk: Desk) -> None:
        self.app, self.settings, self.desk = app, settings, desk
        self.secret = sha256(settings.token.encode()).digest() if settings.token else None
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            if scope["path"] not in HEALTH:
                await self._in_turn()
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _in_turn(self) -> None:
        """Begin one request at a time, and look at the network between two: health is asked for there."""
        async with self._turn:
            await asyncio.sleep(0)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(send)
        try:
            await self._let_through(scope, receive, answer)
        except Refusal as refusal:
            await answer.refuse(refusal)
        except ClientDisconnect:  # nobody is left to answer
            pass
        except Exception:
            log.exception("a request failed")
            await answer.refuse(failed())
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", "other")
            self.desk.metrics.requests.labels(method, route, answer.status).inc()

    async def _let_through(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        asked = Asked.of(scope)
        self._check(asked)
        if asked.method == "POST" and asked.path in WORK and asked.one("x-session") is None:
            self.desk.inference.check_open()  # at once: refusing stays cheap, when there is much to refuse
        if asked.method == "POST" and _media_type(asked) == "application/json":
            receive = await self._read_json(asked, receive)
        if asked.path == "/" and asked.method == "GET" and self._is_entry(asked):
            answer.extra = [("set-cookie", cookie(str(self.settings.token)))]
        await self.app(scope, receive, answer.send)

    # ---- who asks

    def _check(self, asked: Asked) -> None:
        if asked.method not in METHODS:
            allow = {"Allow": ", ".join(METHODS)}
            raise Refusal(405, "method", f"the studio takes {', '.join(METHODS)} only.", allow)
        host = asked.one("host")
        self._check_host(host)
        self._check_origin(asked, str(host))
        if not _is_open(asked.path):
            self._check_token(asked)
        if asked.method == "POST":
            _check_media_type(asked)

    def _check_host(self, host: str | None) -> None:
        """Refuse names that are not this server's: a page of another name may have been pointed here."""
        found = HOST.fullmatch(host or "")
        if found is None:
            raise Refusal(400, "host", "the Host header is missing or is none.")
        name = found["name"].lower().rstrip(".").strip("[]")
        if name in LOOPBACK or name in self.settings.names or name == self.settings.host.lower():
            return
        if not is_loopback(self.settings.host) and _is_address(name):
            return
        raise Refusal(403, "host", "the studio is not called by this host name; --allow-host allows another.")

    def _check_origin(self, asked: Asked, host: str) -> None:
        origin, site = asked.one("origin"), asked.one("sec-fetch-site")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            raise Refusal(403, "origin", "the request comes from another page than the studio's.")
        if site in (None, "same-origin", "none"):
            return
        is_visit = asked.method == "GET" and asked.path == "/" and asked.one("sec-fetch-mode") == "navigate"
        if not is_visit or asked.one("sec-fetch-dest") not in (None, "document"):
            raise Refusal(403, "origin", "the request comes from another site than the studio's.")

    def _check_token(self, asked: Asked) -> None:
        if self.secret is None or any(self._is_token(one) for one in _tokens(asked)):
            return
        sentence = "the studio asks for its token: send it as `Authorization: Bearer …`."
        raise Refusal(401, "token", sentence, {"WWW-Authenticate": "Bearer"})

    def _is_token(self, given: str) -> bool:
        """Compare in constant time, whatever the lengths."""
        digest = sha256(given.encode("utf-8", "replace")).digest()
        return self.secret is not None and hmac.compare_digest(digest, self.secret)

    def _is_entry(self, asked: Asked) -> bool:
        """Whether this is the link printed at the start, whose token becomes a cookie."""
        given = parse_qs(asked.query.decode("latin-1")).get("token", [])
        return self.secret is not None and len(given) == 1 and self._is_token(given[0])

    # ---- what is sent

    async def _read_json(self, asked: Asked, receive: Receive) -> Receive:
        """Read a body of JSON within its bounds, and hand it on in one piece."""
        most, declared = self.settings.max_json, asked.one("content-length")
        check_declared(declared, most)
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.deadline):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise ClientDisconnect
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise too_large(most)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            seconds = f"{self.settings.deadline:g} s"
            raise Refusal(
                408, "slow", f"the body did not arrive within {seconds}.", {"Connection": "close"}
            ) from None
        parts = [{"type": "http.request", "body": bytes(body), "more_body": False}]
        return lambda: _next(parts, receive)


async def _next(parts: list[dict[str, Any]], receive: Receive) -> Message:
    return parts.pop() if parts else await receive()


class Answer:
    """An answer on its way out: every one carries the headers, and none is begun twice."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.is_whole = False
        self.extra: list[tuple[str, str]] = []

    async def send(self, message: Message) -> None:
        """Send a message of ASGI, the head with its headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [(name, value) for name, value in message.get("headers", [])]
            names = {name.lower() for name, _ in own}
            more = [*HEADERS.items(), CACHE, *self.extra]
            added = [(n.encode(), v.encode("latin-1")) for n, v in more if n.encode() not in names]
            message = {**message, "headers": own + added}
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.is_whole = True

    async def refuse(self, refusal: Refusal) -> None:
        """Send a sentence, unless an answer has begun: then all that is left is to break it off."""
        if self.is_whole:
            return
        if self.status:
            raise refusal
        body = refusal.body()
        given = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
        headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def cookie(token: str) -> str:
    """Write the cookie that carries the token: for this server only, and for no script."""
    return f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith("/static/")


def _is_address(name: str) -> bool:
    """Whether a host name is an address: no name service can have pointed it here."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _tokens(asked: Asked) -> list[str]:
    """Give what a request carries as token: by header, else by cookie."""
    authorization = asked.one("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        return [token.strip()] if scheme.lower() == "bearer" else []
    try:
        cookies = SimpleCookie(asked.one("cookie") or "")
    except CookieError:
        return []
    return [cookies[COOKIE].value] if COOKIE in cookies else []


def _media_type(asked: Asked) -> str:
    return (asked.one("content-type") or "").partition(";")[0].strip().lower()


def _check_media_type(asked: Asked) -> None:
    """Only types that no form of another page can send, and of each route the one whose size it bounds."""
    wanted = "application/octet-stream" if asked.path in FILES else "application/json"
    given = _media_type(asked)
    has_none = not given and asked.one("content-length") in (None, "0")
    if given != wanted and not (has_none and "transfer-encoding" not in asked.headers):
        raise Refusal(415, "type", f"the body must be of type {wanted}.", {"Connection": "close"})
