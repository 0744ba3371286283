"""Measure the peak of memory above the loaded model, each in a new process, in its first call.

    python -m benchmarks.memory [--only decode] [--resolution 512] [--json]

A training step's first call makes the gradients and Adam's two moments too. Linux only.
"""

import argparse
from dataclasses import replace

from benchmarks import inference, train_step
from benchmarks.driver import Child, Row, figures, heading, main, tell
from benchmarks.jobs import PUBLISHED, ROLES, Case, Job, job_of
from benchmarks.machine import facts

RESOLUTIONS = (256, 512, 1024)
STEPS = ("D_step", "G_step", "R1_step")


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the rows."""
    sides = [resolution] if resolution else RESOLUTIONS
    rows = [
        inference.case_of(name, side, batch or 1, model or PUBLISHED)
        for side in sides
        for name in ("encode", "decode", "swap")
    ]
    rows += [case for case in train_step.cases(model, resolution, batch) if case.name in STEPS]
    return [replace(case, module="memory", extra={"module": case.module}, is_heavy=False) for case in rows]


def job(case: Case, role: str) -> Job:
    """Build the row that is looked at."""
    return job_of(replace(case, module=case.extra["module"]), role)


def measure(case: Case, options: argparse.Namespace) -> Row:
    """Measure one row, process by process."""
    tell(f"memory: {case.name} {case.resolution}² × {case.batch} ({case.model})")
    peaks: dict[str, float] = {}
    for role in ROLES:
        child = Child(role)
        try:
            threads = child.ask("load", case=case.to_dict(), threads=options.threads)["threads"]
            peaks[role] = child.ask("memory")["mb"]
        finally:
            child.end()
    return {**heading(case), **figures(peaks, "mb"), "rounds": 1, "threads": threads, **facts()}


if __name__ == "__main__":
    main(__doc__, cases, measure)
