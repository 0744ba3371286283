"""The Fréchet distance of two clouds of features, each taken for a Gaussian (Heusel et al., 2017, eq. 6)."""

import torch
from torch import Tensor

from swapae.metrics.accumulators import Moments


def frechet_distance(a: Moments, b: Moments) -> float:
    """Compare two sets of features by mean and covariance.

    Raises:
        ValueError: a set has fewer than two.
    """
    return gaussian_distance(*a.statistics(), *b.statistics()).item()


def gaussian_distance(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> Tensor:
    """|m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½); means `[…, D]`, covariances `[…, D, D]`.

    The trace of the root is that of the symmetric (C_a^½ C_b C_a^½)^½, whose eigenvalues are real and not
    negative even where there are fewer images than features; what rounding makes negative counts as 0.
    """
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp(min=0).sqrt().unsqueeze(-2)) @ vectors.mT
    inner = torch.linalg.eigvalsh(root @ cov_b @ root)
    trace = _trace(cov_a) + _trace(cov_b) - 2 * inner.clamp(min=0).sqrt().sum(-1)
    distance: Tensor = (mean_a - mean_b).square().sum(-1) + trace.clamp(min=0)
    return distance


def _trace(matrix: Tensor) -> Tensor:
    trace: Tensor = torch.einsum("...ii->...", matrix)
    return trace
