"""Where and of what a measurement is: processor, cores, torch, commit."""

import os
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def facts() -> dict[str, Any]:
    """Give what goes into every row."""
    return {
        "machine": {"cpu": processor(), "cores": len(os.sched_getaffinity(0))},
        "torch": version("torch"),
        "commit": commit(),
    }


def processor() -> str:
    """Name the processor and its widest vectors."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = named.get("flags", "").split()
    vectors = next((one for one in ("avx512f", "avx2", "avx") if one in flags), "no avx")
    return f"{named.get('model name', 'unknown')} ({vectors})"


def commit() -> str:
    """Name the commit; a + says that files of the package or the benchmarks differ from it."""
    short = git("rev-parse", "--short", "HEAD")
    return short + ("+" if git("status", "--porcelain", "--", "src", "benchmarks/*.py") else "")


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def available_gigabytes() -> float:
    """Read how much memory is free to take."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) / 1e6
    return float("inf")
