"""What every page shares: head, colours for light and dark, a policy that forbids requests, escaped text."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files

from swapae.files import shown


def whole(title: str, body: str, *, style: str = "", script: str = "", pictures: str = "data:") -> str:
    """Make a page of its body.

    Args:
        title: any text.
        body: HTML, in which foreign text is escaped, as `text` does.
        style: CSS after that of all pages.
        script: the one that may run; it stands in the body.
        pictures: from where they may come, in the words of a content security policy.
    """
    parts = {
        "policy": policy(script, pictures),
        "title": text(title),
        "style": asset("swapae.pages", "shell.css") + style,
        "body": body,
    }
    return filled(asset("swapae.pages", "shell.html"), parts)


def policy(script: str = "", pictures: str = "data:") -> str:
    """Forbid all but pictures from there, the page's own styles, and this one script."""
    allowed = f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'"
    if not script:
        return allowed
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{allowed}; script-src 'sha256-{digest}'"


def filled(template: str, parts: Mapping[str, str]) -> str:
    """Put parts in place of `{{name}}`, in one pass: what a part holds is never taken for a place."""
    head, *rest = template.split("{{")
    pieces = [head]
    for piece in rest:
        name, _, tail = piece.partition("}}")
        pieces += [parts[name], tail]
    return "".join(pieces)


def text(foreign: object) -> str:
    """Text that means nothing to a browser but itself, also in an attribute; nothing in it is invisible."""
    return escape(shown(foreign), quote=True)


def data_uri(picture: bytes, kind: str) -> str:
    """The address of a picture that lies in the page; `kind` is png, jpeg or webp."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def asset(package: str, name: str) -> str:
    """Read a text file that lies beside a package's modules."""
    return (files(package) / name).read_text(encoding="utf-8")
