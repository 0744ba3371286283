"""`swapae studio`: the page in which images are edited."""

import re
import secrets
from pathlib import Path
from typing import Annotated

from tyro.conf import UseAppendAction, arg

from swapae.cli.common import Flag, Report, RunningOptions, UsageError
from swapae.errors import UserError

FIRST = "synthetic64"  # the model in the box that is taken where none is named
TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,256}")


def studio(
    *,
    model: Annotated[
        str | None, arg(aliases=["-m"], metavar="MODEL", help_behavior_hint="(default: one in the box)")
    ] = None,
    host: Annotated[str, arg(metavar="H")] = "127.0.0.1",
    port: Annotated[
        int | None, arg(metavar="P", help_behavior_hint="(default: 7860 or the next free)")
    ] = None,
    no_browser: Flag = False,
    runs: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None,
    directions: Annotated[
        tuple[Path, ...], UseAppendAction, arg(metavar="FILE", help_behavior_hint="(repeatable)")
    ] = (),
    token: Annotated[str | None, arg(metavar="T", help_behavior_hint="")] = None,
    allow_host: Annotated[
        tuple[str, ...], UseAppendAction, arg(metavar="NAME", help_behavior_hint="(repeatable)")
    ] = (),
    max_queue: Annotated[int, arg(metavar="N")] = 16,
    deadline: Annotated[float, arg(metavar="S")] = 30.0,
    max_upload: Annotated[float, arg(metavar="MIB")] = 32.0,
    max_side: Annotated[int, arg(metavar="PX")] = 1024,
    common: RunningOptions,
) -> Report:
    """Edit images in the browser: swap, mix, paint, move along directions.

    Args:
        model: Name that `swapae models` lists, folder of a model, run directory, or hub id.
        host: Address to listen at. All but 127.0.0.1 can be reached from elsewhere, and ask for a token.
        port: Port to listen at.
        no_browser: Open no browser.
        runs: Folder whose training runs can be watched.
        directions: File that `swapae directions fit` wrote; the model's own are there anyway.
        token: What requests must carry, 16 signs or more. Made and printed where needed and not given.
        allow_host: Further host name by which the studio may be called, as that of a proxy before it.
        max_queue: Requests that may wait; further ones are told to come again.
        deadline: Seconds after which a request is cancelled.
        max_upload: Largest file to take, in MiB.
        max_side: Longest side of images to work on, in pixels; larger ones are made smaller.
    """
    _check(max_queue, deadline, max_upload, max_side, port)
    if token is not None and not TOKEN.fullmatch(token):
        raise UsageError("--token takes 16 to 256 letters, digits and signs of . _ ~ - only.")
    if runs is not None and not runs.is_dir():
        raise UserError(f"{runs} is no folder: --runs takes one that holds runs, or one run.")
    name = model or _first()
    _require_extra()

    from swapae.web.decoder import DecodingLimits
    from swapae.web.opening import Opening
    from swapae.web.serving import listen, serve
    from swapae.web.settings import StudioSettings, is_loopback

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(32)
    settings = StudioSettings(
        host=host,
        token=token,
        names=tuple(one.lower().rstrip(".") for one in allow_host),
        max_queue=max_queue,
        deadline=deadline,
        max_upload=round(max_upload * 2**20),
        runs=runs,
        decoding=DecodingLimits(side=max_side),
    )
    make = Opening(name, common.device, common.backend, tuple(map(str, directions)), max_side)
    listening = listen(host, port)
    url = address(host, listening.getsockname()[1], token)

    def begun() -> None:
        common.say(f"the studio of {name} is at {url}\nCtrl-C ends it.")
        if not no_browser:
            _open_browser(url)

    serve(make, settings, listening, begun, lambda: common.say("\nclosing…"))
    return {"model": name, "url": url}


def address(host: str, port: int, token: str | None) -> str:
    """The link to the page; its token becomes a cookie."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def _check(max_queue: int, deadline: float, max_upload: float, max_side: int, port: int | None) -> None:
    for is_right, words in (
        (1 <= max_queue <= 10_000, "--max-queue must be 1 to 10000"),
        (0.1 <= deadline <= 3600, "--deadline must be 0.1 to 3600 seconds"),
        (0.01 <= max_upload <= 1024, "--max-upload must be 0.01 to 1024 MiB"),
        (64 <= max_side <= 4096, "--max-side must be 64 to 4096 pixels"),
        (port is None or 0 <= port <= 65535, "--port must be 0 to 65535"),
    ):
        if not is_right:
            raise UsageError(f"{words}.")


def _first() -> str:
    from swapae import box

    names = box.names()
    if not names:
        raise UserError("this copy of the package has no models: name one with -m.")
    return FIRST if FIRST in names else names[0]


def _require_extra() -> None:
    from importlib.util import find_spec

    missing = [
        name
        for name in ("fastapi", "uvicorn", "prometheus_client", "swagger_ui_bundle")
        if not find_spec(name)
    ]
    if missing:
        raise UserError(f"the studio needs an extra ({', '.join(missing)}): pip install 'swapae[web]'.")


def _open_browser(url: str) -> None:
    """Open the page; a terminal browser must not hold up the server, hence a thread."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
