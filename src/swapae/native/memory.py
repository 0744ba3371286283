"""Tensors as the kernels take them: float32 on the CPU, dense, checked before C gets their addresses."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

_held = threading.local()
GRAIN = 8192  # floats that are worth a thread


def channels_last(x: Tensor) -> Tensor:
    """Give the tensor `[B, C, H, W]` dense in channels_last: itself where it is so already.

    Raises:
        ValueError: it is not 4-D, or not float32 on the CPU.
    """
    if x.ndim != 4:
        raise ValueError(f"the kernels take [B, C, H, W], not {x.ndim}-D.")
    return _checked(x).contiguous(memory_format=torch.channels_last)


def dense(x: Tensor) -> Tensor:
    """Give `[B, C, H, W]` dense in channels_last, or `[B, C]` dense.

    Raises:
        ValueError: it has other dimensions, or is not float32 on the CPU.
    """
    return _checked(x).contiguous() if x.ndim == 2 else channels_last(x)


def shaped(name: str, x: Tensor | None, *shapes: tuple[int, ...]) -> Tensor | None:
    """Give a tensor dense, of the first shape's memory order, if it has one of these shapes.

    Raises:
        ValueError: it has none of them, or is not float32 on the CPU.
    """
    if x is None:
        return None
    if tuple(x.shape) not in shapes:
        raise ValueError(f"{name} is {tuple(x.shape)}, and must be {' or '.join(map(str, shapes))}.")
    return channels_last(x) if x.ndim == 4 else _checked(x).contiguous()


def pointer(tensor: Tensor | None) -> int | None:
    """Give the address of a tensor's first float; the caller keeps the tensor alive."""
    return None if tensor is None else tensor.data_ptr()


def empty(*shape: int) -> Tensor:
    """Make a float32 tensor on the CPU, in channels_last if it is 4-D, whatever the defaults are."""
    layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    return torch.empty(shape, dtype=torch.float32, device="cpu", memory_format=layout)


def workspace(size: int, name: str = "workspace") -> Tensor:
    """Give this thread's scratch memory of that name, at least `size` floats; it grows and is kept."""
    held: Tensor | None = getattr(_held, name, None)
    if held is None or held.numel() < size:
        with torch.inference_mode(False):
            held = empty(size)
        setattr(_held, name, held)
    return held


def _checked(x: Tensor) -> Tensor:
    if x.dtype != torch.float32 or x.device.type != "cpu":
        raise ValueError(f"the kernels take float32 on the CPU, not {x.dtype} on {x.device}.")
    return x.detach()


def threads_for(floats: int) -> int:
    """Choose on how many of torch's threads to work: on few where waking them takes longer than the work."""
    return max(1, min(torch.get_num_threads(), floats // GRAIN))


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def check_padding(height: int, width: int, pad: int, reflect: bool) -> None:
    """Refuse what a 3×3 kernel cannot be laid over."""
    if pad not in (0, 1, 2):
        raise ValueError(f"pad={pad} must be 0, 1 or 2.")
    if min(height, width) < max(3 - 2 * pad, 1):
        raise ValueError(f"images of {height}×{width} are too small for a 3×3 kernel with pad={pad}.")
    if reflect and pad >= min(height, width):
        raise ValueError(f"images of {height}×{width} are too small to be padded by {pad} in reflection.")


def check_slope(slope: float) -> None:
    """Refuse a slope for which leaky ReLU is not the larger of two lines."""
    if not 0 <= slope <= 1:
        raise ValueError(f"slope={slope} must lie between 0 and 1.")


def shapes_of_noise(out: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the shapes that a noise map for an output may have."""
    batch, _, height, width = out.shape
    return (1, 1, height, width), (batch, 1, height, width)
