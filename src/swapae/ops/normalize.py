"""Unit normalisation over channels (model-spec §2.8)."""

import torch
from torch import Tensor

EPSILON = 1e-8


def normalize(v: Tensor) -> Tensor:
    """Scale `v` to unit length over dimension 1: `v · rsqrt(Σ v² + 1e-8)`.

    A structure code `[B, C, h, w]` is normalised at each place, a texture code `[B, C]` as a whole.
    """
    return v * torch.rsqrt(v.square().sum(dim=1, keepdim=True) + EPSILON)


def normalize_reference(v: Tensor) -> Tensor:
    """Define `normalize` channel by channel."""
    squares = sum((channel**2 for channel in v.unbind(1)), start=torch.zeros_like(v[:, 0]))
    return torch.stack([channel / (squares + EPSILON) ** 0.5 for channel in v.unbind(1)], dim=1)


def rms_normalize(style: Tensor) -> Tensor:
    """Scale `style` to unit mean square over dimension 1: `s · rsqrt(mean s² + 1e-8)` (model-spec §2.5)."""
    return style * torch.rsqrt(style.square().mean(dim=1, keepdim=True) + EPSILON)
