"""A tiny training that is measured in its course, and ways to look at what it wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.training.tools import bytes_of, log_of, micro

from swapae.training.config import TrainConfig
from swapae.training.figures import EvalConfig

WORDS = ("psnr", "structureleakage")
LEAKAGE, NEARER = "StructureLeakage-EffLite0", "StructureNearer-EffLite0"
FIGURES = {"PSNR", LEAKAGE, NEARER}


def measured(folder: object, /, **changes: object) -> TrainConfig:
    """Measure every second step; a checkpoint would be saved every fourth."""
    settings = {"data": str(folder), "images": 8, "metrics": WORDS, "pairs": 5, "batch": 2}
    return micro(eval=EvalConfig(**settings | changes), best_metric="structureleakage")  # type: ignore[arg-type]


def lines_with(name: str, folder: Path) -> dict[int, float]:
    """Values of a column of the log, by images seen."""
    return {int(line["images_seen"]): line[name] for line in log_of(folder) if name in line}


def tensors_of(folder: Path, name: str) -> dict[str, bytes]:
    """The files of tensors of a checkpoint."""
    files = bytes_of(folder / "checkpoints" / name)
    return {path: data for path, data in files.items() if path.endswith(".safetensors")}


@contextmanager
def quick_measurements() -> Iterator[None]:
    """Have them made by a net whose features are small pictures."""
    from tests.metrics.test_table import Quick

    from swapae.metrics.loaders import LOADERS

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LOADERS, "EffLite0", lambda weights, device: Quick("EffLite0"))
        yield
