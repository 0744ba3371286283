"""Put the reports of several models on the same images and pairs side by side, as one markdown table.

    swapae eval runs/a --data photos/validation -o measured/a     # and so for each
    python -m benchmarks.side_by_side measured/a/report.json measured/b/report.json [-o table.md]

Figures stand with their 95 % intervals, and behind them how the first model compares with each other: by how
many times its error is less, or by how much more it has where more is better; above 1 ×, or above 0, it is
ahead. The trivial answers follow, and above all stands how long each was trained, where the log of its
training lies beside its weights.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swapae.cards.figures import is_end, number
from swapae.errors import UserError
from swapae.evaluation.figures import about, interval
from swapae.files import check_free, shown, write_text

Report = Mapping[str, Any]
Known = tuple[float, tuple[float, float] | None]  # a figure and its interval

SAME = ("images", "pairs", "seed", "size", "split", "generator", "benchmark", "net")  # in all reports
NONE = "–"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, compare, write or print; returns the exit status."""
    options = parse(arguments)
    try:
        if options.out is not None:
            check_free(options.out, options.force)
        reports = [read(path) for path in options.reports]
        names = options.names or names_of([str(report["model"]) for report in reports])
        text = page(same(options.reports, reports), names)
        if options.out is not None:
            write_text(options.out, text)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.out is None:
        print(text, end="")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.side_by_side", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT", help="report.json of swapae eval")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="what to call the models")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="where to write the table")
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")
    options = parser.parse_args(arguments)
    if options.names and len(options.names) != len(options.reports):
        parser.error(f"{len(options.names)} names for {len(options.reports)} reports")
    return options


# ── reports ──────────────────────────────────────────────────────────────────────────────────────


def read(path: Path) -> Report:
    """Read one report.

    Raises:
        UserError: it is none.
    """
    try:
        report = json.loads(path.read_text("utf-8"))
        parts = [report[name] for name in ("metrics", "standard_errors", "answers")]
        if not all(isinstance(part, dict) for part in parts) or "model" not in report:
            raise ValueError("its figures are not by name")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{shown(path)} is no report of swapae eval ({shown(error)}).") from None
    found: Report = report
    return found


def same(paths: Sequence[Path], reports: Sequence[Report]) -> Sequence[Report]:
    """Give the reports back if they are of the same images and pairs.

    Raises:
        UserError: they are not, or the trivial answers, which no model changes, came out otherwise.
    """
    first = reports[0]
    for path, report in zip(paths[1:], reports[1:], strict=True):
        both = f"{shown(paths[0])} and {shown(path)} do not compare"
        for key in SAME:
            if first.get(key) != report.get(key):
                raise UserError(f"{both}: {key} is {shown(first.get(key))} and {shown(report.get(key))}.")
        for answer, figures in first["answers"].items():
            for name, value in figures.items():
                other = report["answers"].get(answer, {}).get(name, value)
                if abs(value - other) > 1e-3 * max(1e-2, abs(value)):
                    raise UserError(
                        f"{both}: {name} of {answer} is {number(value)} and {number(other)}, so they are of "
                        f"other images, or of other versions."
                    )
    return reports


def names_of(models: Sequence[str]) -> list[str]:
    """Short names of models: the ends of their paths, as long as it takes to tell them apart."""
    parts = [Path(model).parts or (model,) for model in models]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(own[-length:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({place})" for place, name in enumerate(models, 1)]


def training(report: Report) -> tuple[str, str]:
    """Images seen and minutes of the training of a model whose folder holds its log."""
    try:
        *_, last = (Path(report["model"]) / "log.jsonl").read_text("utf-8").splitlines()
        line = json.loads(last)
        return f"{int(line['images_seen']):,}", f"{line['seconds'] / 60:.0f}"
    except (OSError, ValueError, TypeError, KeyError):
        return NONE, NONE


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def page(reports: Sequence[Report], names: Sequence[str]) -> str:
    """Compose heading and table."""
    first = reports[0]
    number_of_images = f"{first['images']:,} images, " if "images" in first else ""
    heading = (
        f"{number_of_images}{first['pairs']:,} pairs, {first['size']}², seed {first['seed']}, 95 % intervals."
    )
    answers: Mapping[str, Report] = first["answers"]
    columns = ["", *names, *(f"{names[0]} against {other}" for other in names[1:]), *answers]
    rows = [columns, ["---"] * len(columns)]
    blank = [""] * (len(columns) - 1 - len(names))
    images_seen, minutes = zip(*map(training, reports), strict=True)
    rows += [["images seen", *images_seen, *blank], ["minutes of training", *minutes, *blank]]
    for name in (name for name in first["metrics"] if not is_end(name, first["metrics"])):
        known = [figure(name, report) for report in reports]
        arrow = {"low": " ↓", "high": " ↑"}.get(about(name).better, "")
        rows.append(
            [
                f"{name}{arrow}",
                *map(spelled, known),
                *(against(name, known[0], other) for other in known[1:]),
                *(number(found[name]) if name in found else "" for found in answers.values()),
            ]
        )
    return "\n".join([heading, "", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def figure(name: str, report: Report) -> Known | None:
    """A figure of a report with its interval."""
    if name not in report["metrics"]:
        return None
    metrics, errors = report["metrics"], report["standard_errors"]
    return metrics[name], interval(name, metrics, errors, report["pairs"])


def spelled(known: Known | None) -> str:
    """A figure, and its interval if it has one."""
    if known is None:
        return NONE
    value, ends = known
    return number(value) + (f" ({number(ends[0])} to {number(ends[1])})" if ends else "")


def against(name: str, mine: Known | None, other: Known | None) -> str:
    """How much better a figure is than another: as a ratio where less is better, else as a difference."""
    if mine is None or other is None or not (better := about(name).better):
        return NONE
    if better == "high":
        value, ends = mine[0] - other[0], difference(mine, other)
        return f"{value:+.3f}" + (f" ({ends[0]:+.3f} to {ends[1]:+.3f})" if ends else "")
    if mine[0] <= 0 or other[0] <= 0:
        return NONE
    ends = ratio(other, mine)
    return f"{other[0] / mine[0]:.2f} ×" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")


# ── intervals of two figures ─────────────────────────────────────────────────────────────────────


def difference(a: Known, b: Known) -> tuple[float, float] | None:
    """The interval of a - b of independent figures by theirs (Newcombe, 1998, method 10)."""
    if a[1] is None or b[1] is None:
        return None
    down = ((a[0] - a[1][0]) ** 2 + (b[1][1] - b[0]) ** 2) ** 0.5
    up = ((a[1][1] - a[0]) ** 2 + (b[0] - b[1][0]) ** 2) ** 0.5
    return a[0] - b[0] - down, a[0] - b[0] + up


def ratio(a: Known, b: Known) -> tuple[float, float] | None:
    """The interval of a / b of independent figures (Fieller, 1954); None where b may be 0.

    It holds each r for which a - r b is not further from 0 than 1.96 of its standard errors.
    """
    if a[1] is None or b[1] is None:
        return None
    reach_a, reach_b = ((ends[1] - ends[0]) / 2 for ends in (a[1], b[1]))  # Z standard errors
    below = b[0] ** 2 - reach_b**2
    if below <= 0:
        return None
    product = a[0] * b[0]
    root = (product**2 - below * (a[0] ** 2 - reach_a**2)) ** 0.5
    return (product - root) / below, (product + root) / below


if __name__ == "__main__":
    sys.exit(main())
