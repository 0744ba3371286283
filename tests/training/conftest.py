"""Trainings this small are fastest on one thread, and bit-equal on any machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.measured import measured, quick_measurements
from tests.training.tools import make_images, run


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ── a training that is measured in its course ────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def quick_net() -> Iterator[None]:
    """Give measurements a net whose features are small pictures."""
    with quick_measurements():
        yield


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give six pictures."""
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def finished(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run that was measured from its first to its last step; nobody writes to it."""
    folder = tmp_path_factory.mktemp("measured") / "run"
    with quick_measurements():
        run(measured(images), images, folder)
    return folder
