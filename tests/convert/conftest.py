"""A small published checkpoint, and a maker of files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.convert.checkpoints import SMALL_JUDGES, Checkpoint, random_checkpoint, small_model

from swapae.convert.official_names import Architecture


@pytest.fixture
def checkpoint() -> Checkpoint:
    return random_checkpoint(Architecture(small_model(), *SMALL_JUDGES))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[object], Path]:
    """A maker of `.pth` files."""

    def save(content: object) -> Path:
        path = tmp_path / "model.pth"
        torch.save(content, path)
        return path

    return save
