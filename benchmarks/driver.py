"""Race the package against the baseline: three processes that take turns on the same cores.

`a` runs the baseline under the default allocator, `b` the baseline under ours, `ours` the package under ours.
All live through the whole run. Every round of a case runs each once, one after another; while one works the
others block in a read. The first round is warm-up, and its outputs are compared.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.jobs import ROLES, Case, compared, flops_of
from benchmarks.machine import ROOT, available_gigabytes, facts

LIMIT_GIGABYTES = 12.0
SECONDS, QUICK_SECONDS = 60.0, 10.0  # for the rounds of one case
ROUNDS, QUICK_ROUNDS = (3, 15), (1, 5)  # at least, at most
UNMEASURED = ("ours_ms", "baseline_a_ms", "baseline_b_ms", "gemm_gflops", "gemm_share", "error")

Row = dict[str, Any]
Listing = Callable[..., list[Case]]
Measure = Callable[[Case, argparse.Namespace], Row]


def main(description: str, cases: Listing, alone: Measure | None = None) -> None:
    """Run the command line of one benchmark: choose rows, measure (some measure rows `alone`), print."""
    options = parse(description)
    chosen = choose(cases(options.model, options.resolution, options.batch), options)
    if not chosen:
        sys.exit("no such row: see --help, and the list of cases in the file.")
    rows = race(chosen, options) if alone is None else (alone(case, options) for case in chosen)
    for row in rows:
        print(json.dumps(row) if options.json else line_of(row), flush=True)


def parse(description: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options that all benchmarks share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="rows of this name")
    parser.add_argument("--resolution", type=int, help="pixels of a side")
    parser.add_argument("--batch", type=int, help="images at a time")
    parser.add_argument("--model", default=None, help="settings: published (the default), or a preset")
    parser.add_argument("--threads", type=int, help="threads of every process (torch's own choice)")
    parser.add_argument(
        "--quick", action="store_true", help="few rounds; with --only, the smallest batch alone"
    )
    parser.add_argument("--full", action="store_true", help="with the largest rows")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(arguments)


def choose(cases: Sequence[Case], options: argparse.Namespace) -> list[Case]:
    """Keep the rows asked for, and say which are left out."""
    asked = [case for case in cases if options.only in (None, case.name)]
    if options.quick and options.only and options.batch is None:  # one row, then
        asked = [case for case in asked if case.batch == min(other.batch for other in asked)]
    return [case for case in asked if not refused(case, options)]


def refused(case: Case, options: argparse.Namespace) -> bool:
    """Say why a row is left out, if it is."""
    room = min(LIMIT_GIGABYTES, available_gigabytes() / 2)  # two of the three keep what they took
    if case.gigabytes > room:
        tell(f"{label(case)}: left out, it needs {case.gigabytes:.0f} GB of {room:.0f} GB")
    elif case.is_heavy and not (options.full or (options.only and options.resolution)):
        tell(f"{label(case)}: left out, only with --full")
    else:
        return False
    return True


# ── children ─────────────────────────────────────────────────────────────────────────────────────


class Child:
    """A process that waits for a line and answers with one."""

    def __init__(self, role: str) -> None:
        command = [sys.executable, "-m", "benchmarks.child", role]
        self.role = role
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Have one thing done."""
        self.tell(do, **request)
        return self.answer()

    def tell(self, do: str, **request: Any) -> None:
        """Set it to work."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait until it has done what it was told."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it died"}
        if "error" in answer:
            raise RuntimeError(f"process {self.role}: {answer['error']}")
        return answer

    def end(self) -> None:
        """Close its input, at which it ends, and wait."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def children() -> Iterator[dict[str, Child]]:
    """Start one of each role, and end them."""
    started = {role: Child(role) for role in ROLES}
    try:
        yield started
    finally:
        for child in started.values():
            child.end()


# ── the race ─────────────────────────────────────────────────────────────────────────────────────


def race(cases: Sequence[Case], options: argparse.Namespace) -> Iterator[Row]:
    """Measure case by case, with the same children."""
    with children() as started, tempfile.TemporaryDirectory() as folder:
        for case in cases:
            tell(label(case))
            yield measure(started, case, options, Path(folder))


def measure(started: dict[str, Child], case: Case, options: argparse.Namespace, folder: Path) -> Row:
    """Measure one case: warm up and compare, then rounds until its time is spent."""
    for child in started.values():
        child.tell("load", case=case.to_dict(), threads=options.threads)
    loaded = [child.answer() for child in started.values()]
    kept = {role: folder / f"{role}.pt" for role in started}
    for role, child in started.items():
        child.ask("run", keep=str(kept[role]))
    times: dict[str, list[float]] = {role: [] for role in started}
    gemm: list[float] = []
    least, most = QUICK_ROUNDS if options.quick else ROUNDS
    end = time.monotonic() + (QUICK_SECONDS if options.quick else SECONDS)
    while len(times["ours"]) < least or (len(times["ours"]) < most and time.monotonic() < end):
        gemm.append(started["ours"].ask("gemm")["gflops"])
        for role, child in started.items():
            times[role].append(child.ask("run")["ms"])
    for child in started.values():
        child.ask("drop")
    ms = {role: statistics.median(taken) for role, taken in times.items()}
    return {
        **heading(case),
        **figures(ms, "ms"),
        **share(case, ms["ours"], statistics.median(gemm)),
        **compared(case, torch.load(kept["ours"]), torch.load(kept["b"])),
        "rounds": len(times["ours"]),
        "threads": loaded[-1]["threads"],
        **facts(),
    }


def heading(case: Case) -> Row:
    """Name a row; what it does not measure stays None."""
    return {
        **dict.fromkeys(UNMEASURED),
        "group": case.module,
        "name": case.name,
        "resolution": case.resolution,
        "batch": case.batch,
        "model": case.model,
    }


def figures(values: dict[str, float], unit: str) -> Row:
    """Spell what the three took, in ms or MB, and the ratios: above 1 the package is better."""
    ours, a, b = (values[role] for role in ("ours", "a", "b"))
    row: Row = {"unit": unit, f"ours_{unit}": ours, f"baseline_a_{unit}": a, f"baseline_b_{unit}": b}
    return {**row, "ratio_a": a / ours if ours > 0 else None, "ratio_b": b / ours if ours > 0 else None}


def share(case: Case, ms: float, gflops: float) -> Row:
    """Hold the rate against that of a matrix product; direct convolution counts, so it may exceed 1."""
    flops = flops_of(case)
    rate = None if flops is None else flops / ms / 1e6
    return {
        "gflop": None if flops is None else flops / 1e9,
        "gemm_gflops": gflops,
        "gemm_share": None if rate is None else rate / gflops,
    }


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def label(case: Case) -> str:
    """Name a case on one line."""
    return f"{case.name} {case.resolution}² × {case.batch} ({case.model})"


def line_of(row: Row) -> str:
    """Spell a row for a reader."""
    unit = row["unit"]
    values = " · ".join(f"{who} {row[f'{who}_{unit}']:9.1f}" for who in ("ours", "baseline_a", "baseline_b"))
    ratios = " ".join(f"{r} ×{row[f'ratio_{r}'] or 0:.2f}" for r in "ab")
    end = "" if row.get("gemm_share") is None else f" · {row['gemm_share']:.0%} of GEMM"
    end += "" if row.get("error") is None else f" · error {row['error']:.1e}"
    return f"{row['name']:<20} {row['resolution']:>5}² × {row['batch']:<3} {unit}: {values} · {ratios}{end}"


def tell(words: str) -> None:
    """Say what goes on, beside the results."""
    print(words, file=sys.stderr, flush=True)
