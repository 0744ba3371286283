"""Take the package from the repository's sources, or from the sdist that was made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("src") / "swapae_onnx"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Put the package where the distribution has it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise RuntimeError("swapae-onnx is not installed editable: install swapae from the repository.")
        root = Path(self.root)
        package = next(path for path in (root / PACKAGE, root.parents[1] / PACKAGE) if path.is_dir())
        place = PACKAGE if self.target_name == "sdist" else Path(PACKAGE.name)
        for file in package.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                target = place / file.relative_to(package)
                build_data["force_include"][str(file)] = target.as_posix()
