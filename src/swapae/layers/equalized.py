"""Layers of equalized learning rate: unit-normal weights, scaled by 1/√fan_in in use (model-spec §2.1)."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.ops import conv2d, fused_leaky_relu
from swapae.ops.bias_act import GAIN, NEGATIVE_SLOPE


class EqualConv2d(nn.Module):
    """Convolve with `weight · lr_mul / √(in_channel · kernel_size²)`; the bias is not scaled.

    Args:
        in_channel: channels of the input `[B, in_channel, H, W]`.
        out_channel: channels of the output.
        kernel_size: side of the square kernel, in pixels.
        stride: step between outputs, in pixels.
        padding: zeros added on every side, in pixels.
        bias: whether a bias, 0 at first, is added.
        lr_mul: learning-rate multiplier of the weight.
    """

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        lr_mul: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channel, in_channel, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channel)) if bias else None
        self.scale = lr_mul / math.sqrt(in_channel * kernel_size**2)
        self.stride = stride
        self.padding = padding

    def forward(self, input: Tensor, gain: float = 1.0) -> Tensor:
        """Convolve; `gain` is one more factor on the weight."""
        return conv2d(input, self.weight, self.bias, self.stride, self.padding, gain * self.scale)

    def extra_repr(self) -> str:
        out, in_, k, _ = self.weight.shape
        return f"{in_}, {out}, {k}, stride={self.stride}, padding={self.padding}"


class EqualLinear(nn.Module):
    """Multiply by `weight · lr_mul / √in_dim`, add `bias · lr_mul`, and activate if asked.

    A 4-D input `[B, in_dim, h, w]` is taken place by place, as a 1×1 convolution takes it: this is what makes
    spatial texture maps possible.

    Args:
        in_dim: channels of the input `[B, in_dim]` or `[B, in_dim, h, w]`.
        out_dim: channels of the output.
        bias: whether there is a bias.
        bias_init: its value at first.
        lr_mul: learning-rate multiplier of weight and bias.
        activation: None, or "fused_lrelu" for leaky ReLU 0.2 with gain √2.
    """

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        bias: bool = True,
        bias_init: float = 0.0,
        lr_mul: float = 1.0,
        activation: Literal["fused_lrelu"] | None = None,
    ) -> None:
        super().__init__()
        if activation not in (None, "fused_lrelu"):
            raise ValueError(f"activation must be None or 'fused_lrelu', not {activation!r}.")
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim) / lr_mul)
        self.bias = nn.Parameter(torch.full((out_dim,), float(bias_init))) if bias else None
        self.activation = activation
        self.scale = lr_mul / math.sqrt(in_dim)
        self.lr_mul = lr_mul

    def forward(self, input: Tensor) -> Tensor:
        bias = self.bias if self.bias is None or self.lr_mul == 1 else self.bias * self.lr_mul
        x = input * self.scale  # rather than the weight, which is larger
        if self.activation is not None:
            return fused_leaky_relu(_linear(x, self.weight, None), bias, in_place=True)
        return _linear(x, self.weight, bias)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, activation={self.activation}"


class FusedLeakyReLU(nn.Module):
    """Add a bias per channel, then leaky ReLU with a gain.

    Args:
        channel: channels of the input `[B, channel, …]`.
        negative_slope: slope below zero.
        scale: gain after the activation.
    """

    def __init__(self, channel: int, negative_slope: float = NEGATIVE_SLOPE, scale: float = GAIN) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channel))
        self.negative_slope = negative_slope
        self.scale = scale

    def forward(self, input: Tensor, gain: float = 1.0, in_place: bool = False) -> Tensor:
        """Activate; `gain` is one more factor on the result, `in_place` as in `fused_leaky_relu`."""
        return fused_leaky_relu(input, self.bias, self.negative_slope, gain * self.scale, in_place=in_place)


class ScaledLeakyReLU(nn.Module):
    """Leaky ReLU with gain √2 and no bias."""

    def __init__(self, negative_slope: float = NEGATIVE_SLOPE) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: Tensor, gain: float = 1.0, in_place: bool = False) -> Tensor:
        """Activate; `gain` is one more factor on the result, `in_place` as in `fused_leaky_relu`."""
        return fused_leaky_relu(input, None, self.negative_slope, gain * GAIN, in_place=in_place)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if x.ndim == 4:
        return F.conv2d(x, weight[:, :, None, None], bias)
    return F.linear(x, weight, bias)
