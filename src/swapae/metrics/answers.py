"""The trivial answers, which stand beside every result: what is got without any model."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.metrics.color import from_lab, to_lab


def copy_structure(structure: Tensor, texture: Tensor) -> Tensor:
    """Hand back the structure image."""
    return structure


def copy_texture(structure: Tensor, texture: Tensor) -> Tensor:
    """Hand back the texture image."""
    return texture


def color_transfer(structure: Tensor, texture: Tensor) -> Tensor:
    """Give the structure image the texture image's mean and spread of L*, a* and b*.

    After Reinhard et al., 2001. Both are `[B, 3, H, W]` in [-1, 1]. A channel without any spread keeps none.
    """
    own, other = to_lab(structure), to_lab(texture)
    mean, spread = _statistics(own)
    new_mean, new_spread = _statistics(other)
    gain = torch.where(spread > 1e-6, new_spread / spread.clamp(min=1e-6), 0.0)
    return from_lab((own - mean) * gain + new_mean)


def _statistics(lab: Tensor) -> tuple[Tensor, Tensor]:
    return lab.mean((2, 3), keepdim=True), lab.std((2, 3), keepdim=True, correction=0)


TRIVIAL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "copy structure": copy_structure,
    "copy texture": copy_texture,
    "colour transfer": color_transfer,
}


# ── reconstructions ──────────────────────────────────────────────────────────────────────────────

NUM_CELLS = 8  # along each side


def mean_color(photo: Tensor) -> Tensor:
    """Fill the image with its mean colour: 3 numbers are known of it."""
    return photo.mean((2, 3), keepdim=True).expand_as(photo)


def cell_averages(photo: Tensor) -> Tensor:
    """Blow up the averages of 8 × 8 cells, bicubically: 192 numbers are known of the image."""
    cells = F.adaptive_avg_pool2d(photo, NUM_CELLS)
    return F.interpolate(cells, photo.shape[2:], mode="bicubic").clamp(-1, 1)


TRIVIAL_RECONSTRUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean colour": mean_color,
    "8×8 averages": cell_averages,
}
