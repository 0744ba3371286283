"""SIFID (Shaham et al., 2019, SinGAN): do two single images consist of the same small things?

The Fréchet distance between the features of all places of one image and those of the other, taken near a
net's input, where a feature sees a small patch. Images keep their own size.
"""

import torch
from torch import Tensor

from swapae.metrics.exact import exact
from swapae.metrics.frechet import gaussian_distance


def sifid(a: Tensor, b: Tensor) -> Tensor:
    """Compare maps image by image: `[B, C, h, w]`, sizes may differ → `[B]`.

    Raises:
        ValueError: a map has a single place, which has no spread.
    """
    return gaussian_distance(*_statistics(a), *_statistics(b))


def _statistics(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [B, C] and unbiased covariance [B, C, C] over places, in float64."""
    places = exact(maps).flatten(2)
    count = places.shape[2]
    if count < 2:
        raise ValueError("SIFID needs larger images: a map of one place has no spread.")
    mean = places.mean(2, keepdim=True)
    centered = places - mean
    return mean.squeeze(2), torch.einsum("bcn,bdn->bcd", centered, centered) / (count - 1)
