import pickle

import pytest
import torch

from swapae.metrics.accumulators import Moments, Samples


def moments(rows: torch.Tensor, batch: int) -> Moments:
    kept = Moments()
    for some in torch.split(rows, batch):
        kept.add(some)
    return kept


def test_moments_are_mean_and_covariance_even_far_from_zero() -> None:
    rows = torch.randn(50, 6, dtype=torch.float64) + 1e7
    mean, covariance = moments(rows, 7).statistics()
    torch.testing.assert_close(mean, rows.mean(0), rtol=1e-15, atol=0)
    torch.testing.assert_close(covariance, torch.cov((rows - 1e7).mT), rtol=0, atol=1e-7)


def test_parts_of_moments_add_up_to_the_whole_in_any_order() -> None:
    rows = torch.randn(40, 5, dtype=torch.float64) * 3 + 100
    whole = moments(rows, 40).statistics()
    a, b, c = moments(rows[:1], 1), moments(rows[1:13], 4), moments(rows[13:], 27)
    for merged in (
        a.merged(b).merged(c),
        c.merged(Moments()).merged(a).merged(b),
        Moments().merged(b.merged(a).merged(c)),
    ):
        assert merged.count == 40
        for found, wanted in zip(merged.statistics(), whole, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_one_image_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two images or more, not 1"):
        moments(torch.zeros(1, 3), 1).statistics()


def test_samples_come_out_in_order_and_once_however_they_were_dealt() -> None:
    rows = torch.randn(9, 2)
    parts = [Samples(), Samples()]
    for number in (8, 3, 1, 0, 7, 2, 6, 5, 4):
        parts[number % 2].add(torch.tensor([number]), rows[number : number + 1])
    parts[1].add(torch.tensor([0, 8]), rows[[0, 8]])  # dealt twice, to fill a round
    for merged in (parts[0].merged(parts[1]), parts[1].merged(parts[0])):
        numbers, values = pickle.loads(pickle.dumps(merged)).read()
        assert numbers.tolist() == list(range(9))
        assert torch.equal(values, rows)


def test_samples_that_do_not_fit_their_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 numbers for 3 rows"):
        Samples().add(torch.arange(2), torch.zeros(3, 1))
