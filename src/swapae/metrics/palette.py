"""The colour distance: how far an image's colours must be moved to become another's, wherever they lie.

The colours of an image are a histogram in L*a*b* of 8 × 8 × 8 bins; the distance is the exact Wasserstein
distance (earth mover's distance, Rubner et al., 2000) with the straight way between the middles of bins as
cost, so it is in units of L*a*b*: 1 is about a just visible difference of all pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from swapae.errors import UserError
from swapae.metrics.color import to_lab
from swapae.metrics.exact import exact

NUM_BINS = 8  # along each axis
LOW, HIGH = (0.0, -112.0, -112.0), (100.0, 112.0, 112.0)  # of L*, a*, b*: all that sRGB can show
AT_ONCE, MAX_VARIABLES = 8, 20_000  # in one linear program
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
    found = torch.zeros(len(a), dtype=torch.float64)
    pairs = zip(a.cpu().numpy(), b.cpu().numpy(), strict=True)
    problems = {
        place: _problem(one, other)
        for place, (one, other) in enumerate(pairs)
        if (one > other).any() and (one < other).any()
    }
    for places in _together({place: problem.cost.size for place, problem in problems.items()}):
        found[places] = torch.from_numpy(_least_costs([problems[place] for place in places]))
    return found


@cache
def centers() -> Array:
    """The middles of the bins in L*a*b* [512, 3]."""
    axes = [
        low + (high - low) * (np.arange(NUM_BINS) + 0.5) / NUM_BINS
        for low, high in zip(LOW, HIGH, strict=True)
    ]
    return np.array(list(product(*axes)))


class _Problem(NamedTuple):
    """Carry `supply` [N] to `demand` [M], at `cost` [N, M] a unit."""

    cost: Array
    supply: Array
    demand: Array


def _problem(a: Array, b: Array) -> _Problem:
    """What is to be carried; what both have can stay where it is, since the cost is a metric."""
    surplus, lack = np.maximum(a - b, 0), np.maximum(b - a, 0)
    sources, targets = np.flatnonzero(surplus), np.flatnonzero(lack)
    middle = centers()
    cost = np.linalg.norm(middle[sources][:, None] - middle[targets], axis=2)
    supply = surplus[sources]
    return _Problem(cost, supply, lack[targets] * (supply.sum() / lack[targets].sum()))


def _together(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Group problems by their numbers of variables: eight at a time, fewer where they are large."""
    group: list[int] = []
    for place, size in sizes.items():
        if group and (len(group) == AT_ONCE or sum(sizes[one] for one in group) + size > MAX_VARIABLES):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _least_costs(problems: Sequence[_Problem]) -> Array:
    """The cheapest way of each, by one linear program of all: most of a small one's time is its set-up."""
    try:
        from scipy.optimize import linprog
        from scipy.sparse import csc_array
    except ImportError as error:
        raise UserError(
            "The colour distance needs scipy, which is in an extra: pip install 'swapae[metrics]'."
        ) from error
    rows, first = [], 0  # of each variable: the equation of what leaves, and that of what arrives
    for cost, supply, demand in problems:
        leaving, arriving = np.indices(cost.shape)
        rows.append(np.stack([leaving + first, arriving + first + len(supply)], axis=2).ravel())
        first += len(supply) + len(demand)
    costs = np.concatenate([problem.cost.ravel() for problem in problems])
    amounts = np.concatenate([side for problem in problems for side in (problem.supply, problem.demand)])
    ones, starts = np.ones(2 * len(costs)), np.arange(0, 2 * len(costs) + 1, 2)
    equations = csc_array((ones, np.concatenate(rows), starts), shape=(first, len(costs)))
    solved = linprog(costs, A_eq=equations, b_eq=amounts, method="highs")
    if solved.status != 0:
        raise RuntimeError(f"the transport of colours was not solved: {solved.message}")
    ends = np.cumsum([problem.cost.size for problem in problems])[:-1]
    return np.array([part.sum() for part in np.split(costs * solved.x, ends)])
