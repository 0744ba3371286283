"""Bias, leaky ReLU and a gain that keeps the variance: "fused leaky ReLU" (model-spec §2.1)."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae import native

NEGATIVE_SLOPE = 0.2
GAIN = math.sqrt(2)


def fused_leaky_relu(
    input: Tensor,
    bias: Tensor | None = None,
    negative_slope: float = NEGATIVE_SLOPE,
    scale: float = GAIN,
    *,
    in_place: bool = False,
) -> Tensor:
    """Compute `scale · leaky_relu(input + bias)`.

    Args:
        input: `[B, C]` or `[B, C, H, W]`.
        bias: `[C]`, or None for none.
        negative_slope: slope below zero.
        scale: gain after the activation; √2 keeps the second moment of a unit-normal input near 1.
        in_place: allow the result to take the place of `input`, which nothing else may need then.
    """
    is_plain = 0 <= negative_slope <= 1 and scale > 0 and input.ndim in (2, 4) and input.numel() > 0
    fits = bias is None or bias.shape == input.shape[1:2]
    if is_plain and fits and native.suits(input, bias):
        in_place = in_place and not (input.is_leaf and input.requires_grad and torch.is_grad_enabled())
        out: Tensor = _Activation.apply(input, bias, negative_slope, scale, in_place)
        return out
    x = input if bias is None else input + _over_channels(bias, input.ndim)
    # leaky_relu's backward needs its input only, so the gain may be applied in place.
    return F.leaky_relu(x, negative_slope).mul_(scale)


def fused_leaky_relu_reference(
    input: Tensor,
    bias: Tensor | None = None,
    negative_slope: float = NEGATIVE_SLOPE,
    scale: float = GAIN,
    *,
    in_place: bool = False,
) -> Tensor:
    """Define `fused_leaky_relu` in one line per symbol; it never works in place, which is only allowed."""
    del in_place
    x = input if bias is None else input + _over_channels(bias, input.ndim)
    return scale * torch.where(x > 0, x, negative_slope * x)


def _over_channels(bias: Tensor, ndim: int) -> Tensor:
    return bias.reshape(1, -1, *[1] * (ndim - 2))


class _Activation(torch.autograd.Function):
    """`y = gain · lrelu(x + bias)`. Its derivative asks for the sign of `y` alone, so `x` is not kept."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, bias: Tensor | None, slope: float, gain: float, in_place: bool
    ) -> Tensor:
        y = native.activate(x, bias, slope, gain, in_place=in_place)
        if y.data_ptr() == x.data_ptr():
            y = x
            ctx.mark_dirty(x)
        ctx.save_for_backward(y)
        ctx.slope, ctx.gain = slope, gain
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        (y,) = ctx.saved_tensors
        with_bias = ctx.needs_input_grad[1]
        grad_x, grad_bias = _ActivationGrad.apply(grad, y, ctx.slope, ctx.gain, with_bias)
        return grad_x, grad_bias, None, None, None


class _ActivationGrad(torch.autograd.Function):
    """`grad_x = grad · slope(y)` and `Σ grad_x`: linear in `grad`, and constant in `y` almost everywhere."""

    @staticmethod
    def forward(
        ctx: Any, grad: Tensor, y: Tensor, slope: float, gain: float, with_bias: bool
    ) -> tuple[Tensor, Tensor | None]:
        ctx.save_for_backward(y)
        ctx.slope, ctx.gain = slope, gain
        ctx.set_materialize_grads(False)
        return native.activate_grad(grad, y, None, slope, gain, with_bias=with_bias)

    @staticmethod
    def backward(
        ctx: Any, grad_x: Tensor | None, grad_bias: Tensor | None
    ) -> tuple[Tensor | None, None, None, None, None]:
        (y,) = ctx.saved_tensors
        if grad_x is None and grad_bias is None:
            return None, None, None, None, None
        total = torch.zeros_like(y) if grad_x is None else grad_x
        if grad_bias is not None:
            total = total + _over_channels(grad_bias, y.ndim)
        onward, _ = _ActivationGrad.apply(total, y, ctx.slope, ctx.gain, False)
        return onward, None, None, None, None
