"""Compile the kernels into the wheel, or for an editable install beside their sources."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path(__file__).parent / "src" / "swapae" / "native"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build the library; without a compiler the wheel is pure Python, and `swapae doctor` tells so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version
        spec = importlib.util.spec_from_file_location("swapae_native_build", NATIVE / "build.py")
        assert spec is not None
        assert spec.loader is not None
        build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(build)
        if build.build():
            build_data["artifacts"].append(str(build.LIBRARY.relative_to(Path(self.root))))
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform()}"


def _platform() -> str:
    """Name the platform of the wheel: the library needs no Python of a version, but this kind of machine."""
    from packaging.tags import sys_tags

    return next(iter(sys_tags())).platform
