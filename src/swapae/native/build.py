"""Compile the kernels: `python -m swapae.native.build`. The build of a wheel runs this file alone.

One shared library holds every instruction set; the processor picks at run time. It links to no OpenMP and
to no torch, so it loads with any. Without a compiler there is no library, and the plain path serves.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = ("winograd", "resample", "pointwise", "table")  # compiled once for each instruction set
SUFFIX = ".dll" if sys.platform == "win32" else ".so"
LIBRARY = HERE / f"_kernels{SUFFIX}"
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-fno-math-errno", "-ffp-contract=fast", "-Wall")
X86_FLAGS = {
    "avx512": ("-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512dq"),
    "avx2": ("-mavx2", "-mfma"),
}


def build(library: Path = LIBRARY) -> bool:
    """Compile `library`; tell whether there is one now. A failure is no error: the plain path serves."""
    compiler = find_compiler()
    if compiler is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder) / library.name
        try:
            compile_into(done, compiler)
        except (OSError, subprocess.CalledProcessError):
            return False
        beside = library.with_name(f".{library.name}.{os.getpid()}.tmp")
        shutil.copyfile(done, beside)
        os.replace(beside, library)
    return True


def find_compiler() -> str | None:
    """Name the C++ compiler: `CXX`, or the first of the usual ones that is there."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    return next((name for name in names if shutil.which(name)), None)


def compile_into(library: Path, compiler: str) -> None:
    """Compile and link, all instruction sets at once.

    Raises:
        OSError: the compiler cannot be run.
        subprocess.CalledProcessError: it refused.
    """
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    isas = {**(X86_FLAGS if is_x86 else {}), "portable": ()}
    jobs: list[tuple[Path, str, tuple[str, ...]]] = [(HERE / "source" / "dispatch.cpp", "dispatch.o", ())]
    jobs += [
        (HERE / "source" / f"{source}.cpp", f"{source}_{isa}.o", flags)
        for source in SOURCES
        for isa, flags in isas.items()
    ]
    folder = library.parent
    running = [
        subprocess.Popen(
            [compiler, *FLAGS, *flags, "-c", str(source), "-o", str(folder / name)], stderr=subprocess.DEVNULL
        )
        for source, name, flags in jobs
    ]
    failed = [process.args for process in running if process.wait()]
    if failed:
        raise subprocess.CalledProcessError(1, failed[0])
    objects = [str(folder / name) for _, name, _ in jobs]
    subprocess.run([compiler, "-shared", *objects, "-o", str(library)], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(0 if build() else "no library was built: a C++ compiler (c++, g++ or clang++) is needed.")
