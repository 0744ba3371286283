"""`swapae doctor`: what a question about this installation needs as its first answer."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from swapae.cli.common import CommonOptions, Report

PACKAGES = ("torch", "numpy", "pillow", "safetensors", "huggingface_hub")
ABSENT = "absent"
DEVELOPING = ("dev", "docs")  # extras that nobody needs who uses the package


def doctor(*, common: CommonOptions) -> Report:
    """Print versions, devices, formats, and whether files can be written."""
    report: Report = {}
    for name, look in LOOKS.items():
        try:
            found: object = look()
        except Exception as error:  # a broken part is what doctor is for
            found = f"broken: {type(error).__name__}: {error}"
        report[name] = found
        common.show(f"{name:<14} {_text(found)}")
    return report


def _text(found: object) -> str:
    if isinstance(found, dict) and any(isinstance(inner, dict) for inner in found.values()):
        return "; ".join(f"{name}: {_text(inner)}" for name, inner in found.items())
    if isinstance(found, dict):
        return ", ".join(f"{name} {value}" for name, value in found.items())
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)


def _version() -> str:
    from swapae import __version__

    return __version__


def _packages() -> dict[str, str]:
    return {name: _installed(name) for name in PACKAGES}


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT


def _extras() -> dict[str, dict[str, str]]:
    """What each extra brings, as the metadata of this installation have it."""
    found: dict[str, dict[str, str]] = {}
    for extra, name in optional_packages():
        found.setdefault(extra, {})[name] = _installed(name)
    return found


def optional_packages() -> list[tuple[str, str]]:
    """List extra and package of all that is optional, but for what only developing needs."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("swapae") or []
    except PackageNotFoundError:  # run from a folder of sources
        return []
    found = (re.match(r"([\w.-]+)[^;]*;.*\bextra == ['\"](\w+)['\"]", line) for line in lines)
    return [(line[2], line[1]) for line in found if line and line[2] not in DEVELOPING]


def _devices() -> list[str]:
    import torch

    found = ["cpu"]
    found += [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return found + ["mps"] * torch.backends.mps.is_available()


def _chosen() -> str:
    from swapae.devices import choose_device

    return str(choose_device("auto"))


def _threads() -> dict[str, int]:
    import torch

    return {"cores": os.cpu_count() or 1, "torch": torch.get_num_threads()}


def _kernels() -> str:
    from swapae.native import build, library

    if found := library.chosen_kernels():
        return str(found.name.decode())
    switch = os.environ.get(library.OFF_SWITCH, "")
    if library.library() is not None:
        return f"none, as {library.OFF_SWITCH}={switch} has it"
    state = "of another version" if build.LIBRARY.exists() else "not built"
    return f"none ({state}): install a C++ compiler, then run python -m swapae.native.build"


def _formats() -> list[str]:
    from PIL import Image, features

    from swapae.images import FORMATS

    Image.init()
    lacking = {name.upper() for name in ("webp", "avif") if not features.check(name)}
    heic = ["HEIC"] if _installed("pillow-heif") != ABSENT else []
    return [name for name in FORMATS if name in Image.OPEN and name not in lacking] + heic


def _hub_cache() -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    return f"{folder} ({_writable(folder)})"


def _here() -> str:
    return f"{Path.cwd()} ({_writable(Path.cwd())})"


def _writable(folder: Path) -> str:
    while not folder.exists():  # it would be made: what counts is where
        folder = folder.parent
    return "writable" if os.access(folder, os.W_OK) else "NOT writable"


def _free_disk() -> str:
    return f"{shutil.disk_usage(Path.cwd()).free / 1e9:.1f} GB"


def _models() -> list[str] | str:
    from swapae import box

    return box.names() or "none in this copy"


LOOKS: dict[str, Callable[[], object]] = {
    "swapae": _version,
    "python": lambda: f"{platform.python_version()} at {sys.executable}",
    "platform": platform.platform,
    "packages": _packages,
    "extras": _extras,
    "devices": _devices,
    "device auto": _chosen,
    "threads": _threads,
    "CPU kernels": _kernels,
    "image formats": _formats,
    "models": _models,
    "hub cache": _hub_cache,
    "folder": _here,
    "free disk": _free_disk,
}
