"""The report as one HTML page that loads nothing: its pictures lie in it, and every name is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Iterator, Sequence

from swapae.data.check.facts import Facts
from swapae.data.check.report import Check, counted, kind_of, needed
from swapae.data.packs.pack import Pack
from swapae.data.reading import decode_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.images import encode_image

THUMBNAIL = DataConfig(preprocess="scale_longside", load_size=96, crop="none", decode="rough")
MAX_SHOWN = 60  # pictures of a section; --json names all
MAX_GROUP = 8  # pictures of a group of near-duplicates

Picture = Callable[[Facts], str]  # the data URI of a thumbnail, or nothing

STYLE = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem} h2{font-size:1.15rem;margin-top:2.5rem;border-bottom:1px solid #8886}
table{border-collapse:collapse} td,th{text-align:left;padding:.15rem 1rem .15rem 0;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.grid{display:flex;flex-wrap:wrap;gap:.75rem} figure{margin:0;width:6.5rem;font-size:.75rem}
figure img{display:block;max-width:96px;max-height:96px;background:#8882}
figcaption{overflow-wrap:anywhere} .group{border-left:3px solid #8886;padding-left:.75rem;margin:.75rem 0}
.note{color:#777}
"""
HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
"""


def to_html(found: Check, pack: Pack) -> str:
    """The page. The pictures it shows are decoded again, a few hundred at most."""
    return HEAD + "".join(_parts(found, _thumbnails(pack))) + "</html>\n"


def _parts(found: Check, picture: Picture) -> Iterator[str]:
    title = f"Images of {escaped(found.data)}"
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    yield _overview(found)
    yield _rejects(found.rejected)
    if found.config is not None:
        yield _section(
            "small",
            f"Too small for {needed(found.config)}",
            "They would be enlarged.",
            found.too_small,
            picture,
            lambda one: f"{one.size[0]}×{one.size[1]}",
        )
    yield _section(
        "rotated",
        "Rotated by EXIF",
        "They are turned upright, as shown.",
        found.rotated,
        picture,
        lambda one: f"orientation {one.orientation}",
    )
    yield _section("gray", "Gray", "Their colours are repeated from one channel.", found.gray, picture)
    yield _section("alpha", "With transparent parts", "They are laid over white.", found.alpha, picture)
    yield _duplicates(found, picture)


def _overview(found: Check) -> str:
    rows = {
        "usable": len(found.facts),
        "cannot be used": len(found.rejected),
        "too small": len(found.small),
        "rotated by EXIF": len(found.rotated),
        "gray": len(found.gray),
        "with transparent parts": len(found.alpha),
        "near-duplicates of others": sum(len(group) - 1 for group in found.duplicates),
    }
    if found.config is None:
        del rows["too small"]
    cells = "".join(f'<tr><td>{what}<td class="n">{number:,}' for what, number in rows.items())
    return f"<table>{cells}</table>\n"


def _rejects(rejected: Sequence[Facts]) -> str:
    """All of them by name and reason: there is no picture to show."""
    if not rejected:
        return ""
    rows = "".join(
        f"<tr><td>{escaped(one.name)}<td>{escaped(kind_of(one.error or '', one.name))}"
        f'<td class="note">{escaped(one.error or "")}'
        for one in rejected
    )
    head = f'<h2 id="rejected">Cannot be used: {counted(len(rejected), "file")}</h2>\n'
    return f"{head}<table><tr><th>file<th>why<th>in full{rows}</table>\n"


def _section(
    anchor: str,
    title: str,
    note: str,
    members: Sequence[Facts],
    picture: Picture,
    caption: Callable[[Facts], str] = lambda one: "",
) -> str:
    if not members:
        return ""
    figures = "".join(_figure(one, picture, caption(one)) for one in members[:MAX_SHOWN])
    head = f'<h2 id="{anchor}">{escaped(title)}: {counted(len(members), "file")}</h2>\n'
    return f'{head}<p class="note">{note}{_more(members)}</p>\n<div class="grid">{figures}</div>\n'


def _duplicates(found: Check, picture: Picture) -> str:
    if not found.duplicates:
        return ""
    head = f'<h2 id="duplicates">Near-duplicates: {counted(len(found.duplicates), "group")}</h2>\n'
    body = "".join(
        f'<div class="group"><p class="note">{counted(len(group), "file")}{_more(group, MAX_GROUP)}</p>'
        f'<div class="grid">{_figures((found.facts[i] for i in group[:MAX_GROUP]), picture)}</div></div>\n'
        for group in found.duplicates[:MAX_SHOWN]
    )
    note = f'<p class="note">Pictures that look the same.{_more(found.duplicates)}</p>\n'
    return f'{head}{note}<div class="grid">\n{body}</div>\n'


def _figures(members: Iterable[Facts], picture: Picture) -> str:
    return "".join(_figure(one, picture, f"{one.size[0]}×{one.size[1]}") for one in members)


def _figure(one: Facts, picture: Picture, caption: str) -> str:
    note = f'<br><span class="note">{escaped(caption)}</span>' if caption else ""
    uri = picture(one)
    image = f'<img alt="" src="{uri}">' if uri else ""
    return f"<figure>{image}<figcaption>{escaped(one.name)}{note}</figcaption></figure>"


def _more(members: Sequence[object], shown: int = MAX_SHOWN) -> str:
    return f" The first {shown} of {len(members):,}; --json names all." if len(members) > shown else ""


def escaped(text: str) -> str:
    """Text that means nothing to a browser but itself."""
    return html.escape(text, quote=True)


def _thumbnails(pack: Pack) -> Picture:
    def picture(one: Facts) -> str:
        try:
            with pack.open(one.index) as file:
                image = decode_resized(file, one.name, THUMBNAIL)
            data = encode_image(image, "JPEG", 80, one.name)
        except (UserError, OSError):  # it is gone since
            return ""
        return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"

    return picture
