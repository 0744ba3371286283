"""Averaged weights of encoder and generator, for inference (absent from the published system)."""

import copy

import torch
from torch import nn

from swapae.model import SwappingAutoencoder

RAMP = 0.05  # early on, the half-life is this part of the images seen, so that the start is forgotten


class Ema:
    """Exponential moving average of a model's weights.

    Args:
        model: the model that is trained.
        half_life_kimg: thousand images after which a weight has half forgotten; 0 is off: `model` is itself.

    Attributes:
        is_ramped: whether a start with random weights has to be forgotten; one from another run's has not.
    """

    def __init__(self, model: SwappingAutoencoder, half_life_kimg: float) -> None:
        self.half_life = 1000 * half_life_kimg  # [images]
        self.trained = model
        self.model = copy.deepcopy(model).eval().requires_grad_(False) if self.half_life else model
        self.is_ramped = True
        self._averaged: list[torch.Tensor] = list(self.model.parameters())
        self._trained: list[torch.Tensor] = list(model.parameters())

    @torch.no_grad()
    def update(self, num_images: int, images_seen: int) -> None:
        """Move the average on by `num_images` images, after `images_seen` of them in all."""
        if not self.half_life:
            return
        half_life = min(self.half_life, RAMP * images_seen) if self.is_ramped else self.half_life
        weight = 1 - 0.5 ** (num_images / max(half_life, 1e-8))
        torch._foreach_lerp_(self._averaged, self._trained, weight)


def parameters_of(*modules: nn.Module) -> list[nn.Parameter]:
    """List the parameters of several modules, in order."""
    return [parameter for module in modules for parameter in module.parameters()]
