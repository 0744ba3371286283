"""A child of the driver: it waits for a line of JSON, does what it says, answers with one.

    python -m benchmarks.child ROLE

While it waits it blocks in a read, so that it takes no time from the others.
"""

import ctypes
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # parameters of glibc's mallopt


def main(role: str) -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints goes to stderr
    if role != "a":
        tune_allocator()
    child = Child(role)
    for line in sys.stdin:
        answers.write(json.dumps(child.answer(json.loads(line))) + "\n")
        answers.flush()


def tune_allocator() -> None:
    """Keep large buffers instead of giving them back to the system: the package's setting, if it has one."""
    try:
        from swapae.runtime import tune_allocator as tune
    except ImportError:
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(MMAP_THRESHOLD, 1 << 30)
            libc.mallopt(TRIM_THRESHOLD, 2**31 - 1)
    else:
        tune()


class Child:
    """The job of the moment, and the answers to what may be asked of it."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.job: Any = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one thing; an error is an answer too."""
        try:
            answer: dict[str, Any] = getattr(self, request.pop("do"))(**request)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return answer

    def load(self, case: dict[str, Any], threads: int | None) -> dict[str, Any]:
        """Build a case."""
        import torch

        from benchmarks.jobs import Case, job_of

        if threads is not None:
            torch.set_num_threads(threads)
        self.job = job_of(Case(**case), self.role)
        return {"threads": torch.get_num_threads()}

    def run(self, keep: str | None = None) -> dict[str, Any]:
        """Call everything once; write the outputs to a file if asked."""
        total, outputs = 0.0, []
        for share, call in self.job.calls:
            began = time.perf_counter()
            made = call()
            total += share * (time.perf_counter() - began)
            if keep is not None:
                outputs += [tensor.detach().clone() for tensor in made]
        if keep is not None:
            import torch

            torch.save(outputs, keep)
        return {"ms": 1000 * total}

    def memory(self) -> dict[str, Any]:
        """Call everything once; give the peak of memory above what was there before, in MB."""
        self._trim()
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew here
        answer = self.run()
        return {"mb": (status("VmHWM") - before) / 1024, **answer}

    def gemm(self, size: int = 1024, rounds: int = 5) -> dict[str, Any]:
        """Measure the rate of a float32 matrix product, in GFLOP/s."""
        import torch

        one, other, out = torch.rand(3, size, size)
        seconds = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            torch.mm(one, other, out=out)
            seconds.append(time.perf_counter() - began)
        return {"gflops": 2 * size**3 / sorted(seconds[1:])[rounds // 2] / 1e9}

    def drop(self) -> dict[str, Any]:
        """Forget the case, and give its memory back."""
        self.job = None
        self._trim()
        return {}

    def _trim(self) -> None:
        gc.collect()
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)


def status(name: str) -> float:
    """Read a line of the process's status, in KB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    raise RuntimeError(f"this system tells no {name}; memory can be measured on Linux alone.")


if __name__ == "__main__":
    main(sys.argv[1])
