"""Compile the kernels: `python -m swapae.native.build`. The build of a wheel runs this file alone.

One shared library holds every instruction set; the processor picks at run time. It links to no OpenMP and
to no torch, so it loads with any. Without a compiler there is no library, and the plain path serves.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
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
    """Compile `library`; tell whether it is done.

    A failure is no error: what was there stays as it was, and without a library the plain path serves.
    """
    compiler = find_compiler()
    if compiler is None:
        return False
    beside = library.with_name(f".{library.name}.{os.getpid()}.tmp")
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = Path(folder) / library.name
            compile_into(done, compiler)
            shutil.copyfile(done, beside)
        os.replace(beside, library)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        beside.unlink(missing_ok=True)
    return True


def find_compiler() -> list[str] | None:
    """Name the C++ compiler: `CXX` (a command, with arguments of its own if need be), or a usual one."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    commands = [shlex.split(name) for name in names]
    return next((command for command in commands if command and shutil.which(command[0])), None)


def interface() -> str:
    """Name the version of the sources: a library of another one is not to be called."""
    sources = sorted((HERE / "source").iterdir())
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def compile_into(library: Path, compiler: list[str]) -> None:
    """Compile and link, all instruction sets at once.

    Raises:
        OSError: the compiler cannot be run.
        subprocess.CalledProcessError: it refused.
    """
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    isas = {**(X86_FLAGS if is_x86 else {}), "portable": ()}
    jobs: list[tuple[Path, str, tuple[str, ...]]] = [
        (HERE / "source" / "dispatch.cpp", "dispatch.o", (f'-DSWAPAE_INTERFACE="{interface()}"',))
    ]
    jobs += [
        (HERE / "source" / f"{source}.cpp", f"{source}_{isa}.o", flags)
        for source in SOURCES
        for isa, flags in isas.items()
    ]
    folder = library.parent
    running = [
        subprocess.Popen(
            [*compiler, *FLAGS, *flags, "-c", str(source), "-o", str(folder / name)],
            stderr=subprocess.DEVNULL,
        )
        for source, name, flags in jobs
    ]
    failed = [process.args for process in running if process.wait()]
    if failed:
        raise subprocess.CalledProcessError(1, failed[0])
    objects = [str(folder / name) for _, name, _ in jobs]
    subprocess.run(
        [*compiler, "-shared", *objects, "-o", str(library)], check=True, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    sys.exit(0 if build() else "no library was built: a C++ compiler (c++, g++ or clang++) is needed.")
