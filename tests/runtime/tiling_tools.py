"""Small networks, and budgets in which they must be tiled."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from swapae import ModelConfig
from swapae.networks import Encoder, Generator
from swapae.runtime.plans import Plan

TINY = ModelConfig(
    structure_channels=3,
    texture_channels=12,
    structure_downsamplings=3,
    texture_downsamplings=1,
    encoder_capacity=0.1,
    generator_widths=(7, 5, 3),
    head_widths=(4, 6),
)


def changed(**changes: Any) -> ModelConfig:
    return replace(TINY, **changes)


CONFIGS = {
    "tiny": TINY,
    "no_antialias": changed(use_antialias=False),
    "no_noise": changed(use_noise=False, head_blocks=1, head_widths=(4,)),
    "deep": changed(structure_downsamplings=4, texture_downsamplings=2, generator_widths=(5, 4, 3, 3)),
    "five_without": changed(
        structure_downsamplings=5,
        use_antialias=False,
        generator_widths=(5, 4, 3, 3, 2),
        encoder_capacity=0.03,
    ),
    "six": changed(structure_downsamplings=6, generator_widths=(5, 4, 3, 3, 2, 2), encoder_capacity=0.03),
}


def with_random_parameters(network: nn.Module) -> Any:
    """In float64, and with biases and noise strengths that do something."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.double().eval()


def encoder_of(name: str) -> Encoder:
    return with_random_parameters(Encoder(CONFIGS[name].encoder()))


def generator_of(name: str) -> Generator:
    return with_random_parameters(Generator(CONFIGS[name].generator()))


def randn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def error(tiled: Tensor, untiled: Tensor) -> float:
    assert tiled.shape == untiled.shape
    return ((tiled - untiled).abs().max() / untiled.abs().max()).item()


def budget_between(plan: Callable[[int], Plan], share: float) -> int:
    """A budget between the least possible one and that of the smallest untiled run."""
    with pytest.raises(ValueError, match="bytes") as refused:
        plan(0)
    least = int(re.findall(r"need (\d+) bytes", str(refused.value))[0])
    return int(least + share * (plan(10**12).bytes - 1 - least))
