"""Convolution: torch's, or for 3×3 kernels of stride 1 on the CPU a compiled one with a quarter of the work.

The compiled one is Winograd's F(4×4, 3×3). A convolution is bilinear in image and weight, so with its two
adjoints it is closed under differentiation: each of the three has the other two as derivatives, to any order.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae import native

_state = threading.local()


@contextmanager
def no_weight_gradients() -> Iterator[None]:
    """Promise that what this thread differentiates here asks for no gradient of a weight.

    Autograd knows so too, but it does not tell a Python function; half the work of a backward is theirs. On
    the CPU, which alone has the compiled convolution, backward runs in the thread that asks for it.
    """
    before = getattr(_state, "no_weight_gradients", False)
    _state.no_weight_gradients = True
    try:
        yield
    finally:
        _state.no_weight_gradients = before


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    scale: float = 1.0,
) -> Tensor:
    """Convolve `input` `[B, I, H, W]` with `weight · scale` `[O, I, k, k]` and add `bias` `[O]`.

    Args:
        input: images or features.
        weight: before its scale.
        bias: not scaled.
        stride: step between outputs, in pixels.
        padding: zeros added on every side, in pixels.
        scale: factor on the weight: that of the equalized learning rate.
    """
    # What torch refuses (channels or a bias that do not fit) is left to it: its messages are known.
    x = input
    if input.ndim == 4 and native.suits(input, weight, bias):
        x = input.contiguous(memory_format=torch.channels_last)  # no convolution of a processor reorders this
        fits = bias is None or bias.shape == weight.shape[:1]
        if fits and stride == 1 and takes_winograd(x, weight, padding):
            out: Tensor = _Conv3x3.apply(x, weight, padding, scale)
            return out if bias is None else out + bias[:, None, None]
    return F.conv2d(x, weight * scale if scale != 1 else weight, bias, stride, padding)


def conv2d_reference(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    scale: float = 1.0,
) -> Tensor:
    """Define `conv2d` tap by tap."""
    k = weight.shape[-1]
    x = F.pad(input, [padding] * 4)
    height, width = ((side - k) // stride + 1 for side in x.shape[2:])
    out = input.new_zeros(len(x), len(weight), height, width)
    for i in range(k):
        for j in range(k):
            shifted = x[:, :, i : i + stride * height : stride, j : j + stride * width : stride]
            out = out + torch.einsum("oi,bihw->bohw", scale * weight[:, :, i, j], shifted)
    return out if bias is None else out + bias[:, None, None]


# Nanoseconds on one core, from fits to measurements (`benchmarks/ops.py`): of a direct convolution for each
# product and each weight it reads; of Winograd's for each product, each transformed channel of a tile, each
# weight (36 floats) that it packs or, once packed, reads.
DIRECT_PRODUCT, DIRECT_READ = 0.018, 2.5
PRODUCT, TRANSFORM, PACK, READ = 0.025, 14.0, 19.0, 10.0


def takes_winograd(input: Tensor, weight: Tensor, padding: int, *, is_packed: bool = False) -> bool:
    """Whether the compiled convolution is there for these, and would be the faster one.

    Args:
        input: `[B, I, H, W]`.
        weight: `[O, I, k, k]`.
        padding: zeros on every side, in pixels.
        is_packed: whether the weight's transform is already paid for.
    """
    if weight.shape[2:] != (3, 3) or not 0 <= padding <= 2 or not native.suits(input, weight):
        return False
    height, width = (side + 2 * padding - 2 for side in input.shape[2:])
    num_out, num_in = weight.shape[:2]
    if min(height, width) < 1 or len(input) == 0 or input.shape[1] != num_in:
        return False
    tiles = native.num_tiles(len(input), height, width)
    direct = (DIRECT_PRODUCT * 9 * len(input) * height * width + DIRECT_READ) * num_in * num_out
    ours = tiles * (PRODUCT * 36 * num_in * num_out + TRANSFORM * (num_in + num_out))
    return ours + (READ if is_packed else PACK) * num_in * num_out < direct


class _Conv3x3(torch.autograd.Function):
    """`y = scale · weight ∗ x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: int, scale: float) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.scale = padding, scale
        return native.conv3x3(x, native.pack(weight, scale=scale, keep=False), len(weight), padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        grad_x = grad_w = None
        if ctx.needs_input_grad[0]:
            grad_x = _Conv3x3Input.apply(grad, weight, ctx.padding, ctx.scale)
        if ctx.needs_input_grad[1] and not getattr(_state, "no_weight_gradients", False):
            grad_w = _Conv3x3Weight.apply(x, grad, ctx.padding, ctx.scale)
        return grad_x, grad_w, None, None


class _Conv3x3Input(torch.autograd.Function):
    """`x = scale · weightᵀ ∗ y`, the adjoint with respect to the image."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, padding: int, scale: float) -> Tensor:
        ctx.save_for_backward(y, weight)
        ctx.padding, ctx.scale = padding, scale
        packed = native.pack(weight, transposed=True, scale=scale, keep=False)
        return native.conv3x3(y, packed, weight.shape[1], 2 - padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        y, weight = ctx.saved_tensors
        grad_y = grad_w = None
        if ctx.needs_input_grad[0]:
            grad_y = _Conv3x3.apply(grad, weight, ctx.padding, ctx.scale)
        if ctx.needs_input_grad[1]:
            grad_w = _Conv3x3Weight.apply(grad, y, ctx.padding, ctx.scale)
        return grad_y, grad_w, None, None


class _Conv3x3Weight(torch.autograd.Function):
    """`w = scale · Σ x ⋆ y`, the adjoint with respect to the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, padding: int, scale: float) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.padding, ctx.scale = padding, scale
        return native.conv3x3_grad(x, y, padding, scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, y = ctx.saved_tensors
        grad_x = grad_y = None
        if ctx.needs_input_grad[0]:
            grad_x = _Conv3x3Input.apply(y, grad, ctx.padding, ctx.scale)
        if ctx.needs_input_grad[1]:
            grad_y = _Conv3x3.apply(x, grad, ctx.padding, ctx.scale)
        return grad_x, grad_y, None, None
