import numpy as np
import pytest
import torch
from torch import Tensor

from swapae.editing.pca import EXACT, Axes, Covariance, Sketch, Stream, stream


def by_numpy(rows: Tensor, num: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, axes and variances of all rows at once."""
    everything = rows.double().numpy()
    mean = everything.mean(0)
    _, values, axes = np.linalg.svd(everything - mean, full_matrices=False)
    return mean, axes[:num], values[:num] ** 2 / (len(rows) - 1)


def some_rows(num: int, dimension: int, rank: int | None = None) -> Tensor:
    """Rows whose variances fall off, each of another size, far from 0."""
    rank = rank or dimension
    scales = 0.7 ** torch.arange(rank)
    basis = torch.linalg.qr(torch.randn(dimension, rank))[0]
    return 3 + (torch.randn(num, rank) * scales) @ basis.mT


def fed(taker: Stream, rows: Tensor, size: int) -> Axes:
    for part in rows.split(size):
        taker.add(part)
    return taker.axes(6)


def same(found: Axes, rows: Tensor, tolerance: float = 1e-6) -> None:
    mean, axes, variances = by_numpy(rows, len(found.vectors))
    assert found.count == len(rows)
    np.testing.assert_allclose(found.mean, mean, rtol=tolerance)
    np.testing.assert_allclose(found.variances, variances, rtol=tolerance)
    cosines = np.abs((found.vectors.numpy() * axes).sum(1))
    np.testing.assert_allclose(cosines, 1, rtol=tolerance)
    assert found.total == pytest.approx(rows.double().var(0).sum().item(), rel=tolerance)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_streamed_axes_are_numpys_axes_of_all_rows_whatever_the_batches(size: int) -> None:
    rows = some_rows(300, 24)
    found = fed(Covariance(), rows, size)
    assert len(found.vectors) == 6
    same(found, rows)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_sketch_is_exact_while_it_has_room_for_all_that_varies(size: int) -> None:
    rows = some_rows(300, 60, rank=10)
    same(fed(Sketch(rank=12), rows, size), rows)


def test_a_sketch_finds_the_first_axes_where_it_has_to_drop_others() -> None:
    rows = some_rows(600, 60)
    same(fed(Sketch(rank=40), rows, 9), rows)
    rough = fed(Sketch(rank=8), rows, 9)
    assert rough.variances[0].item() == pytest.approx(by_numpy(rows, 1)[2][0], rel=1e-3)
    assert rough.total == pytest.approx(rows.double().var(0).sum().item(), rel=1e-6)


def test_a_mean_that_wanders_is_no_trouble() -> None:
    """Batches that differ much from each other: the way between their means is part of the variance."""
    rows = torch.cat([some_rows(50, 16, rank=8) + 5 * i for i in range(6)])
    for taker in (Covariance(), Sketch(rank=16)):
        same(fed(taker, rows, 50), rows)


@pytest.mark.parametrize("taker", [Covariance, lambda: Sketch(rank=20)])
def test_memory_does_not_grow_with_the_number_of_rows(taker: type[Covariance]) -> None:
    one = taker()

    def kept(thing: object) -> int:
        if isinstance(thing, Tensor):
            return thing.numel()
        parts = thing if isinstance(thing, list) else getattr(thing, "__dict__", {}).values()
        return sum(map(kept, parts))

    sizes = []
    for _ in range(40):
        one.add(torch.randn(16, 32))
        sizes.append(kept(one))
    assert max(sizes[20:]) == max(sizes[2:20])
    assert max(sizes) <= 32 * 32 + 3 * 32 + 2 * 20 * 32


@pytest.mark.parametrize("taker", [Covariance(), Sketch(rank=4)])
def test_fewer_than_two_rows_have_no_axes(taker: Stream) -> None:
    with pytest.raises(ValueError, match="two"):
        taker.axes(3)
    taker.add(torch.ones(1, 8))
    with pytest.raises(ValueError, match=r"two .* not 1"):
        taker.axes(3)


@pytest.mark.parametrize("taker", [Covariance(), Sketch(rank=9)])
def test_there_are_no_more_axes_than_rows_vary_along(taker: Stream) -> None:
    taker.add(some_rows(20, 9, rank=2))
    assert taker.axes(6).vectors.shape == (2, 9)


def test_equal_rows_have_no_axes() -> None:
    taker = Covariance()
    taker.add(torch.ones(5, 4))
    assert len(taker.axes(3).vectors) == 0


def test_axes_have_a_sense_that_does_not_depend_on_chance() -> None:
    rows = some_rows(100, 10)
    one, other = fed(Covariance(), rows, 10), fed(Covariance(), rows.flip(0), 33)
    torch.testing.assert_close(one.vectors, other.vectors, rtol=0, atol=1e-9)
    largest = one.vectors.gather(1, one.vectors.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


def test_long_rows_are_sketched() -> None:
    assert isinstance(stream(EXACT, 16), Covariance)
    longer = stream(EXACT + 1, 16)
    assert isinstance(longer, Sketch)
    assert longer.rank == 96
