"""A seed gives the noise that torch draws from it."""

import numpy as np
import pytest
import torch

from swapae.networks import random_noise
from swapae_onnx.noise import LARGEST_SEED, LEAST_SEED, TorchNormal, noise_maps

SIDES = [
    (1, 1),
    (1, 3),
    (4, 4),
    (3, 5),
    (1, 15),
    (16, 1),
    (1, 17),
    (31, 33),
    (3, 3),
    (1, 2),
    (64, 64),
    (100, 101),
]


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**32 - 1, 2**32 + 5, LARGEST_SEED, -1, LEAST_SEED])
def test_numbers_are_those_of_torch_in_any_order_of_sizes(seed: int) -> None:
    theirs, ours = torch.Generator().manual_seed(seed), TorchNormal(seed)
    for side in (*SIDES, *reversed(SIDES)):
        expected = torch.randn(1, 1, *side, generator=theirs).numpy()
        drawn = ours.draw((1, 1, *side))
        assert drawn.dtype == np.float32
        assert np.abs(drawn - expected).max() <= 2e-6, side


def test_maps_of_a_model_are_those_of_torch() -> None:
    for height, width in [(1, 1), (1, 7), (3, 5), (8, 8), (13, 11)]:
        shapes = [(1, 1, height * scale, width * scale) for scale in (1, 1, 2, 2, 4)]
        expected = random_noise(shapes, torch.Generator().manual_seed(7))
        for ours, theirs in zip(noise_maps(7, (1, 1, 2, 2, 4), height, width), expected, strict=True):
            assert np.abs(ours - theirs.numpy()).max() <= 2e-6


@pytest.mark.parametrize("seed", [LEAST_SEED - 1, LARGEST_SEED + 1])
def test_a_seed_that_torch_refuses_is_refused(seed: int) -> None:
    with pytest.raises((RuntimeError, ValueError)):
        torch.Generator().manual_seed(seed)
    with pytest.raises(ValueError, match="a seed must lie in"):
        TorchNormal(seed)
