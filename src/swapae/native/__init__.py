"""Compiled kernels for the CPU, on float32 tensors in channels_last (the C++ is in `source/`).

They are optional: where they were not built, `is_available` is False and every op takes its plain path.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from swapae.native import library as c
from swapae.native.library import Kernels
from swapae.native.lines import Lines
from swapae.native.memory import (
    channels_last,
    check_padding,
    check_slope,
    dense,
    empty,
    pointer,
    shaped,
    shapes_of_noise,
    threads_for,
    workspace,
)

__all__ = [
    "Kernels",
    "Lines",
    "activate",
    "activate_grad",
    "conv3x3",
    "conv3x3_grad",
    "is_available",
    "num_tiles",
    "pack",
    "resample",
    "suits",
    "using",
    "workspace",
]

_state = threading.local()


def is_available() -> bool:
    """Whether there are kernels for this processor, and they are not switched off."""
    return _kernels() is not None


def suits(*tensors: Tensor | None) -> bool:
    """Whether the kernels can take these: plain float32 tensors on the CPU, in a plain run.

    A run is not plain while torch compiles, traces, transforms (`torch.func`), watches every operation
    (fake tensors, counting of operations), or chooses precisions itself (autocast).
    """
    return (
        not torch.compiler.is_compiling()
        and is_available()
        and all(tensor is None or _is_plain(tensor) for tensor in tensors)
        and not torch.is_autocast_enabled("cpu")
        and not _is_watched()
    )


def _is_plain(tensor: Tensor) -> bool:
    return (
        type(tensor) in (Tensor, Parameter)
        and tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not tensor.is_neg()
    )


def _is_watched() -> bool:
    return (
        torch._C._is_tracing()
        or torch._C._are_functorch_transforms_active()
        or torch._C._len_torch_dispatch_stack() > 0
        or forward_ad._current_level >= 0
    )


@contextmanager
def using(kernels: Kernels | None) -> Iterator[None]:
    """Use these kernels in this thread, or with None the plain path."""
    before = getattr(_state, "kernels", ())
    _state.kernels = (kernels,)
    try:
        yield
    finally:
        _state.kernels = before


def kernels_name() -> str:
    """Name the instruction set in use; empty for none."""
    kernels = _kernels()
    return kernels.name.decode() if kernels else ""


def _kernels() -> Kernels | None:
    override = getattr(_state, "kernels", ())
    return override[0] if override else c.chosen_kernels()


def _table() -> Kernels:
    kernels = _kernels() or c.kernels()  # a backward ends with kernels what its forward began with them
    if kernels is None:
        raise RuntimeError("there are no compiled kernels here; ask is_available() first.")
    return kernels


# ── 3×3 convolution ──────────────────────────────────────────────────────────────────────────────


def pack(weight: Tensor, *, transposed: bool = False, scale: float = 1.0, keep: bool = True) -> Tensor:
    """Prepare a weight `[O, I, 3, 3]`, times `scale`, for `conv3x3`.

    Args:
        weight: float32.
        transposed: prepare the adjoint instead, which convolves O channels to I.
        scale: factor on the weight.
        keep: give memory of its own; if not, it is scratch memory, overwritten by this thread's next `pack`.

    Returns:
        A vector in the order of these kernels: those of another instruction set cannot read it.

    Raises:
        ValueError: the weight is not `[O, I, 3, 3]` of float32 on the CPU.
    """
    if weight.ndim != 4 or weight.shape[2:] != (3, 3):
        raise ValueError(f"the kernels take weights [O, I, 3, 3], not {tuple(weight.shape)}.")
    weight = dense(weight).contiguous()
    out_channels, in_channels = weight.shape[:2]
    if transposed:
        out_channels, in_channels = in_channels, out_channels
    kernels = _table()
    size = kernels.conv3x3_packed_floats(in_channels, out_channels)
    packed = empty(size) if keep else workspace(size, "packed")
    given = c.Conv3x3Pack(
        weight=weight.data_ptr(),
        packed=packed.data_ptr(),
        in_channels=in_channels,
        out_channels=out_channels,
        transposed=transposed,
        scale=scale,
        threads=threads_for(packed.numel()),
    )
    kernels.conv3x3_pack(given)
    return packed


def num_tiles(batch: int, height: int, width: int) -> int:
    """Count the 4×4 tiles of outputs `[batch, ·, height, width]`."""
    return batch * -(-height // 4) * -(-width // 4)


def conv3x3(
    x: Tensor,
    packed: Tensor,
    out_channels: int,
    pad: int,
    *,
    reflect: bool = False,
    in_scale: Tensor | None = None,
    bias: Tensor | None = None,
    noise: Tensor | None = None,
    noise_weight: float = 0.0,
    slope: float = 1.0,
    gain: float = 1.0,
    residual: Tensor | None = None,
    residual_gain: float = 1.0,
    out: Tensor | None = None,
) -> Tensor:
    """Compute `gain · lrelu(w ∗ (x · in_scale) + noise_weight · noise + bias) + residual_gain · residual`.

    Args:
        x: `[B, C, H, W]`.
        packed: the weight, as `pack` gives it.
        out_channels: K, of the weight.
        pad: 0, 1 or 2 pixels on every side.
        reflect: pad by reflection.
        in_scale: `[B, C]`.
        bias: `[K]`.
        noise: `[B or 1, 1, H', W']`.
        noise_weight: factor on the noise.
        slope: of the leaky ReLU below zero; 1 is none.
        gain: after the leaky ReLU.
        residual: `[B, K, H', W']`.
        residual_gain: factor on the residual.
        out: where to write, if it is in channels_last; it may be the residual. None for new memory.

    Returns:
        `[B, K, H', W']` in channels_last, with `H' = H + 2·pad − 2`.

    Raises:
        ValueError: a shape, dtype, device or number is not as above.
    """
    x = channels_last(x)
    batch, channels, height, width = x.shape
    kernels = _table()
    check_padding(height, width, pad, reflect)
    check_slope(slope)
    if packed.numel() < kernels.conv3x3_packed_floats(channels, out_channels):
        raise ValueError(f"the packed weight is not one of {channels} to {out_channels} channels.")
    out_shape = (batch, out_channels, height + 2 * pad - 2, width + 2 * pad - 2)
    out = empty(*out_shape) if out is None else shaped("out", out, out_shape)
    assert out is not None
    size = kernels.conv3x3_workspace_floats(channels, out_channels, num_tiles(batch, *out.shape[2:]))
    # These names keep the tensors alive while the kernel reads them.
    in_scale = shaped("in_scale", in_scale, (batch, channels))
    bias = shaped("bias", bias, (out_channels,))
    noise = shaped("noise", noise, *shapes_of_noise(out))
    residual = shaped("residual", residual, tuple(out.shape))
    given = c.Conv3x3(
        x=x.data_ptr(),
        weights=packed.data_ptr(),
        y=out.data_ptr(),
        workspace=workspace(size).data_ptr(),
        in_scale=pointer(in_scale),
        bias=pointer(bias),
        noise=pointer(noise),
        residual=pointer(residual),
        workspace_floats=size,
        batch=batch,
        height=height,
        width=width,
        in_channels=channels,
        out_channels=out_channels,
        pad=pad,
        reflect=reflect,
        noise_batch=1 if noise is None else len(noise),
        noise_weight=noise_weight,
        slope=slope,
        gain=gain,
        residual_gain=residual_gain,
        threads=threads_for(out.numel() + packed.numel()),
    )
    kernels.conv3x3(given)
    return out


def conv3x3_grad(x: Tensor, grad_y: Tensor, pad: int, scale: float = 1.0) -> Tensor:
    """Compute the gradient `[K, C, 3, 3]` of a weight, times `scale`, from `x` and the output's gradient.

    Raises:
        ValueError: the sizes do not go together, or a tensor is not float32 on the CPU.
    """
    x, grad_y = channels_last(x), channels_last(grad_y)
    batch, channels, height, width = x.shape
    out_channels = grad_y.shape[1]
    check_padding(height, width, pad, reflect=False)
    wanted = (batch, out_channels, height + 2 * pad - 2, width + 2 * pad - 2)
    if grad_y.shape != wanted:
        raise ValueError(f"the output's gradient is {tuple(grad_y.shape)}, and must be {wanted}.")
    kernels = _table()
    grad_w = empty(out_channels, channels, 3, 3).contiguous()
    size = kernels.conv3x3_grad_workspace_floats(channels, out_channels, num_tiles(batch, *grad_y.shape[2:]))
    given = c.Conv3x3Grad(
        x=x.data_ptr(),
        grad_y=grad_y.data_ptr(),
        grad_w=grad_w.data_ptr(),
        workspace=workspace(size).data_ptr(),
        workspace_floats=size,
        batch=batch,
        height=height,
        width=width,
        in_channels=channels,
        out_channels=out_channels,
        pad=pad,
        scale=scale,
        threads=threads_for(x.numel() + grad_w.numel()),
    )
    kernels.conv3x3_grad(given)
    return grad_w


# ── resampling ───────────────────────────────────────────────────────────────────────────────────


def resample(
    x: Tensor,
    vertical: Lines,
    horizontal: Lines,
    *,
    bias: Tensor | None = None,
    noise: Tensor | None = None,
    noise_weight: float = 0.0,
    slope: float = 1.0,
    gain: float = 1.0,
) -> Tensor:
    """Compute `gain · lrelu(vertical · x · horizontalᵀ + noise_weight · noise + bias)`, channels_last.

    Raises:
        ValueError: the matrices are not of the image's size, or a tensor is not of the kind it should be.
    """
    x = channels_last(x)
    batch, channels, height, width = x.shape
    if (vertical.columns, horizontal.columns) != (height, width):
        wanted = f"{vertical.columns}×{horizontal.columns}"
        raise ValueError(
            f"the matrices resample images of {wanted} pixels, and this one has {height}×{width}."
        )
    check_slope(slope)
    out = empty(batch, channels, vertical.rows, horizontal.rows)
    bias = shaped("bias", bias, (channels,))
    noise = shaped("noise", noise, *shapes_of_noise(out))
    threads = threads_for(out.numel())
    given = c.Resample(
        x=x.data_ptr(),
        y=out.data_ptr(),
        workspace=workspace(threads * width * channels).data_ptr(),
        bias=pointer(bias),
        noise=pointer(noise),
        vertical=vertical.struct,
        horizontal=horizontal.struct,
        batch=batch,
        height=height,
        width=width,
        channels=channels,
        noise_batch=1 if noise is None else len(noise),
        noise_weight=noise_weight,
        slope=slope,
        gain=gain,
        threads=threads,
    )
    _table().resample(given)
    return out


# ── activation ───────────────────────────────────────────────────────────────────────────────────


def activate(x: Tensor, bias: Tensor | None, slope: float, gain: float, *, in_place: bool = False) -> Tensor:
    """Compute `gain · lrelu(x + bias)` for `[B, C, H, W]` or `[B, C]`.

    Raises:
        ValueError: a shape, dtype, device or number is not as above.
    """
    x = dense(x)
    check_slope(slope)
    out = x if in_place else torch.empty_like(x)
    bias = shaped("bias", bias, (x.shape[1],))
    given = c.Activate(
        x=x.data_ptr(),
        bias=pointer(bias),
        y=out.data_ptr(),
        pixels=x.numel() // max(x.shape[1], 1),
        channels=x.shape[1],
        slope=slope,
        gain=gain,
        threads=threads_for(x.numel()),
    )
    _table().activate(given)
    return out


def activate_grad(
    grad_y: Tensor, y: Tensor, shift: Tensor | None, slope: float, gain: float, *, with_bias: bool
) -> tuple[Tensor, Tensor | None]:
    """Compute `(grad_y + shift) · (y > 0 ? gain : gain · slope)`, and if asked its sum for each channel.

    Raises:
        ValueError: the shapes differ, or a tensor is not float32 on the CPU.
    """
    if grad_y.shape != y.shape:
        raise ValueError(f"the gradient is {tuple(grad_y.shape)}, and the output {tuple(y.shape)}.")
    grad_y, y = dense(grad_y), dense(y)
    out = torch.empty_like(y)
    channels = y.shape[1]
    pixels = y.numel() // max(channels, 1)
    kernels = _table()
    shift = shaped("shift", shift, (channels,))
    grad_bias = empty(channels) if with_bias else None
    given = c.ActivateGrad(
        grad_y=grad_y.data_ptr(),
        shift=pointer(shift),
        y=y.data_ptr(),
        grad_x=out.data_ptr(),
        grad_bias=pointer(grad_bias),
        workspace=workspace(kernels.activate_grad_slices(pixels) * channels).data_ptr(),
        pixels=pixels,
        channels=channels,
        slope=slope,
        gain=gain,
        threads=threads_for(y.numel()),
    )
    kernels.activate_grad(given)
    return out, grad_bias
