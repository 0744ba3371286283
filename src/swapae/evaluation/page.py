"""The report of an evaluation as a page: one file that loads nothing, with its pictures in it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from swapae.cards.figures import is_end, number
from swapae.evaluation.figures import about, interval, is_share
from swapae.evaluation.gallery import Case, Section
from swapae.evaluation.report import Report
from swapae.pages.shell import asset, text, whole

ARROWS = {"low": "↓ low", "high": "↑ high", "": ""}

# What was measured, in this order: key of the report → how the page calls it.
FACTS = {
    "model": "model",
    "data": "data",
    "split": "split",
    "images": "images",
    "pairs": "pairs",
    "seed": "seed of the pairs",
    "size": "side of the images in pixels",
    "generator": "version of the generator",
    "benchmark": "version of the benchmark",
    "net": "distances by",
    "device": "device",
    "backend": "backend",
}


def page(report: Report, sections: Sequence[Section]) -> str:
    """Make the page.

    Args:
        report: what `swapae eval --json` prints.
        sections: cases to look at.
    """
    title = f"{name_of(report)} on {report['data']}"
    return whole(title, "".join(_body(report, sections)), style=asset("swapae.evaluation", "page.css"))


def _body(report: Report, sections: Sequence[Section]) -> Iterator[str]:
    names = [
        "Figures",
        *(["Speed"] if "speed" in report else []),
        *(one.title for one in sections),
        "Measured",
    ]
    links = "".join(f'<a href="#{anchor(name)}">{text(name)}</a>' for name in names)
    yield f"<header>\n<h1>{text(name_of(report))}</h1>\n<p>{text(summary(report))}</p>\n"
    yield f'<nav aria-label="Parts of this page">{links}</nav>\n</header>\n<main>\n'
    yield heading("Figures") + figures(report)
    if "speed" in report:
        yield heading("Speed") + speed(report["speed"])
    for one in sections:
        yield heading(one.title) + cases(one)
    yield heading("Measured", "What was measured") + facts(report)
    yield '</main>\n<footer><p class="note">Written by swapae eval. This page loads nothing.</p></footer>\n'


def name_of(report: Report) -> str:
    """The last part of the model's path; all of it stands in the table of what was measured."""
    model = str(report["model"])
    return PurePath(model).name or model


def summary(report: Report) -> str:
    """Say in a line what was measured."""
    split = f" ({str(report['split']).replace('_', ' ')})" if "split" in report else ""
    parts = [f"How it reconstructs and swaps: {report['data']}{split}"]
    if report.get("images") is not None:
        parts.append(f"{report['images']:,} images")
    parts += [f"{report['pairs']:,} pairs", f"{report['size']} × {report['size']} pixels"]
    return " · ".join(parts)


def heading(name: str, words: str | None = None) -> str:
    """A heading that links can lead to."""
    return f'<h2 id="{anchor(name)}">{text(words or name)}</h2>\n'


def anchor(name: str) -> str:
    """A name as part of an address."""
    return name.lower().replace(" ", "-")


# ── figures ──────────────────────────────────────────────────────────────────────────────────────


