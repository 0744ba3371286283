"""The page's own files: a fixed list, read at the start; a request can name one of them and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from swapae.web.answers import Refusal

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Served:
    """A file in memory."""

    data: bytes
    kind: str
    tag: str

    @classmethod
    def of(cls, data: bytes, suffix: str) -> "Served":
        """Make it of its bytes."""
        return cls(data, KINDS[suffix], f'"{sha256(data).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """Send it, or say that it has not changed."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=headers)
        return Response(self.data, media_type=self.kind, headers=headers)


def page_files() -> dict[str, Served]:
    """Read the page's files, by their paths below `static/`."""
    root = Path(str(resources.files("swapae.web"))) / "static"
    found = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix in KINDS)
    return {path.relative_to(root).as_posix(): Served.of(path.read_bytes(), path.suffix) for path in found}


def one_of(files: Mapping[str, Served], name: str) -> Served:
    """Find a file by name.

    Raises:
        Refusal: 404.
    """
    if name not in files:
        raise Refusal(404, "unknown", "there is no such file.")
    return files[name]
