"""Principal axes of rows that stream by, in memory that does not grow with their number."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from swapae.moments import Moments

EXACT = 4096  # numbers in a row up to which all their covariances are kept: 128 MiB


@dataclass(frozen=True, eq=False)
class Axes:
    """The directions in which rows vary most.

    Attributes:
        count: number of rows.
        mean: of the rows, `[D]`.
        vectors: unit vectors `[K, D]`, by falling variance; the largest number of each is positive.
        variances: along each, `[K]`, with divisor N − 1.
        total: variance along all of D axes together.
    """

    count: int
    mean: Tensor
    vectors: Tensor
    variances: Tensor
    total: float


class Stream(Protocol):
    """Takes rows in and gives their axes."""

    def add(self, rows: Tensor) -> None:
        """Take in rows `[B, D]`."""
        ...

    def axes(self, num: int) -> Axes:
        """Give the first axes, at most `num`: fewer if the rows vary along fewer."""
        ...


def stream(dimension: int, num: int) -> Stream:
    """Choose what finds `num` axes of rows of this length: all covariances, or the most important axes."""
    return Covariance() if dimension <= EXACT else Sketch(rank=4 * num + 32)


@dataclass
class Covariance:
    """Exact to rounding: mean and covariances of all numbers of a row with each other, float64, `[D, D]`."""

    moments: Moments = field(default_factory=Moments)

    def add(self, rows: Tensor) -> None:
        """Take in rows `[B, D]`."""
        self.moments.add(rows)

    def axes(self, num: int) -> Axes:
        """Give the first axes, by eigenvalues of the covariance.

        Raises:
            ValueError: there were fewer than two rows.
        """
        mean, covariance = self.moments.statistics()
        variances, vectors = torch.linalg.eigh(covariance)
        total = covariance.trace().item()
        return _axes(self.moments.count, mean, vectors.mT.flip(0), variances.flip(0), total, num)


@dataclass
class Sketch:
    """For rows too long for all covariances: the `rank` most important axes so far, `[rank, D]`.

    Incremental singular values (Ross et al., *Incremental Learning for Robust Visual Tracking*, IJCV 2008
    §3): rows that come are put under the axes that are there, weighted by their singular values, and the axes
    of both are found; a row of its own carries the step between the means. Exact while the rows vary along no
    more than `rank` axes; else what was once dropped is missing, little of the first axes if `rank` is far
    above them.
    """

    rank: int
    count: int = 0
    mean: Tensor | None = None
    weighted: Tensor | None = None  # axes times singular values
    squares: float = 0.0  # of all rows, from the mean
    waiting: list[Tensor] = field(default_factory=list)

    def add(self, rows: Tensor) -> None:
        """Take in rows `[B, D]`; they wait until there are enough to be worth a decomposition."""
        self.waiting.append(rows.detach().cpu().double())
        if sum(map(len, self.waiting)) >= self.rank:
            self._take_in()

    def axes(self, num: int) -> Axes:
        """Give the first axes.

        Raises:
            ValueError: there were fewer than two rows.
        """
        self._take_in()
        if self.count < 2 or self.weighted is None or self.mean is None:
            raise ValueError(f"principal axes need two rows or more, not {self.count}.")
        lengths = self.weighted.norm(dim=1)
        vectors = self.weighted / lengths.clamp(min=1e-300)[:, None]
        by_freedom = self.count - 1
        return _axes(self.count, self.mean, vectors, lengths**2 / by_freedom, self.squares / by_freedom, num)

    def _take_in(self) -> None:
        if not self.waiting:
            return
        rows, self.waiting = torch.cat(self.waiting), []
        mean, count = rows.mean(0), len(rows)
        parts = [rows - mean]
        both = self.count + count
        if self.weighted is not None and self.mean is not None:
            step = (self.count * count / both) ** 0.5 * (mean - self.mean)
            parts = [self.weighted, step[None], *parts]
            self.squares += step.square().sum().item()
            mean = self.mean + (mean - self.mean) * count / both
        self.squares += parts[-1].square().sum().item()
        _, values, vectors = torch.linalg.svd(torch.cat(parts), full_matrices=False)
        self.weighted = (values[:, None] * vectors)[: self.rank]
        self.mean, self.count = mean, both


def _axes(count: int, mean: Tensor, vectors: Tensor, variances: Tensor, total: float, num: int) -> Axes:
    """Keep the first axes along which there is more than rounding; turn each to one of its two senses."""
    is_real = variances > 1e-12 * total
    vectors, variances = vectors[is_real][:num], variances[is_real][:num]
    places = vectors.abs().argmax(dim=1, keepdim=True)
    return Axes(count, mean, vectors * vectors.gather(1, places).sign(), variances, total)
