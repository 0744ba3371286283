"""The colour distance: how far an image's colours must be moved to become another's, wherever they lie.

The colours of an image are a histogram in L*a*b* of 8 × 8 × 8 bins; the distance is the exact Wasserstein
distance (earth mover's distance, Rubner et al., 2000) with the straight way between the middles of bins as
cost, so it is in units of L*a*b*: 1 is about a just visible difference of all pixels.
"""

from functools import cache
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from swapae.errors import UserError
from swapae.metrics.color import to_lab
from swapae.metrics.exact import exact

NUM_BINS = 8  # along each axis
LOW, HIGH = (0.0, -112.0, -112.0), (100.0, 112.0, 112.0)  # of L*, a*, b*: all that sRGB can show

Array = NDArray[np.float64]


def color_distance(a: Tensor, b: Tensor) -> Tensor:
    """Compare images pair by pair: two `[B, 3, H, W]` in [-1, 1], sizes may differ → `[B]` in float64."""
    return transport(histograms(a), histograms(b))


def histograms(images: Tensor) -> Tensor:
    """Shares of an image's pixels in each bin: `[B, 3, H, W]` in [-1, 1] → `[B, 512]` in float64."""
    lab = to_lab(exact(images))
    low, high = (lab.new_tensor(side).view(1, 3, 1, 1) for side in (LOW, HIGH))
    bins = ((lab - low) / (high - low) * NUM_BINS).floor().clamp(0, NUM_BINS - 1).long()
    flat = ((bins[:, 0] * NUM_BINS + bins[:, 1]) * NUM_BINS + bins[:, 2]).flatten(1)
    counts = torch.zeros(len(images), NUM_BINS**3, dtype=torch.float64, device=images.device)
    return counts.scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float64)) / flat.shape[1]


def transport(a: Tensor, b: Tensor) -> Tensor:
    """Wasserstein distances of histograms `[B, 512]`, pair by pair → `[B]`."""
    pairs = zip(a.cpu().numpy(), b.cpu().numpy(), strict=True)
    return torch.tensor([_wasserstein(one, other) for one, other in pairs], dtype=torch.float64)


@cache
def centers() -> Array:
    """The middles of the bins in L*a*b* [512, 3]."""
    axes = [
        low + (high - low) * (np.arange(NUM_BINS) + 0.5) / NUM_BINS
        for low, high in zip(LOW, HIGH, strict=True)
    ]
    return np.array(list(product(*axes)))


def _wasserstein(a: Array, b: Array) -> float:
    """Solve the transport problem; what both have can stay where it is, since the cost is a metric."""
    surplus, lack = np.maximum(a - b, 0), np.maximum(b - a, 0)
    sources, targets = np.flatnonzero(surplus), np.flatnonzero(lack)
    if not len(sources) or not len(targets):
        return 0.0
    middle = centers()
    cost = np.linalg.norm(middle[sources][:, None] - middle[targets], axis=2)
    supply = surplus[sources]
    demand = lack[targets] * (supply.sum() / lack[targets].sum())
    return _least_cost(cost, supply, demand)


def _least_cost(cost: Array, supply: Array, demand: Array) -> float:
    """The cheapest way to carry `supply` [N] to `demand` [M], at `cost` [N, M] a unit: a linear program."""
    try:
        from scipy.optimize import linprog
        from scipy.sparse import csr_array, eye_array, kron, vstack
    except ImportError as error:
        raise UserError(
            "The colour distance needs scipy, which is in an extra: pip install 'swapae[metrics]'."
        ) from error
    n, m = cost.shape
    leaving = kron(eye_array(n), np.ones((1, m)))
    arriving = kron(np.ones((1, n)), eye_array(m))
    rows = csr_array(vstack([leaving, arriving]))[: n + m - 1]  # the last follows from the others
    amounts = np.concatenate([supply, demand])[: n + m - 1]
    solved = linprog(cost.ravel(), A_eq=rows, b_eq=amounts, method="highs")
    if solved.status != 0:
        raise RuntimeError(f"the transport of colours was not solved: {solved.message}")
    return float(solved.fun)
