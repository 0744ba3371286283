"""Measure a cold start: the first swap in a new process, beyond `import torch` and the swap itself.

    python -m benchmarks.cold_start [--quick] [--json]

Import, load and first swap are timed from the start of the process; taken off are `import torch`, timed in a
process of its own, and a second, warm swap. The package loads its safetensors; the baseline makes all four
networks with random weights and then fills them from one pickled file, as the published program does.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cold_process import CHECKPOINT
from benchmarks.driver import Row, figures, heading, main, tell
from benchmarks.jobs import PUBLISHED, ROLES, Case, model_of, train_config
from benchmarks.machine import ROOT, facts

ROUNDS, QUICK_ROUNDS = 5, 1


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the row."""
    return [Case("cold_start", "first_swap", resolution or 256, model=model or PUBLISHED)]


def measure(case: Case, options: argparse.Namespace) -> Row:
    """Start processes of all roles in turn, and take medians."""
    tell(f"cold start: {case.resolution}² ({case.model})")
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    times: dict[str, list[float]] = {role: [] for role in ROLES}
    imports = []
    with tempfile.TemporaryDirectory() as folder:
        write_models(case, Path(folder))
        for role in ROLES:  # once for the disk's cache
            start(role, case, folder, options.threads)
        for _ in range(rounds):
            imports.append(start("torch", case, folder, options.threads)[0])
            for role in ROLES:
                first, warm = start(role, case, folder, options.threads)
                times[role].append(first - warm - imports[-1])
    return {
        **heading(case),
        **figures({role: statistics.median(taken) for role, taken in times.items()}, "ms"),
        "import_torch_ms": statistics.median(imports),
        "rounds": rounds,
        "threads": options.threads,
        **facts(),
    }


def write_models(case: Case, folder: Path) -> None:
    """Save one model both ways."""
    import torch

    from swapae.training.setup import make_networks

    model = model_of(case.model)
    model.save_pretrained(folder)
    _, networks = make_networks(train_config(case.model))
    networks.encoder, networks.generator = model.encoder, model.generator
    states = {name: net.state_dict() for name, net in networks.named().items()}
    torch.save(states, folder / CHECKPOINT)


def start(role: str, case: Case, folder: str, threads: int | None) -> tuple[float, float]:
    """Run a process; give the milliseconds to its first line, and those it says a warm swap takes."""
    command = [sys.executable, "-m", "benchmarks.cold_process", role]
    command += [case.model, str(case.resolution), folder]
    if role == "torch":
        command = [sys.executable, "-c", "import torch; print(0, flush=True)"]
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        first = 1000 * (time.perf_counter() - began)
        rest = process.stdout.read() or line
    if process.returncode:
        raise RuntimeError(f"process {role} ended with {process.returncode}.")
    return first, float(rest)


if __name__ == "__main__":
    main(__doc__, cases, measure)
