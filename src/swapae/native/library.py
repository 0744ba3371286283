"""The compiled kernels as C sees them: the library, and the structures it takes (source/kernels.h)."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_float, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

OFF_SWITCH = "SWAPAE_NATIVE"  # 0 turns the kernels off; the name of an instruction set picks it


def _fields(**types: str) -> list[tuple[str, Any]]:
    """Spell fields out: pointers, integers and floats, each a string of names."""
    kinds = {"pointers": c_void_p, "integers": c_int64, "floats": c_float, "ints": c_int32}
    return [(name, kinds[kind]) for kind, names in types.items() for name in names.split()]


class Conv3x3(Structure):
    _fields_ = _fields(
        pointers="x weights y workspace in_scale bias noise residual",
        integers="workspace_floats batch height width in_channels out_channels pad reflect noise_batch",
        floats="noise_weight slope gain residual_gain",
        ints="threads",
    )


class Conv3x3Grad(Structure):
    _fields_ = _fields(
        pointers="x grad_y grad_w workspace",
        integers="workspace_floats batch height width in_channels out_channels pad",
        floats="scale",
        ints="threads",
    )


class Conv3x3Pack(Structure):
    _fields_ = _fields(
        pointers="weight packed",
        integers="in_channels out_channels transposed",
        floats="scale",
        ints="threads",
    )


class LinesStruct(Structure):
    _fields_ = _fields(pointers="begin index weight", integers="rows")


class Resample(Structure):
    _fields_ = [
        *_fields(pointers="x y workspace bias noise"),
        ("vertical", LinesStruct),
        ("horizontal", LinesStruct),
        *_fields(
            integers="batch height width channels noise_batch",
            floats="noise_weight slope gain",
            ints="threads",
        ),
    ]


class Activate(Structure):
    _fields_ = _fields(pointers="x bias y", integers="pixels channels", floats="slope gain", ints="threads")


class ActivateGrad(Structure):
    _fields_ = _fields(
        pointers="grad_y shift y grad_x grad_bias workspace",
        integers="pixels channels",
        floats="slope gain",
        ints="threads",
    )


class Kernels(Structure):
    """The table of functions of one instruction set."""

    _fields_ = [
        ("name", c_char_p),
        ("conv3x3_packed_floats", CFUNCTYPE(c_int64, c_int64, c_int64)),
        ("conv3x3_workspace_floats", CFUNCTYPE(c_int64, c_int64, c_int64, c_int64)),
        ("conv3x3_grad_workspace_floats", CFUNCTYPE(c_int64, c_int64, c_int64, c_int64)),
        ("activate_grad_slices", CFUNCTYPE(c_int64, c_int64)),
        ("conv3x3", CFUNCTYPE(None, POINTER(Conv3x3))),
        ("conv3x3_grad", CFUNCTYPE(None, POINTER(Conv3x3Grad))),
        ("conv3x3_pack", CFUNCTYPE(None, POINTER(Conv3x3Pack))),
        ("resample", CFUNCTYPE(None, POINTER(Resample))),
        ("activate", CFUNCTYPE(None, POINTER(Activate))),
        ("activate_grad", CFUNCTYPE(None, POINTER(ActivateGrad))),
    ]


@cache
def library() -> ctypes.CDLL | None:
    """Load the library, on the threads of torch's OpenMP; None where there is none of this version."""
    from swapae.native.build import LIBRARY, interface  # here, so that build.py can be run as a module

    try:
        lib = ctypes.CDLL(str(LIBRARY))
        wanted = interface()
        is_outdated = (c_char * (len(wanted) + 1)).in_dll(lib, "swapae_interface").value != wanted.encode()
    except (OSError, ValueError):  # not there, not readable; or it has no such symbol
        return None
    if is_outdated:
        return None
    lib.swapae_find_kernels.restype = POINTER(Kernels)
    lib.swapae_find_kernels.argtypes = [c_char_p]
    lib.swapae_use_openmp.argtypes = [c_void_p] * 3
    lib.swapae_use_openmp.restype = None
    openmp = _openmp_of_torch()
    if openmp is not None:
        names = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")
        lib.swapae_use_openmp(*(ctypes.cast(getattr(openmp, name), c_void_p) for name in names))
    return lib


def kernels(isa: str | None = None) -> Kernels | None:
    """Give the kernels of an instruction set, by default the best that this processor runs; None if none."""
    lib = library()
    found = lib and lib.swapae_find_kernels(isa.encode() if isa else None)
    return found.contents if found else None


@cache
def chosen_kernels() -> Kernels | None:
    """Give the kernels in use, as `SWAPAE_NATIVE` has it."""
    wanted = os.environ.get(OFF_SWITCH, "")
    if wanted in ("0", "off"):
        return None
    return kernels(wanted if wanted not in ("", "1", "on") else None)


def _openmp_of_torch() -> ctypes.CDLL | None:
    """Find the OpenMP that torch runs on among what is loaded: a second one would fight it for the cores."""
    torch_packages = str(Path(sys.modules["torch"].__file__ or "").parent)  # torch/ and torch.libs/
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            paths = {line.split(maxsplit=5)[-1].strip() for line in maps if "libgomp" in line}
        openmp = ctypes.CDLL(min(paths, key=lambda path: (not path.startswith(torch_packages), path)))
        return openmp if hasattr(openmp, "GOMP_parallel") else None
    except (OSError, ValueError):
        return None
