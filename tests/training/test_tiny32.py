"""The preset for tests: a whole training in seconds that learns something."""

import time
from pathlib import Path

import pytest
import torch
from tests.training.tools import log_of, names_in, run

from swapae import SwappingAutoencoder
from swapae.data.open import open_source
from swapae.data.stream import evaluation_images, to_batch
from swapae.presets import tiny32
from swapae.training.setup import make_networks


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The run, and the processor seconds that it took."""
    folder = tmp_path_factory.mktemp("runs") / "tiny32"
    begin = time.process_time()
    assert run(tiny32(), "synthetic", folder).images_seen == 200
    return folder, time.process_time() - begin


def unseen() -> torch.Tensor:
    """Generated images that the training has not come to."""
    config = tiny32()
    source = open_source("synthetic", resolution=config.data.load_size)
    return to_batch(evaluation_images(source, config.data, config.model.stride, range(10**6, 10**6 + 32)))


def l1_of(model: SwappingAutoencoder) -> float:
    images = unseen()
    return float((model.decode(model.encode(images)) - images).abs().mean())


def test_it_trains_200_images_in_less_than_20_seconds(trained: tuple[Path, float]) -> None:
    assert trained[1] < 20


def test_it_learns_to_reconstruct_images_it_has_not_seen(trained: tuple[Path, float]) -> None:
    model, _ = make_networks(tiny32())
    before, after = l1_of(model), l1_of(SwappingAutoencoder.from_pretrained(trained[0], device="cpu"))
    assert after < 0.85 * before


def test_it_leaves_all_that_a_run_leaves(trained: tuple[Path, float]) -> None:
    folder, _ = trained
    assert names_in(folder) == [
        "checkpoints",
        "config.yaml",
        "data.json",
        "latest",
        "log.jsonl",
        "model",
        "report.html",
        "snapshots",
    ]
    assert names_in(folder / "checkpoints") == ["images_00000100", "images_00000200"]
    grids = names_in(folder / "snapshots")
    assert [name for name in grids if name.endswith(".png")] == ["images_00000100.png", "images_00000200.png"]
    assert len(grids) == 8
    assert names_in(folder / "model") == ["config.json", "model.safetensors"]
    assert [line["images_seen"] for line in log_of(folder)] == [40, 80, 100, 120, 160, 200]
