"""Bias, leaky ReLU and a gain that keeps the variance: "fused leaky ReLU" (model-spec §2.1)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

NEGATIVE_SLOPE = 0.2
GAIN = math.sqrt(2)


def fused_leaky_relu(
    input: Tensor, bias: Tensor | None = None, negative_slope: float = NEGATIVE_SLOPE, scale: float = GAIN
) -> Tensor:
    """Compute `scale · leaky_relu(input + bias)`.

    Args:
        input: `[B, C]` or `[B, C, H, W]`.
        bias: `[C]`, or None for none.
        negative_slope: slope below zero.
        scale: gain after the activation; √2 keeps the second moment of a unit-normal input near 1.
    """
    x = input if bias is None else input + _over_channels(bias, input.ndim)
    # leaky_relu's backward needs its input only, so the gain may be applied in place.
    return F.leaky_relu(x, negative_slope).mul_(scale)


def fused_leaky_relu_reference(
    input: Tensor, bias: Tensor | None = None, negative_slope: float = NEGATIVE_SLOPE, scale: float = GAIN
) -> Tensor:
    """Define `fused_leaky_relu` in one line per symbol."""
    x = input if bias is None else input + _over_channels(bias, input.ndim)
    return scale * torch.where(x > 0, x, negative_slope * x)


def _over_channels(bias: Tensor, ndim: int) -> Tensor:
    return bias.reshape(1, -1, *[1] * (ndim - 2))
