"""Pad, upsample, filter, downsample: the one resampling operation of the system (model-spec §2.2).

`upfirdn2d_reference` is the definition, written to be read. `upfirdn2d` gives the same numbers fast.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae import native
from swapae.native import Lines
from swapae.ops.resample import doubling_lines, fir_lines, resample

Padding = Sequence[int]
MOST_TAPS = 8  # of a kernel whose resampling, and its adjoint, the compiled code takes


def make_kernel(k: Sequence[float] | Tensor) -> Tensor:
    """Make the 2-D FIR kernel of a 1-D tap vector: outer(k, k) / sum.

    Args:
        k: taps `[n]`, or a 2-D kernel `[n, m]` that is only normalised.

    Returns:
        float32 kernel `[n, n]` (or `[n, m]`) that sums to 1.
    """
    taps = torch.as_tensor(k, dtype=torch.float32)
    kernel = torch.outer(taps, taps) if taps.ndim == 1 else taps
    return kernel / kernel.sum()


def upfirdn2d(input: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: Padding = (0, 0)) -> Tensor:
    """Upsample by zeros, pad, convolve with `kernel`, keep every `down`-th pixel.

    Args:
        input: `[B, C, H, W]`.
        kernel: FIR kernel `[kh, kw]`, the same for every channel. It is convolved (flipped), not correlated.
        up: zeros are inserted so that each side becomes `up` times as long.
        down: every `down`-th pixel is kept, the first one included.
        pad: `(before, after)` for both axes or `(left, right, top, bottom)`, in pixels of the upsampled
            image. A negative pad crops.

    Returns:
        `[B, C, (H·up + pad − kh) // down + 1, (W·up + pad − kw) // down + 1]`.

    Raises:
        ValueError: when a factor is below 1, or the padded image is smaller than the kernel.
    """
    left, right, top, bottom = _four_pads(pad)
    _check(input, kernel, up, down, (left, right, top, bottom))
    if _taps(input, kernel) is not None:
        return resample(input, *fir_axes(input, kernel, up, down, (left, right, top, bottom)))
    kernel = kernel.to(input.dtype)
    if up > 1:
        return _upsampled(input, kernel, up, down, (left, right, top, bottom))
    if kernel.numel() == 1:
        resized = _pad(input, (left, right, top, bottom))
        return (resized if down == 1 else resized[:, :, ::down, ::down]) * kernel.reshape(())
    return _filtered(input, kernel, down, (left, right, top, bottom))


def upfirdn2d_reference(
    input: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: Padding = (0, 0)
) -> Tensor:
    """Define `upfirdn2d`: insert zeros, pad, crop, convolve tap by tap, keep every `down`-th pixel."""
    left, right, top, bottom = _four_pads(pad)
    _check(input, kernel, up, down, (left, right, top, bottom))
    batch, channels, height, width = input.shape

    spread = input.new_zeros(batch, channels, height * up, width * up)  # [B, C, H·up, W·up]
    spread[:, :, ::up, ::up] = input

    above, below, before, after = (max(p, 0) for p in (top, bottom, left, right))
    padded = input.new_zeros(batch, channels, above + height * up + below, before + width * up + after)
    padded[:, :, above : above + height * up, before : before + width * up] = spread

    rows, cols = height * up + top + bottom, width * up + left + right
    first_row, first_col = max(-top, 0), max(-left, 0)
    cropped = padded[:, :, first_row : first_row + rows, first_col : first_col + cols]

    kernel_height, kernel_width = kernel.shape
    out_height, out_width = rows - kernel_height + 1, cols - kernel_width + 1
    filtered = input.new_zeros(batch, channels, out_height, out_width)
    for dy in range(kernel_height):
        for dx in range(kernel_width):
            tap = kernel[kernel_height - 1 - dy, kernel_width - 1 - dx]
            filtered = filtered + tap * cropped[:, :, dy : dy + out_height, dx : dx + out_width]

    return filtered[:, :, ::down, ::down]


def fir_axes(
    input: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: Padding = (0, 0), reflect: bool = False
) -> tuple[Lines, Lines]:
    """Give the vertical and the horizontal matrix of an `upfirdn2d`.

    Raises:
        ValueError: the kernel is no product of two filters.
    """
    taps = _factors(tuple(map(tuple, kernel.tolist())))
    if taps is None:
        raise ValueError("this kernel is no product of a vertical and a horizontal filter.")
    left, right, top, bottom = _four_pads(pad)
    return (
        fir_lines(input.shape[2], taps[0], up, down, top, bottom, reflect),
        fir_lines(input.shape[3], taps[1], up, down, left, right, reflect),
    )


def reflected_fir(input: Tensor, kernel: Tensor, down: int = 1, pad: tuple[int, int] = (0, 0)) -> Tensor:
    """Pad by reflection, convolve with `kernel`, keep every `down`-th pixel; arguments as in `upfirdn2d`."""
    before, after = pad
    if _taps(input, kernel) is None:
        padded = F.pad(input, (before, after, before, after), mode="reflect")
        return upfirdn2d(padded, kernel, down=down)
    if max(pad) >= min(input.shape[2:]):
        raise ValueError(f"images of {tuple(input.shape[2:])} are too small to be padded by {pad}.")
    _check(input, kernel, 1, down, (before, after, before, after))
    return resample(input, *fir_axes(input, kernel, 1, down, pad, reflect=True))


def upsample2(input: Tensor) -> Tensor:
    """Double the size bilinearly, `[B, C, H, W]` → `[B, C, 2H, 2W]` (align_corners=False)."""
    if native.suits(input) and input.numel():
        return resample(input, doubling_lines(input.shape[2]), doubling_lines(input.shape[3]))
    return F.interpolate(input, scale_factor=2, mode="bilinear", align_corners=False)


def _taps(input: Tensor, kernel: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Give the (vertical, horizontal) taps by which compiled code is to filter; None for the plain path."""
    if not native.suits(input, kernel) or kernel.requires_grad or input.numel() == 0:
        return None
    return _factors(tuple(map(tuple, kernel.tolist())))


