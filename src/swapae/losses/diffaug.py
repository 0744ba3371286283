"""Differentiable augmentation with a fixed strength: colour, translation, cutout (Zhao et al. 2020).

"Differentiable augmentation for data-efficient GAN training", arXiv:2006.10738, §3.2 and appendix. Each image
has draws of its own, uniform in [0, 1), so what happens to it depends on nothing else in the batch.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from swapae.losses.warp import pick

DRAWS = ("brightness", "saturation", "contrast", "row", "column", "cut_row", "cut_column")
SHIFT = 1 / 8  # of the side, at most
HOLE = 1 / 2  # side of the square that is cut out, of the image's


def colored(images: Tensor, u: Mapping[str, Tensor]) -> Tensor:
    """Add up to ±½ to all, multiply colours by 0 … 2 about gray, and all by ½ … 1½ about the mean."""
    brightness, saturation, contrast = (
        u[name].to(images)[:, None, None, None] for name in ("brightness", "saturation", "contrast")
    )
    images = images + (brightness - 0.5)
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (contrast + 0.5)


def translated(images: Tensor, u: Mapping[str, Tensor]) -> Tensor:
    """Shift by up to an eighth of the side, in whole pixels; what comes in is 0, the middle gray."""
    places, inside = [], []
    for draw, size in ((u["row"], images.shape[2]), (u["column"], images.shape[3])):
        most = int(size * SHIFT + 0.5)
        shift = (draw * (2 * most + 1)).floor().long() - most
        place = torch.arange(size, device=images.device) - shift[:, None]
        inside.append((place >= 0) & (place < size))
        places.append(place.clamp(0, size - 1))
    is_inside = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return pick(images, places[0], places[1]) * is_inside


def with_hole(images: Tensor, u: Mapping[str, Tensor]) -> Tensor:
    """Set a square of half the side to 0; its centre is any pixel, so part of it may lie outside."""
    holes = []
    for draw, size in ((u["cut_row"], images.shape[2]), (u["cut_column"], images.shape[3])):
        side = int(size * HOLE + 0.5)
        first = (draw * (size + 1 - side % 2)).floor().long() - side // 2
        place = torch.arange(size, device=images.device) - first[:, None]
        holes.append((place >= 0) & (place < side))
    return images * ~(holes[0][:, None, :, None] & holes[1][:, None, None, :])


STAGES = {"color": colored, "translation": translated, "cutout": with_hole}  # in the published order
