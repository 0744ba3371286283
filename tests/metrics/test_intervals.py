"""Intervals of shares and standard errors against scipy."""

import pytest
import torch
from scipy.optimize import brentq
from scipy.stats import binomtest, norm, sem

from swapae.metrics.collectors import Batch, PerImage
from swapae.metrics.intervals import Z, standard_error, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (0, 30), (30, 30), (1, 7), (240, 300), (257, 300)])
def test_the_interval_of_a_share_is_scipys(hits: int, count: int) -> None:
    theirs = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson(hits / count, count) == pytest.approx((theirs.low, theirs.high), abs=1e-5)


def test_its_ends_are_the_shares_that_lie_z_standard_errors_away() -> None:
    def excess(share: float) -> float:
        return abs(0.8 - share) - Z * (share * (1 - share) / 300) ** 0.5

    assert wilson(0.8, 300) == pytest.approx((brentq(excess, 0.5, 0.8), brentq(excess, 0.8, 0.99)))
    assert norm.cdf(Z) - norm.cdf(-Z) == pytest.approx(0.95, abs=1e-4)


def test_a_standard_error_is_scipys_and_one_image_has_none() -> None:
    values = torch.rand(20)
    assert standard_error(values) == pytest.approx(sem(values.double().numpy()), rel=1e-6)
    assert standard_error(values[:1]) == 0


def test_a_share_has_an_interval_and_a_mean_has_an_error() -> None:
    def measure(batch: Batch) -> dict[str, torch.Tensor]:
        values = batch.images["hybrid"].mean((1, 2, 3))
        return {"Mean": values, "Above": (values > 0.5).double()}

    collector = PerImage(["hybrid"], measure, shares=["Above"])
    hybrids = torch.linspace(0, 0.9, 10).view(10, 1, 1, 1)
    collector.update(Batch(torch.arange(10), {"hybrid": hybrids}))
    figures = collector.figures()
    assert list(figures) == ["Mean", "Mean standard error", "Above", "Above low", "Above high"]
    assert figures["Above"] == 0.4
    assert (figures["Above low"], figures["Above high"]) == wilson(0.4, 10)