@lru_cache(maxsize=64)
def _factors(
    kernel: tuple[tuple[float, ...], ...],
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Write a kernel as vertical and horizontal taps, if it is their outer product and of few taps."""
    matrix = torch.tensor(kernel, dtype=torch.float64, device="cpu")
    total = matrix.sum()
    if total == 0 or max(matrix.shape) > MOST_TAPS:
        return None
    vertical, horizontal = matrix.sum(1), matrix.sum(0) / total
    if not torch.allclose(torch.outer(vertical, horizontal), matrix, rtol=1e-6, atol=1e-9):
        return None
    return tuple(vertical.tolist()), tuple(horizontal.tolist())


def _filtered(x: Tensor, kernel: Tensor, down: int, pads: tuple[int, int, int, int]) -> Tensor:
    """Filter without upsampling: one depthwise convolution, which skips what `down` would drop."""
    channels = x.shape[1]
    weight = kernel.flip(0, 1)[None, None].expand(channels, 1, -1, -1)  # [C, 1, kh, kw]
    left, right, top, bottom = pads
    if left == right and top == bottom and min(pads) >= 0:
        return F.conv2d(x, weight, stride=down, padding=(top, left), groups=channels)
    return F.conv2d(_pad(x, pads), weight, stride=down, groups=channels)


def _upsampled(x: Tensor, kernel: Tensor, up: int, down: int, pads: tuple[int, int, int, int]) -> Tensor:
    """Filter with upsampling: a depthwise transposed convolution is the full convolution of the spread image.

    The full convolution starts `k − 1` pixels before the padded one with pad 0 does, and ends where the last
    input pixel stops to act; what is asked beyond is zero.
    """
    channels = x.shape[1]
    weight = kernel[None, None].expand(channels, 1, -1, -1)
    full = F.conv_transpose2d(x, weight, stride=up, groups=channels)
    kernel_height, kernel_width = kernel.shape
    left, right, top, bottom = pads
    left, top = left - (kernel_width - 1), top - (kernel_height - 1)
    # Output size is H·up + pads − kernel + 1; the rest of it lies after `full`, or is cut off it.
    right += up - 1 - (kernel_width - 1)
    bottom += up - 1 - (kernel_height - 1)
    out = _pad(full, (left, right, top, bottom))
    return out if down == 1 else out[:, :, ::down, ::down]


def _pad(x: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
    """Pad with zeros, then crop: in this order a crop may go past the far side, which `F.pad` refuses."""
    if max(pads) > 0:
        x = F.pad(x, [max(p, 0) for p in pads])
    if min(pads) < 0:
        left, right, top, bottom = (max(-p, 0) for p in pads)
        x = x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]
    return x


def _four_pads(pad: Padding) -> tuple[int, int, int, int]:
    if len(pad) == 2:
        return pad[0], pad[1], pad[0], pad[1]
    if len(pad) == 4:
        return pad[0], pad[1], pad[2], pad[3]
    raise ValueError(f"pad has {len(pad)} numbers; give (before, after) or (left, right, top, bottom).")


def _check(x: Tensor, kernel: Tensor, up: int, down: int, pads: tuple[int, int, int, int]) -> None:
    if up < 1 or down < 1:
        raise ValueError(f"up={up} and down={down} must be whole numbers of at least 1.")
    if x.ndim != 4 or kernel.ndim != 2:
        raise ValueError(f"upfirdn2d takes [B, C, H, W], [kh, kw], not {x.ndim}-D and {kernel.ndim}-D.")
    left, right, top, bottom = pads
    padded = (x.shape[2] * up + top + bottom, x.shape[3] * up + left + right)
    if padded[0] < kernel.shape[0] or padded[1] < kernel.shape[1]:
        raise ValueError(f"the padded image, {padded}, is smaller than the kernel, {tuple(kernel.shape)}.")