def figures(report: Report) -> str:
    """The table of all metrics with their intervals, and of the trivial answers beside them."""
    metrics, answers = _mapping(report["metrics"]), _mapping(report.get("answers", {}))
    if not metrics:
        return '<p class="soft">Nothing was measured.</p>\n'
    heads = ["better", "model", *answers]
    head = '<th scope="col">figure</th>' + "".join(
        f'<th scope="col"{_class(i)}>{text(name)}</th>' for i, name in enumerate(heads)
    )
    names = [name for name in metrics if not is_end(name, metrics)]
    body = "".join(f"<tr>{_row(name, report, answers)}</tr>\n" for name in names)
    note = "Below figures their 95 % intervals."
    if answers:
        note += " Beside them what is got without any model."
    return _table(f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>", "figures", note)


def _class(column: int) -> str:
    return ' class="n"' if column else ""


def _row(name: str, report: Report, answers: Mapping[str, Any]) -> str:
    metrics, errors = _mapping(report["metrics"]), _mapping(report.get("standard_errors", {}))
    says = f'<span class="note">{text(about(name).says)}</span>' if about(name).says else ""
    cells = [f'<th scope="row">{text(name)}{says}</th>', f"<td>{ARROWS[about(name).better]}</td>"]
    cells.append(f'<td class="n own">{_cell(name, metrics, errors, int(str(report["pairs"])))}</td>')
    cells += [f'<td class="n">{_cell(name, found, {}, 0)}</td>' for found in answers.values()]
    return "".join(cells)


def _cell(name: str, figures: Mapping[str, float], errors: Mapping[str, float], count: int) -> str:
    if name not in figures:
        return "–"
    ends = interval(name, figures, errors, count)
    reach = f'<span class="note">{number(ends[0])} – {number(ends[1])}</span>' if ends else ""
    return f"{number(figures[name])}{reach}"


# ── speed ────────────────────────────────────────────────────────────────────────────────────────

OPERATIONS = ("encode", "decode", "swap")


def speed(found: object) -> str:
    """The table of times, and why some are not in it."""
    said = _mapping(found)
    milliseconds, skipped = _mapping(said["milliseconds"]), _mapping(said["skipped"])
    sides = sorted({*milliseconds, *skipped}, key=int)
    head = "".join(f'<th scope="col" class="n">{side} × {side}</th>' for side in sides)
    lines = [f'<thead><tr><th scope="col">milliseconds</th>{head}</tr></thead>\n<tbody>']
    for name in OPERATIONS:
        times = (milliseconds.get(side, {}).get(name) for side in sides)
        row = "".join(f'<td class="n">{"–" if time is None else f"{time:,.1f}"}</td>' for time in times)
        lines.append(f'<tr><th scope="row">{name}</th>{row}</tr>')
    why = "".join(
        f'<p class="note">{side} × {side}: {text(skipped[side])}</p>\n' for side in sides if side in skipped
    )
    note = "One image at a time, warm, median of a few rounds; a swap is two embeddings and a decoding. "
    note += where(said)
    return _table("\n".join([*lines, "</tbody>"]), "speed", note) + why


def where(said: Mapping[str, Any]) -> str:
    """Name the machine and how it was used."""
    threads = f"{said['threads']} thread" + ("" if said["threads"] == 1 else "s")
    parts = [f"{said['device']}: {said['processor']}", f"{threads} on {said['cores']} cores"]
    parts.append(f"backend {said['backend']}")
    if said.get("kernels"):
        parts.append(f"kernels {said['kernels']}")
    if said.get("load") is not None:
        parts.append(f"load before {said['load']}")
    return f"{', '.join(parts)}."


# ── cases ────────────────────────────────────────────────────────────────────────────────────────


def cases(one: Section) -> str:
    """Groups of cases under their names."""
    parts = [f"<p>{text(one.note)}</p>\n"]
    for name, some in one.groups.items():
        wide = max((len(case.pictures) for case in some), default=1)
        shown = "".join(_figure(case, one.figure) for case in some)
        parts.append(
            f'<h3>{text(name.capitalize())}</h3>\n<div class="cases" style="--case:{_width(wide)}rem">\n'
        )
        parts.append(f"{shown}</div>\n")
    return "".join(parts)


def _width(num_pictures: int) -> int:
    return 8 * num_pictures + 2


def _figure(case: Case, ranked: str) -> str:
    num = len(case.pictures)
    pictures = "".join(
        f'<li><img src="{address}" alt="{text(f"{caption}, {case.name}")}">{text(caption)}</li>'
        for caption, address in case.pictures.items()
    )
    own = "".join(
        f"<div{_ranked(name == ranked)}><dt>{text(name)}</dt><dd>{of_one(name, value)}</dd></div>"
        for name, value in case.figures.items()
    )
    detail = f'<p class="note">{text(case.detail)}</p>' if case.detail else ""
    figures = f'<dl class="own-figures">{own}</dl>' if own else ""
    return (
        f'<figure class="card"><ul class="pictures of-{num}" style="--columns:{num}">{pictures}</ul>'
        f"<figcaption><b>{text(case.name)}</b>{detail}{figures}</figcaption></figure>\n"
    )


def _ranked(is_ranked: bool) -> str:
    return ' class="ranked"' if is_ranked else ""


def of_one(name: str, value: float) -> str:
    """A figure of a single case: that a share counts it, or not, is a word."""
    if is_share(name):
        return "yes" if value else "no"
    return number(value)


# ── what was measured ────────────────────────────────────────────────────────────────────────────


def facts(report: Report) -> str:
    """List what was measured, of what, when, and by which versions."""
    found = [(words, str(report[key])) for key, words in FACTS.items() if report.get(key) is not None]
    found.append(("date", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())))
    found += [(name, str(value)) for name, value in _mapping(report.get("versions", {})).items()]
    unreadable = report.get("unreadable")
    if isinstance(unreadable, list):
        found.append(("images that cannot be read", f"{len(unreadable):,}"))
    body = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>\n' for name, value in found
    )
    listed = _names(unreadable) if isinstance(unreadable, list) and unreadable else ""
    return _table(f"<tbody>\n{body}</tbody>", "facts") + listed


MAX_NAMED = 100


def _names(unreadable: Sequence[object]) -> str:
    items = "".join(f"<li>{text(one)}</li>" for one in unreadable[:MAX_NAMED])
    more = len(unreadable) - MAX_NAMED
    rest = f'<p class="note">… and {more:,} more, in report.json.</p>' if more > 0 else ""
    return f"<details><summary>Images that cannot be read</summary><ul>{items}</ul>{rest}</details>\n"


def _table(inside: str, kind: str, note: str = "") -> str:
    """A table that scrolls by itself where the screen is narrow, also by keys."""
    head = f'<p class="note">{text(note)}</p>\n' if note else ""
    label = f'role="region" aria-label="table of {kind}" tabindex="0"'
    return f'{head}<div class="scroll" {label}><table class="{kind}">{inside}</table></div>\n'


def _mapping(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
