"""Say where the time goes: a call or a training step, by operation.

    python -m benchmarks.profile decode|encode|iteration [--resolution 256] [--model photos64] [--json]

Times are an operation's own, by torch's profiler; the compiled kernels are named `native.…`. The last line
sets the arithmetic of the whole, counted as direct convolutions, against the rate of a matrix product in the
same process: more than 100 % is what Winograd's algorithm saves.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks import inference, train_step
from benchmarks.child import Child
from benchmarks.jobs import PUBLISHED, Case, Job, flops_of
from benchmarks.machine import facts
from swapae import native
from swapae.runtime import tune_allocator

KERNELS = ("conv3x3", "conv3x3_grad", "pack", "resample", "activate", "activate_grad")
SHOWN = 14  # operations


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=["decode", "encode", "iteration"])
    parser.add_argument("--resolution", type=int, default=256, help="pixels of a side")
    parser.add_argument("--model", default=PUBLISHED, help="settings: published (the default), or a preset")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    tune_allocator()
    for name in KERNELS:
        setattr(native, name, named(f"native.{name}", getattr(native, name)))
    case = case_of(options.name, options.resolution, options.model)
    found = measured(case)
    print(json.dumps(found) if options.json else table(found))


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the profiler see a function under a name."""

    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        with record_function(name):
            return function(*arguments, **keywords)

    return call


def case_of(name: str, resolution: int, model: str) -> Case:
    """Find the row that is looked into."""
    if name != "iteration":
        return inference.case_of(name, resolution, 1, model)
    listed = train_step.cases(None if model == PUBLISHED else model)
    return next(case for case in listed if case.name == name and case.model == model)


def measured(case: Case) -> dict[str, Any]:
    """Time it as it is, then profile it."""
    module = train_step if case.module == "train_step" else inference
    job = module.job(case, "ours")
    for _ in range(2):
        run(job)
    seconds = min(run(job) for _ in range(3))
    times: dict[str, float] = {}
    for share, call in job.calls:
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            call()
        for event in profiled.key_averages():
            times[event.key] = times.get(event.key, 0.0) + share * event.self_cpu_time_total / 1000
    gflop = (flops_of(case) or 0.0) / 1e9
    rate = Child("ours").gemm()["gflops"]
    return {
        "name": case.name,
        "resolution": case.resolution,
        "batch": case.batch,
        "model": case.model,
        "ms": 1000 * seconds,
        "gflop": gflop,
        "gemm_gflops": rate,
        "gemm_share": gflop / seconds / rate,
        "operations_ms": dict(sorted(times.items(), key=lambda one: -one[1])),
        "threads": torch.get_num_threads(),
        **facts(),
    }


def run(job: Job) -> float:
    """Call everything once; seconds, by shares."""
    total = 0.0
    for share, call in job.calls:
        began = time.perf_counter()
        call()
        total += share * (time.perf_counter() - began)
    return total


def table(found: dict[str, Any]) -> str:
    """Write the largest operations in Markdown."""
    everything = sum(found["operations_ms"].values())
    lines = [f"{found['name']} {found['resolution']}² × {found['batch']} ({found['model']})", ""]
    lines += ["| operation | ms | share |", "|---|---|---|"]
    for name, ms in list(found["operations_ms"].items())[:SHOWN]:
        lines.append(f"| `{name}` | {ms:.1f} | {100 * ms / everything:.0f} % |")
    lines.append(
        f"\n{found['ms']:.0f} ms unprofiled; {found['gflop']:.0f} GFLOP as direct convolutions, "
        f"{100 * found['gemm_share']:.0f} % of the {found['gemm_gflops']:.0f} GFLOP/s of a matrix product; "
        f"{found['threads']} threads, commit {found['commit']}."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
