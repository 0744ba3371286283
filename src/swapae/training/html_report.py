"""`RUN/report.html`: a training at a glance, in one file that opens from the disk and loads nothing else.

The page is made from what lies in the run directory: config, data report, log, sample grids. What they hold
is foreign text; all of it is escaped, and a policy in the page lets no script run but the page's own.
"""

import json
import time
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby
from pathlib import Path

from swapae.config import describe
from swapae.errors import UserError
from swapae.files import shown, write_text
from swapae.pages.shell import asset, filled, whole
from swapae.training.config import TrainConfig
from swapae.training.curves import Chart, Curve, charts_for, thinned
from swapae.training.history import History
from swapae.training.origin import read_record
from swapae.training.report import duration
from swapae.training.run import RunFolder
from swapae.training.samples import KINDS, grids_in
from swapae.training.svg import draw

MAX_SKIPPED = 1000  # unusable files that the page lists


def write_report(run: RunFolder, config: TrainConfig, history: History) -> None:
    """Write the report of a run, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    write_text(run.report, page(run, config, history))


def page(run: RunFolder, config: TrainConfig, history: History) -> str:
    """Make the page of a log and of what the run directory holds now; what is not there is left out."""
    charts = [(chart, curves_of(chart, history)) for chart in charts_for(history.y)]
    grids = moments(run.snapshots)
    name, script = run.root.resolve().name, asset("swapae.training", "report.js")
    parts = {
        "name": escape(shown(name)),
        "status": status(history.last, config),
        "share": f"{min(1.0, history.last.get('images_seen', 0) / config.total_images):.4f}",
        "warnings": warnings(history.watch.complaints().values()),
        "samples": samples(grids),
        "charts": cards(charts),
        "data": data(run.data) + began_with(run),
        "config": settings(config),
        "numbers": numbers(grids, charts),
        "script": script,
    }
    body = filled(asset("swapae.training", "report.html"), parts)
    style = asset("swapae.training", "report.css")
    return whole(name, body, style=style, script=script, pictures="'self' file: data:")


# ── how it goes ──────────────────────────────────────────────────────────────────────────────────


def status(last: Mapping[str, float], config: TrainConfig) -> str:
    """Say how far the run is by the last line of its log, and how long it takes yet."""
    if not last:
        return "The log has no line yet."
    seen, speed = int(last["images_seen"]), last.get("images_per_second", 0.0)
    words = [f"{seen:,} of {config.total_images:,} images", f"{duration(last.get('seconds', 0))} spent"]
    if speed > 0:
        left = duration(max(0, config.total_images - seen) / speed)
        words += [f"{speed:.3g} images a second", f"{left} left"]
    words.append(time.strftime("written %Y-%m-%d %H:%M"))
    return escape(" · ".join(words))


def warnings(sentences: Iterable[str]) -> str:
    """Show what is wrong."""
    return "".join(f'<p class="warning" role="status">{escape(text)}</p>' for text in sentences)


# ── samples ──────────────────────────────────────────────────────────────────────────────────────

Moments = list[tuple[int, dict[str, str]]]  # images seen; kind → file


def moments(folder: Path) -> Moments:
    """Find the grids there are, by the time they were drawn at."""
    found = groupby(grids_in(folder), key=lambda grid: grid[0])
    return [(seen, {kind: name for _, kind, name in some}) for seen, some in found]


def samples(grids: Moments) -> str:
    """Show the latest grid, and, with a script, any."""
    if not grids:
        return '<p class="soft">No samples have been drawn yet.</p>'
    seen, latest = grids[-1]
    kinds = [kind for kind in KINDS if any(kind in there for _, there in grids)]
    first = latest.get(kinds[0]) or next(iter(latest.values()))
    options = "".join(f'<option value="{kind}">{KINDS[kind]}</option>' for kind in kinds)
    last = len(grids) - 1
    return (
        '<figure id="samples" class="card">'
        '<div class="controls" hidden>'
        f'<span class="soft">Time</span><input type="range" min="0" max="{last}" value="{last}" '
        'aria-label="images seen"><button type="button">Play</button>'
        f'<select aria-label="which samples">{options}</select></div>'
        f'<figcaption class="soft">{seen:,} images</figcaption>'
        f'<a href="snapshots/{first}"><img src="snapshots/{first}" alt="samples after {seen:,} images"></a>'
        '<p class="note">Rows: images; their structure codes as colours; their reconstructions; hybrids, '
        "with the structure of the image above them and the texture of its neighbour (columns 1 and 2, "
        "3 and 4, …).</p></figure>"
    )


# ── curves ───────────────────────────────────────────────────────────────────────────────────────

Charts = list[tuple[Chart, dict[str, Curve]]]


def curves_of(chart: Chart, history: History) -> dict[str, Curve]:
    """Thin out the columns that a chart shows."""
    return {name: thinned(history.x[name], history.y[name]) for name in chart.names if name in history.y}


def cards(charts: Charts) -> str:
    """Draw the charts, each with title, legend and a note."""
    if not charts:
        return '<p class="soft">The log has no line yet.</p>'
    return f'<div class="charts">{"".join(_card(i, *chart) for i, chart in enumerate(charts))}</div>'


def _card(number: int, chart: Chart, curves: Mapping[str, Curve]) -> str:
    legend = "".join(
        f'<li class="c{i}">{escape(name)}<output>{curve.mean[-1]:.4g}</output></li>'
        for i, (name, curve) in enumerate(curves.items())
    )
    note = f'<p class="note">{escape(chart.note)}</p>' if chart.note else ""
    return (
        f'<section class="card" data-chart="{number}"><h3>{escape(chart.title)}</h3>'
        f"{draw(curves, title=chart.title, is_log=chart.is_log)}"
        f'<ul class="legend">{legend}</ul>{note}</section>'
    )


def numbers(grids: Moments, charts: Charts) -> str:
    """Give the script its numbers, as JSON that cannot end its element."""
    drawn = [
        [([float(f"{x:.7g}") for x in c.x], [float(f"{y:.5g}") for y in c.mean]) for c in curves.values()]
        for _, curves in charts
    ]
    text = json.dumps({"grids": grids, "charts": drawn}, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


# ── data and config ──────────────────────────────────────────────────────────────────────────────


def data(path: Path) -> str:
    """Show where the images come from, and the files that cannot be used."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        skipped = [(str(entry["file"]), str(entry["reason"])) for entry in report["skipped"]]
        count = "without end" if report["num_images"] is None else f"{int(report['num_images']):,}"
        rows = [("data", str(report["data"])), ("folder", str(report.get("folder"))), ("images", count)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return '<p class="soft">There is no data report.</p>'
    rows.append(("files that cannot be used", f"{len(skipped):,}"))
    text = _table([(name, shown(value)) for name, value in rows if value != "None"])
    if not skipped:
        return text
    more = len(skipped) - MAX_SKIPPED
    rest = f'<p class="note">… and {more:,} more, in data.json.</p>' if more > 0 else ""
    listed = _table([(shown(name), shown(reason)) for name, reason in skipped[:MAX_SKIPPED]])
    return f"{text}<details><summary>Files that cannot be used, and why</summary>{listed}{rest}</details>"


def began_with(run: RunFolder) -> str:
    """Show whose weights the run began with, if it did, and how much of each network was taken."""
    try:
        record = read_record(run)
        if record is None:
            return ""
        rows = [("began with", str(record["place"]))]
        for network, one in record["networks"].items():
            rows.append(
                (str(network), f"{one['parameters_taken']:,} of {one['parameters']:,} parameters taken")
            )
    except (UserError, ValueError, TypeError, KeyError, AttributeError):
        return ""
    return _table([(name, shown(value)) for name, value in rows])


def settings(config: TrainConfig) -> str:
    """List every field of the config."""
    rows = []
    for one in describe(config):
        value = str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
        rows.append((one.name, shown(value), one.doc or ""))
    return f"<details open><summary>{len(rows)} fields</summary>{_table(rows)}</details>"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = []
    for name, value, *rest in rows:
        cells = f'<td>{escape(name)}</td><td class="value">{escape(value)}</td>'
        lines.append(f"<tr>{cells}{''.join(f'<td>{escape(text)}</td>' for text in rest)}</tr>")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'
