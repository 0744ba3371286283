"""Write `docs/benchmarks.md` from measured rows: `python -m benchmarks.table RESULTS.jsonl [-o FILE]`."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

Row = dict[str, Any]

TITLES = {
    "inference": "Encode, decode, swap, grid",
    "train_step": "Training",
    "memory": "Peak memory",
    "data": "Loading a picture",
    "cold_start": "Cold start",
    "runtimes": "ONNX Runtime and PyTorch",
    "ops": "Single operations",
}
NOTES = {
    "inference": "A grid is 5 × 5: the published evaluator encodes every image twice (20 encodes, 25"
    " decodes), the package once (10 and 25).",
    "train_step": "An iteration is a D step, a G step and a sixteenth of an R1 step.",
    "memory": "Above the loaded model, in the first call of a new process. Steps make gradients and Adam's "
    "moments in it.",
    "data": "Of a 1024² JPEG to a 256² tensor, a picture on one core; the plain path is Pillow's full"
    " decoding and bicubic resizing.",
    "cold_start": "Import, load and first swap in a new process, less `import torch` and less a warm swap."
    " The baseline makes all four networks and fills them from a pickled file.",
    "runtimes": "By `python -m benchmarks.runtimes`, one image, in ms: on one thread the least time of the"
    " processor, as others used the machine, on more the median on the wall. ×ONNX and ×int8: how many times"
    " less these take than PyTorch. `start` is loading and the first swap. The errors are the greatest beside"
    " PyTorch, on pictures of noise; of what int8 does to photos, see [onnx.md](onnx.md#faster-smaller).",
    "ops": "Without gradients; the size is that of the map that goes in.",
}
HEAD = """# Measurements

Made from measured rows by `python -m benchmarks.table`; `make bench` measures them anew.

- **A** is the baseline, the published operations written anew (`benchmarks/baseline.py`), under the default
  allocator; **B** is the same under the package's allocator setting. Both share weights and inputs with the
  package.
- Three processes live through a run and take turns on the same cores; figures are medians. ×A and ×B say how
  many times less the package takes than A and B: above 1 it wins.
- **of GEMM** is the rate of direct convolutions that would take as long, over that of a float32 matrix
  product (n = 1024) measured between the rounds. It is above 100 % where fewer multiplications are done.
- **error** is the largest difference between the package and B over the largest value (training: of the
  losses; pictures: of values in [-1, 1]).
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the rows, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.results.read_text("utf-8").splitlines() if line.strip()]
    options.out.write_text(page(rows), "utf-8")


def page(rows: Sequence[Row]) -> str:
    """Compose the page."""
    parts = [HEAD, "\n".join(f"- {line}" for line in sorted({origin(row) for row in rows})) + "\n"]
    for group, title in TITLES.items():
        members = [row for row in rows if row["group"] == group]
        if members:
            lay = runtimes_table if group == "runtimes" else table
            parts.append(f"## {title}\n\n{NOTES[group]}\n\n{lay(members)}")
    return "\n".join(parts)


def origin(row: Row) -> str:
    """Name where, of what, and with what a row was measured."""
    machine = row["machine"]
    threads = "" if row["threads"] is None else f", {row['threads']} threads"
    return (
        f"Measured on {machine['cpu']}, {machine['cores']} cores{threads}; "
        f"torch {row['torch']}; commit {row['commit']}."
    )


def table(rows: Iterable[Row]) -> str:
    """Lay rows out."""
    lines = [
        "| work | size | batch | model | package | A | B | ×A | ×B | of GEMM | error |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(line, rows)]) + "\n"


def line(row: Row) -> str:
    """Spell one row."""
    unit = row["unit"]
    measured = [amount(row[f"{who}_{unit}"], unit) for who in ("ours", "baseline_a", "baseline_b")]
    ratios = [number(row[f"ratio_{which}"], ".2f") for which in "ab"]
    error = number(row.get("error"), ".1e")
    if row.get("psnr_db") is not None:
        error += f" ({row['psnr_db']:.1f} dB)"
    head = [row["name"].replace("_", " "), f"{row['resolution']}²", str(row["batch"]), row["model"]]
    return f"| {' | '.join([*head, *measured, *ratios, number(row.get('gemm_share'), '.0%'), error])} |"


def runtimes_table(rows: Iterable[Row]) -> str:
    """Lay out rows of `benchmarks.runtimes`."""
    lines = [
        "| work | size | model | threads | PyTorch | ONNX Runtime | int8 | ×ONNX | ×int8 | error | of int8 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(runtimes_line, rows)]) + "\n"


def runtimes_line(row: Row) -> str:
    """Spell one of them."""
    unit = "least_cpu_ms" if row["threads"] == 1 else "ms"
    whose = ("torch", "onnx", "onnx_int8")
    measured = [amount(row[f"{who}_{unit}"], "ms") for who in whose]
    ratios = [f"{row[f'torch_{unit}'] / row[f'{who}_{unit}']:.2f}" for who in whose[1:]]
    errors = [number(row.get(f"{who}_error"), ".1e") for who in whose[1:]]
    head = [row["name"], f"{row['resolution']}²", row["model"], str(row["threads"])]
    return f"| {' | '.join([*head, *measured, *ratios, *errors])} |"


def amount(value: float, unit: str) -> str:
    """Spell milliseconds or megabytes, three digits or so."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f} {unit.replace('mb', 'MB')}"


def number(value: float | None, form: str) -> str:
    """Spell a number, or that there is none."""
    return "–" if value is None else format(value, form)


if __name__ == "__main__":
    main()
