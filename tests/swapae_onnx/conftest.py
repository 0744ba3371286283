"""Models by both: in PyTorch, and exported and run without it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from swapae import ModelConfig, SwappingAutoencoder

pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

SMALL = ModelConfig(
    structure_channels=4,
    texture_channels=16,
    structure_downsamplings=2,
    texture_downsamplings=1,
    encoder_capacity=0.25,
    generator_capacity=0.05,
)
CONFIGS = {
    "small": SMALL,
    "structure blocks": replace(SMALL, structure_blocks=2, texture_downsamplings=2),
    "long head": replace(SMALL, head_blocks=4),
    "no antialias": replace(SMALL, use_antialias=False),
    "no noise above": replace(SMALL, use_noise=False),
    # as the published model of 1638 channels: widths that no capacity gives
    "odd widths": replace(
        SMALL, encoder_widths=(7, 13, 19, 16), generator_widths=(17, 11), head_widths=(5, 23)
    ),
}


@dataclass(frozen=True)
class Both:
    """A model, the folder it was exported to, and what runs that."""

    torch: SwappingAutoencoder
    folder: Path
    runtime: "object"


def made(config: ModelConfig, folder: Path) -> Both:
    """A model with random weights that all weigh something, and what was exported of it."""
    import torch

    from swapae.export.folder import write_folder
    from swapae.export.onnx_card import Source
    from swapae.onnx import SwappingAutoencoder as Runtime

    torch.manual_seed(0)
    model = SwappingAutoencoder(config)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and noise strengths begin at 0, and would do nothing
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.eval().requires_grad_(False)
    write_folder(folder, model.encoder, model.generator, config, Source("made", "0"))
    return Both(model, folder, Runtime.from_pretrained(folder, threads=1))


@pytest.fixture(scope="session", params=CONFIGS)
def each(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Each kind of model."""
    return made(CONFIGS[request.param], tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """One of them."""
    return made(SMALL, tmp_path_factory.mktemp("exported"))
