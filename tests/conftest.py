"""What all tests share: no network, fixed randomness, and small things to work on."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
# Read when torch is imported. Threads that share a busy core spin while they wait for each other: a training
# of 7 s took 254 s with two of them beside other work. Tests of threads set their number themselves.
os.environ.setdefault("OMP_NUM_THREADS", "1")
slow = [HealthCheck.too_slow]  # a matter of the machine
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, suppress_health_check=slow)
settings.load_profile("fixed")


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with random weights, stride 4, that takes any image from 12 pixels on."""
    import torch

    from swapae import ModelConfig, SwappingAutoencoder

    torch.manual_seed(0)
    config = ModelConfig(
        structure_channels=4,
        texture_channels=16,
        structure_downsamplings=2,
        texture_downsamplings=1,
        encoder_capacity=0.25,
        generator_capacity=0.05,
    )
    model = SwappingAutoencoder(config)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and noise strengths begin at 0, and would do nothing
            parameter.add_(0.1 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., Path]:
    """A maker of image files: `photo("a.png", (width, height), seed)`."""

    def make(name: str, size: tuple[int, int] = (20, 16), seed: int = 0, mode: str = "RGB") -> Path:
        import numpy as np
        from PIL import Image

        shape = (size[1], size[0], len(mode))
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return make


@pytest.fixture(scope="session")
def lpips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an LPIPS whose weights are drawn at random; heads are positive, as the true ones are."""
    import torch
    from safetensors.torch import save_file

    from swapae.metrics import LPIPS
    from swapae.metrics.lpips import whole_filename

    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for name, value in LPIPS().state_dict().items():
        tensor = torch.randn(value.shape, generator=draw) * (2 / value[0].numel()) ** 0.5
        tensors[name] = tensor.abs() if name.startswith("heads") else tensor
    folder = tmp_path_factory.mktemp("nets")
    save_file(tensors, folder / whole_filename("squeeze"))
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[object]:
    """Playwright, started once: of pytest-playwright's fixtures those that stand on it work too."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    api.expect.set_options(timeout=120_000)  # ms, on a machine that is busy with other things
    with api.sync_playwright() as play:
        yield play


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[object]:
    """Chromium, started once, which asks the network for nothing."""
    path = chromium()
    if path is None:
        pytest.skip("Chromium is not installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    started = playwright.chromium.launch(executable_path=path, args=quiet)
    yield started
    started.close()


def chromium() -> str | None:
    """Find the system's own Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)
