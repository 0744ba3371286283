"""A hub on this machine: as much of its interface as the hub's client uses to load and to share a model."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_may_write"
READER = "hf_may_read"
Files = dict[str, bytes]


@dataclass
class Repository:
    """Commits by digest, and the branches that point at them."""

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    is_private: bool = False
    is_gated: bool = False

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        text = json.dumps([len(self.commits), *sorted(files)])
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[digest] = dict(files)
        self.refs[branch] = digest
        return digest

    def at(self, revision: str) -> str | None:
        return self.refs.get(revision) or (revision if revision in self.commits else None)


@dataclass
class Hub:
    """What the server holds, and what it was asked.

    - asked: method and path of every request.
    - breaks: a pattern of paths whose requests are cut off.
    """

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    large: Files = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    breaks: str = "^$"

    def add(self, name: str, files: Mapping[str, bytes], branch: str = "main") -> str:
        return self.repositories.setdefault(name, Repository()).commit(files, branch)


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve until the end of the block."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: object = b"", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_one(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        body = self.body()
        if re.search(self.hub.breaks, path):
            self.close_connection = True
            self.connection.close()
            return
        for method, pattern, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method:
                act(self, body, *found.groups())
                return
        self.answer(404, {"error": f"no such page {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = handle_one  # noqa: N815

    def body(self) -> bytes:
        """The whole of it, also where it comes in chunks, each after its length in hexadecimal."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    # ── rights ───────────────────────────────────────────────────────────────────────────────────

    @property
    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def may_write(self) -> bool:
        if self.token == TOKEN:
            return True
        self.answer(403 if self.token else 401, {"error": "no"}, X_Error_Message="no right to do this")
        return False

    def readable(self, name: str) -> Repository | None:
        found = self.hub.repositories.get(name)
        if found is None or (found.is_private and not self.token):
            self.answer(404 if self.token else 401, {"error": "?"}, X_Error_Code="RepoNotFound")
            return None
        if found.is_gated and not self.token:
            self.answer(401, {"error": "gated"}, X_Error_Code="GatedRepo")
            return None
        return found

    def commit_of(self, repository: Repository, revision: str) -> str | None:
        digest = repository.at(revision)
        if digest is None:
            self.answer(404, {"error": "?"}, X_Error_Code="RevisionNotFound")
        return digest

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def info(self, _: bytes, name: str, revision: str | None = None) -> None:
        repository = self.readable(name)
        if repository is None or (digest := self.commit_of(repository, revision or "main")) is None:
            return
        siblings = [{"rfilename": path} for path in repository.commits[digest]]
        self.answer(200, {"id": name, "sha": digest, "siblings": siblings, "tags": [], "private": False})

    def tree(self, _: bytes, name: str, revision: str) -> None:
        repository = self.readable(name)
        if repository is None or (digest := self.commit_of(repository, revision)) is None:
            return
        files = repository.commits[digest].items()
        self.answer(
            200,
            [{"type": "file", "path": path, "size": len(data), "oid": _etag(data)} for path, data in files],
        )

    def resolve(self, _: bytes, name: str, revision: str, path: str) -> None:
        repository = self.readable(name)
        if repository is None or (digest := self.commit_of(repository, revision)) is None:
            return
        data = repository.commits[digest].get(path)
        if data is None:
            self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=digest)
            return
        length = str(len(data))
        self.answer(200, data, ETag=f'"{_etag(data)}"', X_Repo_Commit=digest, Content_Length=length)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    def create(self, body: bytes) -> None:
        if not self.may_write():
            return
        asked = json.loads(body)
        name = f"{asked.get('organization') or 'user'}/{asked['name']}"
        is_new = name not in self.hub.repositories
        repository = self.hub.repositories.setdefault(name, Repository())
        if is_new:
            repository.is_private = bool(asked.get("private")) or asked.get("visibility") == "private"
            repository.commit({".gitattributes": b"*.safetensors filter=lfs\n"})
        self.answer(200 if is_new else 409, {"url": f"{self.hub.url}/{name}", "id": name, "name": name})

    def branch(self, _: bytes, name: str, branch: str) -> None:
        repository = self.hub.repositories[name]
        is_new = branch not in repository.refs
        repository.refs.setdefault(branch, repository.refs["main"])
        self.answer(200 if is_new else 409, {})

    def modes(self, body: bytes, name: str, revision: str) -> None:
        if not self.may_write() or self.commit_of(self.hub.repositories[name], revision) is None:
            return
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self.answer(200, {"files": files})

    def batch(self, body: bytes, name: str) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.url}/upload/{one['oid']}", "header": {}}}}
            for one in json.loads(body)["objects"]
        ]
        self.answer(200, {"transfer": "basic", "objects": objects})

    def upload(self, body: bytes, oid: str) -> None:
        is_whole = hashlib.sha256(body).hexdigest() == oid
        self.hub.large[oid] = body
        self.answer(200 if is_whole else 400)

    def commit(self, body: bytes, name: str, revision: str) -> None:
        if not self.may_write():
            return
        repository = self.hub.repositories[name]
        files = dict(repository.commits[repository.refs[revision]])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.hub.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        is_proposal = "create_pr=1" in self.path
        digest = repository.commit(files, "refs/pr/1" if is_proposal else revision)
        url = f"{self.hub.url}/{name}/commit/{digest}"
        proposal = {"pullRequestUrl": f"{self.hub.url}/{name}/discussions/1"} if is_proposal else {}
        self.answer(200, {"success": True, "commitUrl": url, "commitOid": digest, **proposal})

    def front_matter(self, _: bytes) -> None:
        self.answer(200, {"errors": [], "warnings": []})


def _etag(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


NAME = r"([\w.-]+/[\w.-]+)"
Route = tuple[tuple[str, ...], str, Callable[..., None]]
READ, POST = ("GET", "HEAD"), ("POST",)
ROUTES: list[Route] = [
    (READ, rf"/api/models/{NAME}/tree/(.+)", _Handler.tree),
    (READ, rf"/api/models/{NAME}/revision/(.+)", _Handler.info),
    (READ, rf"/api/models/{NAME}", _Handler.info),
    (READ, rf"/{NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (POST, "/api/repos/create", _Handler.create),
    (POST, "/api/validate-yaml", _Handler.front_matter),
    (POST, rf"/api/models/{NAME}/branch/(.+)", _Handler.branch),
    (POST, rf"/api/models/{NAME}/preupload/(.+)", _Handler.modes),
    (POST, rf"/{NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (POST, rf"/api/models/{NAME}/commit/(.+)", _Handler.commit),
    (("PUT",), "/upload/(.+)", _Handler.upload),
]
