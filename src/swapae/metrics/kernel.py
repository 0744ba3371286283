"""The kernel distance of two sets of features (Bińkowski et al., 2018): unbiased, so fit for few images."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

NUM_SUBSETS = 100
MAX_SUBSET = 1000  # images
MAX_WHOLE = 4096  # images of both sets, up to which their kernels are kept: 128 MB


class Kernel(NamedTuple):
    """A kernel distance and the interval in which it lies for all such images, at 95 %."""

    value: float
    low: float
    high: float


def kernel_distance(a: Tensor, b: Tensor, seed: int = 0) -> Kernel:
    """Compare features `[N, D]` and `[M, D]`: the mean of `mmd` over seeded random subsets of both.

    The same share of each set is drawn, without repeats: a half, or less where that would be more than 1,000
    images. The interval is the delete-d jackknife's (Shao and Wu, 1989): with a share f drawn, the standard
    error of the whole is the subsets' spread × √(f / (1 - f)); for halves, the spread itself. For sets of one
    kind, whose distance is 0, it is wider than need be, up to 1.8 times.

    Raises:
        ValueError: a set has fewer than four images.
    """
    if min(len(a), len(b)) < 4:
        raise ValueError(f"a kernel distance needs four images a side or more, not {len(a)} and {len(b)}.")
    share = min(0.5, MAX_SUBSET / max(len(a), len(b)))
    sizes = [max(2, int(share * len(side))) for side in (a, b)]
    draw = torch.Generator().manual_seed(seed)
    of_subsets = _all_kernels(a, b) if len(a) + len(b) <= MAX_WHOLE else lambda i, j: mmd(a[i], b[j])
    values = torch.stack([of_subsets(*_drawn((a, b), sizes, draw)) for _ in range(NUM_SUBSETS)])
    error = values.std().item() * (share / (1 - share)) ** 0.5
    value = values.mean().item()
    return Kernel(value, value - 1.96 * error, value + 1.96 * error)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """The unbiased squared maximum mean discrepancy under the kernel (x·y / D + 1)³; in float64."""
    a, b = a.double(), b.double()
    return _discrepancy(_kernel(a, a), _kernel(b, b), _kernel(a, b))


def _all_kernels(a: Tensor, b: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Compute all kernels once; the answer gives `mmd` of the subsets of these numbers."""
    a, b = a.double(), b.double()
    of_a, of_b, across = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    return lambda i, j: _discrepancy(of_a[i][:, i], of_b[j][:, j], across[i][:, j])


def _discrepancy(of_a: Tensor, of_b: Tensor, across: Tensor) -> Tensor:
    return _off_diagonal_mean(of_a) + _off_diagonal_mean(of_b) - 2 * across.mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.mT / a.shape[1] + 1) ** 3


def _off_diagonal_mean(square: Tensor) -> Tensor:
    size = len(square)
    return (square.sum() - square.diagonal().sum()) / (size * (size - 1))


def _drawn(sides: tuple[Tensor, Tensor], sizes: list[int], draw: torch.Generator) -> list[Tensor]:
    """Numbers of some rows of each."""
    return [torch.randperm(len(side), generator=draw)[:size] for side, size in zip(sides, sizes, strict=True)]
