"""Mean and covariance of vectors that stream by."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass
class Moments:
    """How many feature vectors there were, their sum [D] and the sum of their outer products [D, D].

    In float64, so that the order in which images come does not show. The features are first moved by
    `origin`, the mean of the first batch that a process sees: a mean far from 0 would eat the digits.
    """

    count: int = 0
    origin: Tensor | None = None
    total: Tensor | None = None
    outer: Tensor | None = None

    def add(self, features: Tensor) -> None:
        """Take in features `[B, D]`."""
        rows = features.detach().cpu().double()
        if not len(rows):
            return
        if self.origin is None:
            self.origin = rows.mean(0)
        rows = rows - self.origin
        total, outer = rows.sum(0), rows.mT @ rows
        self.total = total if self.total is None else self.total + total
        self.outer = outer if self.outer is None else self.outer + outer
        self.count += len(rows)

    def merged(self, other: Self) -> Self:
        """Both parts together."""
        if self.origin is None or self.total is None or self.outer is None:
            return other
        if other.origin is None or other.total is None or other.outer is None:
            return self
        step = other.origin - self.origin  # what the other's rows gain when seen from here
        cross = torch.outer(other.total, step)
        moved = other.outer + cross + cross.mT + other.count * torch.outer(step, step)
        total = self.total + other.total + other.count * step
        return type(self)(self.count + other.count, self.origin, total, self.outer + moved)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean [D] and unbiased covariance [D, D].

        Raises:
            ValueError: fewer than two features were seen.
        """
        if self.count < 2 or self.origin is None or self.total is None or self.outer is None:
            raise ValueError(f"a covariance needs two images or more, not {self.count}.")
        mean = self.total / self.count
        covariance = (self.outer - self.count * torch.outer(mean, mean)) / (self.count - 1)
        return self.origin + mean, covariance

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in."""
        return self.count == 0
