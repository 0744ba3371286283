"""Compiled kernels for the CPU, on float32 tensors in channels_last (the C++ is in `source/`).

They are optional: where they were not built, `is_available` is False and every op takes its plain path.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from swapae.native import library as c
from swapae.native.library import Kernels

_state = threading.local()


def is_available() -> bool:
    """Whether there are kernels for this processor, and they are not switched off."""
    return _kernels() is not None


def suits(*tensors: Tensor) -> bool:
    """Whether the kernels can take these: float32 on the CPU, not while torch traces or compiles."""
    return (
        is_available()
        and all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
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


def _kernels() -> Kernels | None:
    override = getattr(_state, "kernels", ())
    return override[0] if override else c.chosen_kernels()


def _table() -> Kernels:
    kernels = _kernels()
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
    """
    weight = weight.contiguous()
    out_channels, in_channels = weight.shape[:2]
    if transposed:
        out_channels, in_channels = in_channels, out_channels
    kernels = _table()
    size = kernels.conv3x3_packed_floats(in_channels, out_channels)
    packed = torch.empty(size) if keep else workspace(size, "packed")
    given = c.Conv3x3Pack(
        weight=weight.data_ptr(),
        packed=packed.data_ptr(),
        in_channels=in_channels,
        out_channels=out_channels,
        transposed=transposed,
        scale=scale,
        threads=torch.get_num_threads(),
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
        out: where to write, in channels_last; it may be the residual. None for new memory.

    Returns:
        `[B, K, H', W']` in channels_last, with `H' = H + 2·pad − 2`.
    """
    x = channels_last(x)
    batch, channels, height, width = x.shape
    if out is None or not out.is_contiguous(memory_format=torch.channels_last):
        out = empty(batch, out_channels, height + 2 * pad - 2, width + 2 * pad - 2)
    kernels = _table()
    size = kernels.conv3x3_workspace_floats(channels, out_channels, num_tiles(batch, *out.shape[2:]))
    # These names keep the tensors alive while the kernel reads them.
    in_scale, bias, noise = (None if t is None else t.contiguous() for t in (in_scale, bias, noise))
    residual = None if residual is None else channels_last(residual)
    given = c.Conv3x3(
        x=x.data_ptr(),
        weights=packed.data_ptr(),
        y=out.data_ptr(),
        workspace=workspace(size).data_ptr(),
        in_scale=_pointer(in_scale),
        bias=_pointer(bias),
        noise=_pointer(noise),
        residual=_pointer(residual),
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
        threads=torch.get_num_threads(),
    )
    kernels.conv3x3(given)
    return out


def conv3x3_grad(x: Tensor, grad_y: Tensor, pad: int, scale: float = 1.0) -> Tensor:
    """Compute the gradient `[K, C, 3, 3]` of a weight, times `scale`, from `x` and the output's gradient."""
    x, grad_y = channels_last(x), channels_last(grad_y)
    batch, channels, height, width = x.shape
    out_channels = grad_y.shape[1]
    kernels = _table()
    grad_w = torch.empty(out_channels, channels, 3, 3)
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
        threads=torch.get_num_threads(),
    )
    kernels.conv3x3_grad(given)
    return grad_w


# ── resampling ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Lines:
    """A sparse matrix `[rows, columns]` over the lines of an image, in compressed rows.

    Attributes:
        begin: where each row's entries begin, int32 `[rows + 1]`.
        index: column of each entry, int32.
        weight: value of each entry, float64 (so that one matrix serves every precision).
        columns: lines of the image it acts on.
    """

    begin: Tensor
    index: Tensor
    weight: Tensor
    columns: int

    @property
    def rows(self) -> int:
        """Lines of the image it makes."""
        return len(self.begin) - 1

    @cached_property
    def struct(self) -> c.LinesStruct:
        """The matrix as C takes it; it points into tensors that live as long as this object."""
        return c.LinesStruct(
            begin=self.begin.data_ptr(),
            index=self.index.data_ptr(),
            weight=self._weight32.data_ptr(),
            rows=self.rows,
        )

    @cached_property
    def _weight32(self) -> Tensor:
        return self.weight.float()


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
    """Compute `gain · lrelu(vertical · x · horizontalᵀ + noise_weight · noise + bias)`, channels_last."""
    x = channels_last(x)
    batch, channels, height, width = x.shape
    out = empty(batch, channels, vertical.rows, horizontal.rows)
    bias, noise = (None if t is None else t.contiguous() for t in (bias, noise))
    threads = torch.get_num_threads()
    given = c.Resample(
        x=x.data_ptr(),
        y=out.data_ptr(),
        workspace=workspace(threads * width * channels).data_ptr(),
        bias=_pointer(bias),
        noise=_pointer(noise),
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
    """Compute `gain · lrelu(x + bias)` for `[B, C, H, W]` or `[B, C]`."""
    x = _dense(x)
    out = x if in_place else torch.empty_like(x)
    bias = None if bias is None else bias.contiguous()
    given = c.Activate(
        x=x.data_ptr(),
        bias=_pointer(bias),
        y=out.data_ptr(),
        pixels=x.numel() // x.shape[1],
        channels=x.shape[1],
        slope=slope,
        gain=gain,
        threads=torch.get_num_threads(),
    )
    _table().activate(given)
    return out


def activate_grad(
    grad_y: Tensor, y: Tensor, shift: Tensor | None, slope: float, gain: float, *, with_bias: bool
) -> tuple[Tensor, Tensor | None]:
    """Compute `(grad_y + shift) · (y > 0 ? gain : gain · slope)`, and if asked its sum for each channel."""
    grad_y, y = _dense(grad_y), _dense(y)
    out = torch.empty_like(y)
    channels, threads = y.shape[1], torch.get_num_threads()
    shift = None if shift is None else shift.contiguous()
    grad_bias = y.new_empty(channels) if with_bias else None
    given = c.ActivateGrad(
        grad_y=grad_y.data_ptr(),
        shift=_pointer(shift),
        y=y.data_ptr(),
        grad_x=out.data_ptr(),
        grad_bias=_pointer(grad_bias),
        workspace=workspace(threads * channels).data_ptr(),
        pixels=y.numel() // channels,
        channels=channels,
        slope=slope,
        gain=gain,
        threads=threads,
    )
    _table().activate_grad(given)
    return out, grad_bias


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def channels_last(x: Tensor) -> Tensor:
    """Give the tensor dense in channels_last: itself where it is so already."""
    return x.detach().contiguous(memory_format=torch.channels_last)


def empty(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Make a float32 tensor in channels_last."""
    return torch.empty((batch, channels, height, width), memory_format=torch.channels_last)


def workspace(size: int, name: str = "workspace") -> Tensor:
    """Give this thread's scratch memory of that name, at least `size` floats; it grows and is kept."""
    held: Tensor | None = getattr(_state, name, None)
    if held is None or held.numel() < size:
        with torch.inference_mode(False):
            held = torch.empty(size)
        setattr(_state, name, held)
    return held


def _dense(x: Tensor) -> Tensor:
    return channels_last(x) if x.ndim == 4 else x.detach().contiguous()


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
