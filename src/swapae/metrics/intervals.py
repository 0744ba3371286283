"""How far a figure of some images can be trusted: standard errors of means, Wilson's intervals of shares."""

from torch import Tensor

Z = 1.96  # standard errors to either side: 95 % of a normal distribution


def standard_error(values: Tensor) -> float:
    """Of the mean of independent values; 0 for a single one."""
    return (values.double().std() / len(values) ** 0.5).item() if len(values) > 1 else 0.0


def wilson(share: float, count: int) -> tuple[float, float]:
    """The interval of a share among so many (Wilson, 1927), at 95 %: never outside 0 to 1.

    It holds the shares from which what was seen is no more than 1.96 standard errors away. Where all of few
    are alike, 10 of 10, it does not shrink to a point: 0.72 to 1.
    """
    middle = share + Z**2 / (2 * count)
    reach = Z * (share * (1 - share) / count + Z**2 / (4 * count**2)) ** 0.5
    low, high = ((middle + side * reach) / (1 + Z**2 / count) for side in (-1, 1))
    return max(low, 0.0), min(high, 1.0)
