"""Small published checkpoints with random weights, for every test of the converter."""

from collections import OrderedDict

import torch
from torch import Tensor

from swapae.convert.official import published_layout
from swapae.convert.official_names import STEPS, Architecture
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig

Checkpoint = OrderedDict[str, Tensor]


def random_checkpoint(architecture: Architecture) -> Checkpoint:
    """Make a published checkpoint with random weights."""
    made = (
        (key, torch.randn(t.shape) if t.is_meta else t) for key, t in published_layout(architecture).items()
    )
    return OrderedDict([(STEPS, torch.tensor([0])), *made])


def small_model(
    structure_downsamplings: int = 2, structure_channels: int = 4, **options: object
) -> ModelConfig:
    return ModelConfig(
        structure_downsamplings=structure_downsamplings,
        structure_channels=structure_channels,
        texture_channels=24,
        encoder_capacity=0.1,
        generator_capacity=0.05,
        **options,  # type: ignore[arg-type]
    )


SMALL_JUDGES = (
    DiscriminatorConfig(32, capacity=0.1, max_channels=6),
    PatchDiscriminatorConfig(16, capacity=0.1, max_channels=6, head_widths=(8, 6, 5)),
)
