"""Moving the pixels of an image: exact copies, and warps closed under differentiation.

A warp doubles the image with a wavelet's low-pass filter, samples it bilinearly, and halves it with the same
filter, so that little is lost (Karras et al. 2020, arXiv:2006.06676, appendix B). Beyond its border an image
goes on as its mirror image.
"""

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Low-pass filter of the wavelet sym6 (Daubechies 1992): orthonormal, so halving undoes doubling.
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
REACH = len(SYM6) // 2  # pixels beyond the border on which those at the border depend
# The filter is not quite symmetric: doubled pixels lie this far, in their own sides, behind where they would.
PHASE = (len(SYM6) - 1) / 2 - sum(i * tap for i, tap in enumerate(SYM6)) / sum(SYM6)


def pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Copy whole pixels: `out[b, :, y, x] = images[b, :, rows[b, y], columns[b, x]]`.

    Args:
        images: `[B, C, H, W]`.
        rows: numbers of rows `[B, H']`.
        columns: numbers of columns `[B, W']`.
    """
    channels, width = images.shape[1], images.shape[3]
    lines = images.gather(2, rows[:, None, :, None].expand(-1, channels, -1, width))
    return lines.gather(3, columns[:, None, None, :].expand(-1, channels, rows.shape[1], -1))


def mirrored(places: Tensor, size: int) -> Tensor:
    """Bring numbers of lines back into 0 … size-1: beyond its border an image goes on as its mirror image."""
    places = places % (2 * size)
    return torch.minimum(places, 2 * size - 1 - places)


def warp(images: Tensor, inverse: Tensor) -> Tensor:
    """Move every image by an affine map of its own about its centre.

    Args:
        images: `[B, C, S, S]`, S at least 6.
        inverse: for each image `[B, 2, 3]`: where a point (x, y) of the result lies in the image, in
            coordinates that run from −1 to 1 over it.
    """
    size = images.shape[-1]
    reach = 1 + REACH / size  # half a side of the doubled image with the strip about it
    numbers = torch.arange(2 * (size + REACH), device=images.device, dtype=images.dtype)
    line = (numbers + 0.5 + PHASE) / size - reach
    rows = [row[:, :, None, None] for row in inverse.to(images).unbind(1)]  # [B, 3, 1, 1] for x and y
    places = [row[:, 0] * line + row[:, 1] * line[:, None] + row[:, 2] for row in rows]
    grid = torch.stack([_folded(place, line[0].abs() + 0.25 / size) for place in places], dim=-1)
    return _halved(sample(_doubled(images), (grid - PHASE / size) / reach))


def _folded(places: Tensor, reach: Tensor) -> Tensor:
    """Mirror coordinates beyond ±reach at the borders ±1, as often as it takes to be within."""
    inside = 1 - (torch.remainder(places + 1, 4) - 2).abs()
    return torch.where(places.abs() <= reach, places, inside)


def _doubled(images: Tensor) -> Tensor:
    """Double, with a strip of `REACH` doubled pixels beyond each border: `[B, C, 2·S + 12, 2·S + 12]`."""
    matrix = _doubling(images.shape[-1], images.device, images.dtype)
    return matrix @ images @ matrix.T


def _halved(images: Tensor) -> Tensor:
    """Undo `_doubled`: its adjoint, strips aside."""
    matrix = _halving(images.shape[-1] // 2 - REACH, images.device, images.dtype)
    return matrix @ images @ matrix.T


# Matrices are kept on their device: to bring one there in a step would make the step wait.


@lru_cache(maxsize=32)
def _halving(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Make one axis of `_halved`, `[S, 2·S + 12]`."""
    matrix = torch.zeros(size, 2 * (size + REACH), dtype=torch.float64)
    for line in range(size):
        matrix[line, 2 * line + 1 : 2 * line + 1 + len(SYM6)] = torch.tensor(SYM6, dtype=torch.float64)
    return matrix.to(device, dtype)


@lru_cache(maxsize=32)
def _doubling(size: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Make one axis of `_doubled`, `[2·S + 12, S]`: of the lines and `REACH` mirrored ones on either side."""
    matrix = torch.zeros(2 * (size + REACH), size, dtype=torch.float64)
    for line in range(-REACH, size + REACH):
        own = int(mirrored(torch.tensor(line), size))
        for place, tap in enumerate(SYM6, 2 * line + 1):
            if 0 <= place < len(matrix):
                matrix[place, own] += tap
    return matrix.to(device, dtype)


# ── sampling ─────────────────────────────────────────────────────────────────────────────────────


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Sample bilinearly, as `grid_sample` does, at places that get no gradient; derivatives of any order.

    torch's own has no second derivative, which a gradient penalty needs.

    Args:
        images: `[B, C, H, W]`.
        grid: places (x, y) `[B, h, w, 2]`, −1 to 1 from border to border; those beyond get the border's.
    """
    out: Tensor = _Sample.apply(images, grid)
    return out


class _Sample(torch.autograd.Function):
    """A linear map of the image; its derivative is the adjoint."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(grad, grid, ctx.size), None


class _Spread(torch.autograd.Function):
    """The adjoint; its derivative is sampling again."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        unused = grad.new_zeros(size)  # only its shape matters where the grid gets no gradient
        bilinear, border = 0, 1
        spread: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            grad.contiguous(), unused, grid, bilinear, border, False, [True, False]
        )[0]
        return spread

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(grad, grid), None, None
