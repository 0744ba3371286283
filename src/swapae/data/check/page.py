"""The report as one HTML page that loads nothing: its pictures lie in it, and every name is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from swapae.data.check.facts import Facts
from swapae.data.check.report import Check, counted, kind_of, needed
from swapae.data.packs.pack import Pack
from swapae.data.reading import decode_resized
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.images import encode_image
from swapae.pages.shell import data_uri, text, whole

THUMBNAIL = DataConfig(preprocess="scale_longside", load_size=96, crop="none", decode="rough")
MAX_SHOWN = 60  # pictures of a section; --json names all
MAX_GROUP = 8  # pictures of a group of near-duplicates

Picture = Callable[[Facts], str]  # the data URI of a thumbnail, or nothing

STYLE = """\
td.n{text-align:right;font-variant-numeric:tabular-nums}
.grid{display:flex;flex-wrap:wrap;gap:.75rem} figure{width:6.5rem;font-size:.75rem}
figure img{display:block;max-width:96px;max-height:96px;background:#8882}
.group{border-left:3px solid var(--rule);padding-left:.75rem;margin:.75rem 0}
"""


def to_html(found: Check, pack: Pack) -> str:
    """The page. The pictures it shows are decoded again, a few hundred at most."""
    return whole(_title(found), "".join(_parts(found, _thumbnails(pack))), style=STYLE)


def _title(found: Check) -> str:
    return f"Images of {found.data}"


def _parts(found: Check, picture: Picture) -> Iterator[str]:
    yield f"<h1>{text(_title(found))}</h1>\n"
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
    cells = "".join(f'<tr><th scope="row">{what}<td class="n">{number:,}' for what, number in rows.items())
    return f"<table>{cells}</table>\n"


def _rejects(rejected: Sequence[Facts]) -> str:
    """All of them by name and reason: there is no picture to show."""
    if not rejected:
        return ""
    rows = "".join(
        f"<tr><td>{text(one.name)}<td>{text(kind_of(one.error or '', one.name))}"
        f'<td class="note">{text(one.error or "")}'
        for one in rejected
    )
    head = f'<h2 id="rejected">Cannot be used: {counted(len(rejected), "file")}</h2>\n'
    table = f"<table><tr><th>file<th>why<th>in full{rows}</table>"
    return f'{head}<div class="scroll">{table}</div>\n'


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
    head = f'<h2 id="{anchor}">{text(title)}: {counted(len(members), "file")}</h2>\n'
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
    note = f'<br><span class="note">{text(caption)}</span>' if caption else ""
    uri = picture(one)
    image = f'<img alt="" src="{uri}">' if uri else ""
    return f"<figure>{image}<figcaption>{text(one.name)}{note}</figcaption></figure>"


def _more(members: Sequence[object], shown: int = MAX_SHOWN) -> str:
    return f" The first {shown} of {len(members):,}; --json names all." if len(members) > shown else ""


def _thumbnails(pack: Pack) -> Picture:
    def picture(one: Facts) -> str:
        try:
            with pack.open(one.index) as file:
                image = decode_resized(file, one.name, THUMBNAIL)
            data = encode_image(image, "JPEG", 80, one.name)
        except (UserError, OSError):  # it is gone since
            return ""
        return data_uri(data, "jpeg")

    return picture
