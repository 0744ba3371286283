"""The page of a model in the box, from the data of its card.

    python -m benchmarks.model_card NAME [--report REPORT.json …]

writes src/swapae/models/NAME/README.md anew, with other evaluations (`swapae eval NAME -o …`) if they are
given.
Nobody edits a page: a test compares it with what is made here.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swapae import box
from swapae.errors import UserError
from swapae.evaluation.report import cell, is_end, number
from swapae.files import write_text

FORMAT = "swapae.card/1"
KEPT = ("data", "split", "images", "size", "pairs", "seed", "generator", "benchmark", "net")
KEPT += ("metrics", "standard_errors", "answers", "speed")

Card = Mapping[str, Any]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def page(card: Card) -> str:
    """Write the card as Markdown, with the front matter that model hubs read."""
    name, data, size = card["name"], card["data"], card["image_size"]
    structure = "×".join(map(str, card["codes"]["structure"]))
    parts = [
        "---\n"
        f"license: {card['license'].lower()}\n"
        "library_name: swapae\n"
        "pipeline_tag: image-to-image\n"
        "tags: [swapping-autoencoder, texture, image-editing]\n"
        "---",
        f"# {name}",
        f"{card['about'][0].upper()}{card['about'][1:]}. A swapping autoencoder for {size}×{size} images: "
        f"structure code {structure}, texture code {card['codes']['texture']}. It comes with the program "
        f"`swapae`.",
        f"![Swaps by {name}]({card['picture']})",
        "```sh\n"
        f"swapae swap structure.png texture.png -m {name} -o out.png\n"
        "```\n\n"
        "```python\n"
        "from swapae import SwappingAutoencoder, gallery\n\n"
        f'model = SwappingAutoencoder.from_pretrained("{name}")\n'
        f'samples = gallery("{name}")\n'
        "```",
        "## Data and licence",
        f"{data['about']}\n\n- Licence of the data: {data['license']}\n"
        f"- Licence of these weights and of the gallery: {card['license']}; they were trained by this "
        f"project from scratch, without any pretrained network.",
        "## What the training cost",
        _cost(card["training"]),
        "The settings that differ from the published ones for 256² images (`church_pretrained`); card.json "
        "has "
        f"all of them:\n\n{_departures(card['departures'])}",
        "## How well it swaps",
        *(_evaluation(report) for report in card["evaluations"]),
        _measured(card),
        *(f"## How fast\n\n{_speed(report['speed'])}" for report in card["evaluations"] if "speed" in report),
        "## Limits",
        "\n".join(f"- {limit}" for limit in (*card["limits"], *_findings(card))),
        "## Files",
        _files(card),
        "This page was made by `python -m benchmarks.model_card` from card.json.",
    ]
    return "\n\n".join(parts) + "\n"


def _cost(training: Card) -> str:
    hours, minutes = divmod(round(training["minutes"]), 60)
    time = f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    stretches = f", in {training['stretches']} stretches" if training["stretches"] > 1 else ""
    return (
        f"{training['images_seen']:,} images seen in {time}{stretches}, on {training['machine']}; batches of "
        f"{training['config']['batch_size']}."
    )


def _departures(rows: Sequence[Sequence[object]]) -> str:
    return _table(
        ("setting", "published", "here"), [(f"`{name}`", _word(a), _word(b)) for name, a, b in rows]
    )


def _word(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list | tuple | dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _evaluation(report: Card) -> str:
    """A heading and a table: the model beside the trivial answers."""
    metrics, errors, answers = report["metrics"], report["standard_errors"], report["answers"]
    rows = [
        (name, cell(name, metrics, errors), *(_cell(found, name) for found in answers.values()))
        for name in metrics
        if not is_end(name, metrics)
    ]
    return f"{_heading(report)}\n\n{_table(('', 'this model', *answers), rows)}"


def _cell(found: Card, name: str) -> str:
    return number(found[name]) if name in found else ""


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


def _measured(card: Card) -> str:
    rounding = card["rounding"]
    return (
        "Weights are stored in half precision and load as float32. On the gallery that moves decoded "
        "pictures "
        f"by {rounding['mean']:.2f} of 255 levels on the average, by {rounding['largest']} at the most."
    )


def _speed(speed: Card) -> str:
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
    return f"{where}\n\n{_table(('', *sides), rows)}"


def _findings(card: Card) -> list[str]:
    """What the figures say, in words."""
    found = []
    for report in card["evaluations"]:
        mine, answers = report["metrics"], report["answers"]
        if report["data"] == "synthetic":
            kinds = "of its training" if report["split"] == "seen" else "that it never saw"
            share, own = mine["hybrid_nearer_truth"], mine["hybrid_lpips"]
            colours = answers["colour transfer"]["hybrid_lpips"]
            side = "nearer" if own < colours else "not nearer"
            found.append(
                f"On forms and materials {kinds}, {share:.0%} of hybrids are nearer the true swap than both "
                f"pictures they are made of; on the average they are {side} than what a change of colours "
                f"gives "
                f"(LPIPS {number(own)} against {number(colours)})."
            )
            continue
        shares = [name for name in mine if name.startswith(("ColorNearer", "StructureNearer"))]
        for name in (name for name in shares if not is_end(name, mine)):
            what = "colours than to the structure" if name == "ColorNearer" else "layout than to the texture"
            side = "texture" if name == "ColorNearer" else "structure"
            found.append(
                f"{mine[name]:.0%} of hybrids are nearer the {side} photo's {what} photo's ({name})."
            )
    return found


def _files(card: Card) -> str:
    parameters = card["parameters"]
    return _table(
        ("file", "what"),
        [
            (
                f"`{box.WEIGHTS}`",
                f"averaged weights of encoder ({parameters['encoder']:,}) and generator "
                f"({parameters['generator']:,}), {card['precision']}, {card['bytes'] / 1e6:.1f} MB, "
                f"SHA-256 `{card['sha256']}`",
            ),
            ("`config.json`", "the shape of the networks, which the weights' file holds too"),
            (
                f"`{box.DIRECTIONS}`",
                f"directions to move codes along (`swapae edit … --along {card['directions'][0]}=+1.5`): "
                f"{', '.join(card['directions'])}",
            ),
            (f"`{box.GALLERY}/`", f"{len(card['gallery'])} samples: {', '.join(card['gallery'])}"),
            (f"`{box.CARD}`", "the data of this page"),
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


# ── its data ─────────────────────────────────────────────────────────────────────────────────────


def read_reports(files: Sequence[Path], models: Sequence[str], size: int) -> list[dict[str, Any]]:
    """Read reports of `swapae eval -o`, and keep what is no path of this machine.

    Args:
        files: the reports.
        models: how the model may be called there; others are refused.
        size: of its images.

    Raises:
        UserError: a file is no report, or one of another model or size.
    """
    reports = []
    for file in files:
        try:
            report = json.loads(file.read_text(encoding="utf-8"))
            model, metrics = report["model"], report["metrics"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{file} is no report of `swapae eval -o`.") from error
        if str(model) not in models and str(Path(model).resolve()) not in models:
            raise UserError(f"{file} is of {model}, not of this model ({', '.join(models)}).")
        if report["size"] != size or not metrics:
            raise UserError(f"{file} was measured at {report['size']} px, this model's images have {size}.")
        kept = {key: report[key] for key in KEPT if key in report}
        reports.append(kept | {"data": Path(str(report["data"])).name})
    return reports


def write(folder: Path, card: Card) -> None:
    """Write card.json and the page."""
    write_text(folder / box.CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / box.CARD_PAGE, page(card))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page of a model anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_card", description=page.__doc__)
    parser.add_argument("name", metavar="NAME", help="of a model in the box")
    parser.add_argument(
        "--report", type=Path, nargs="+", default=[], help="evaluations to take, in this order"
    )
    options = parser.parse_args(arguments)
    try:
        card, folder = box.card_of(options.name), box.required(options.name)
        names = [options.name, str(folder)]
        reports = read_reports(options.report, names, card["image_size"])
        write(folder, card | ({"evaluations": reports} if reports else {}))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {folder / box.CARD_PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
