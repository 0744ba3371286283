"""What was measured of a model, as parts of its card's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from swapae.cards.figures import ends_of, is_end, number, written

Card = Mapping[str, Any]


def measured(report: Card) -> str:
    """A heading and a table: the model beside the trivial answers."""
    metrics, errors, answers = report["metrics"], report["standard_errors"], report["answers"]
    rows = [
        (
            name,
            written(metrics[name], ends_of(name, metrics), errors.get(name)),
            *(number(found[name]) if name in found else "" for found in answers.values()),
        )
        for name in metrics
        if not is_end(name, metrics)
    ]
    return f"{_heading(report)}\n\n{table(('', 'this model', *answers), rows)}"


def _heading(report: Card) -> str:
    pairs, size, seed = report["pairs"], report["size"], report["seed"]
    if report["data"] == "synthetic":
        kinds = {
            "seen": "forms and materials of its training",
            "held_out": "forms and materials it never saw",
        }
        return (
            f"Against true swaps, {kinds[report['split']]} (`--split {report['split']}`, {pairs:,} pairs, "
            f"seed {seed}, {size}², {report['net']}; docs/synthetic-benchmark.md):"
        )
    photos = f"{report['images']:,} photos of `{report['data']}`"
    return f"On {photos}, {pairs:,} pairs, seed {seed}, {size}² (docs/metrics.md):"


def speeds(speed: Card) -> str:
    """Milliseconds by operation and size, and where they were measured."""
    times = speed["milliseconds"]
    operations = list(dict.fromkeys(name for found in times.values() for name in found))
    rows = [
        (name, *(f"{found[name]:.1f}" if name in found else "" for found in times.values()))
        for name in operations
    ]
    sides = [f"{side}²" for side in times]
    load = f", load average {speed['load']:g}" if "load" in speed else ""
    where = (
        f"Milliseconds for one image on {speed['processor']} ({speed['device']}), {speed['threads']} of "
        f"{speed['cores']} cores, backend {speed['backend']}{load}:"
    )
    return f"{where}\n\n{table(('', *sides), rows)}"


def findings(reports: Sequence[Card]) -> list[str]:
    """What the figures say, in words."""
    found: list[str] = []
    for report in reports:
        found += _of_true_swaps(report) if report["data"] == "synthetic" else _of_photos(report)
    return found


def _of_true_swaps(report: Card) -> list[str]:
    mine, answers = report["metrics"], report["answers"]
    kinds = "of its training" if report["split"] == "seen" else "that it never saw"
    share, own = mine["hybrid_nearer_truth"], mine["hybrid_lpips"]
    colours = answers["colour transfer"]["hybrid_lpips"]
    side = "nearer" if own < colours else "not nearer"
    return [
        f"On forms and materials {kinds}, {share:.0%} of hybrids are nearer the true swap than both "
        f"pictures they are made of; on the average they are {side} than what a change of colours gives "
        f"(LPIPS {number(own)} against {number(colours)})."
    ]


def _of_photos(report: Card) -> list[str]:
    found, mine = [], report["metrics"]
    shares = [name for name in mine if name.startswith(("ColorNearer", "StructureNearer"))]
    for name in (name for name in shares if not is_end(name, mine)):
        what = "colours than to the structure" if name == "ColorNearer" else "layout than to the texture"
        side = "texture" if name == "ColorNearer" else "structure"
        found.append(f"{mine[name]:.0%} of hybrids are nearer the {side} photo's {what} photo's ({name}).")
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows as a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
