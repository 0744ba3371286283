"""Precision and recall of a set of images by nearest neighbours (Kynkäänniemi et al., 2019)."""

import torch
from torch import Tensor

NUM_NEIGHBORS = 3
_ROWS = 4096  # at a time, so that a matrix of distances between large sets is never whole


def precision_recall(made: Tensor, real: Tensor, k: int = NUM_NEIGHBORS) -> tuple[float, float]:
    """Compare features `[N, D]` of made images with `[M, D]` of real ones.

    Around each image of a set lies a ball that reaches to its k-th nearest neighbour in the set. Precision is
    the share of made images in at least one ball of the real ones, recall the reverse.

    Raises:
        ValueError: a set has not more than k images.
    """
    if min(len(made), len(real)) <= k:
        raise ValueError(f"{k} neighbours need more images than {len(made)} made and {len(real)} real.")
    made, real = made.double(), real.double()
    return _share_inside(made, real, radii(real, k)), _share_inside(real, made, radii(made, k))


def radii(points: Tensor, k: int) -> Tensor:
    """Distance of each point `[N, D]` to its k-th nearest other one `[N]`."""
    nearest = [  # the nearest of all is the point itself
        _distances(some, points).kthvalue(k + 1, dim=1).values for some in torch.split(points, _ROWS)
    ]
    return torch.cat(nearest)


def _share_inside(points: Tensor, centers: Tensor, reach: Tensor) -> float:
    inside = [(_distances(some, centers) <= reach).any(1) for some in torch.split(points, _ROWS)]
    return torch.cat(inside).double().mean().item()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
