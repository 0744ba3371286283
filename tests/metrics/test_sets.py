"""FID, KID and precision/recall against torchmetrics and scipy on the same features."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.spatial import cKDTree

from swapae.metrics import kernel
from swapae.metrics.accumulators import Moments
from swapae.metrics.frechet import frechet_distance, gaussian_distance
from swapae.metrics.kernel import kernel_distance, mmd
from swapae.metrics.manifold import precision_recall, radii


class Given(torch.nn.Module):
    """A feature net that finds the features in the image itself."""

    num_features = 12

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, : self.num_features].double() / 255


def clouds(n: int = 40, m: int = 30, shift: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    """Features that are whole numbers, so that they can travel as pixels of uint8 images [N, 3, 2, 2]."""
    a, b = torch.rand(n, 12), torch.rand(m, 12) * (1 - shift) + shift * 0.9
    return tuple((side * 255).round() for side in (a, b))  # type: ignore[return-value]


def as_images(levels: torch.Tensor) -> torch.Tensor:
    return levels.to(torch.uint8).view(-1, 3, 2, 2)


def moments(rows: torch.Tensor) -> Moments:
    kept = Moments()
    kept.add(rows)
    return kept


@pytest.mark.parametrize("n", [40, 8])  # more and fewer images than features
def test_fid_is_that_of_torchmetrics(n: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    a, b = clouds(n, 30)
    theirs = FrechetInceptionDistance(feature=Given(), input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    theirs.update(as_images(a), real=True)
    theirs.update(as_images(b), real=False)
    found = frechet_distance(moments(a / 255), moments(b / 255))
    assert found == pytest.approx(theirs.compute().item(), rel=1e-6, abs=1e-7)
    assert found > 0.01


def test_fid_is_the_formula_with_scipys_matrix_root() -> None:
    a, b = (side.double().numpy() / 255 for side in clouds())
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = sqrtm(cov_a @ cov_b).real
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)
    found = frechet_distance(*(moments(torch.from_numpy(side)) for side in (a, b)))
    assert found == pytest.approx(wanted, rel=1e-9)


def test_fid_of_a_set_with_itself_is_zero() -> None:
    a, _ = clouds(6)  # rank 5 of 12
    assert frechet_distance(moments(a), moments(a)) == pytest.approx(0, abs=1e-6 * a.var().item())


def test_gaussian_distances_come_in_batches() -> None:
    rows = torch.randn(2, 3, 20, 4, dtype=torch.float64)
    mean, cov = rows.mean(2), torch.stack([torch.stack([torch.cov(r.mT) for r in side]) for side in rows])
    together = gaussian_distance(mean[0], cov[0], mean[1], cov[1])
    alone = [gaussian_distance(mean[0, i], cov[0, i], mean[1, i], cov[1, i]) for i in range(3)]
    torch.testing.assert_close(together, torch.stack(alone))


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_kid_is_that_of_torchmetrics() -> None:
    from torchmetrics.image.kid import KernelInceptionDistance

    a, b = clouds(30, 30)
    theirs = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=30)
    theirs.update(as_images(a), real=True)
    theirs.update(as_images(b), real=False)
    assert mmd(a / 255, b / 255).item() == pytest.approx(theirs.compute()[0].item(), rel=1e-5)


def test_kid_is_unbiased_and_its_interval_holds_zero_for_sets_of_one_kind_nearly_always() -> None:
    draws = [kernel_distance(torch.randn(24, 6), torch.randn(30, 6)) for _ in range(60)]
    values = np.array([draw.value for draw in draws])
    assert abs(values.mean()) < 3 * values.std() / 60**0.5
    assert np.mean([draw.low <= 0 <= draw.high for draw in draws]) > 0.9


def test_the_interval_is_as_wide_as_the_value_scatters_for_sets_that_differ() -> None:
    draws = [kernel_distance(torch.randn(40, 6), torch.randn(60, 6) + 0.7) for _ in range(60)]
    scatter = np.std([draw.value for draw in draws])
    error = np.mean([draw.high - draw.low for draw in draws]) / (2 * 1.96)
    assert 0.7 < error / scatter < 1.4


def test_kid_is_repeatable_and_finds_a_difference() -> None:
    a, b = torch.randn(40, 6), torch.randn(40, 6) + 1
    found = kernel_distance(a, b)
    assert found == kernel_distance(a, b)
    assert 0 < found.low < found.value < found.high
    assert kernel_distance(a, b, seed=1).value == pytest.approx(found.value, rel=0.1)


def test_kernels_that_are_computed_once_give_what_each_subset_would(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = torch.randn(40, 6), torch.randn(23, 6) + 0.3
    found = kernel_distance(a, b)
    draw = torch.Generator().manual_seed(0)
    values = [
        mmd(*(side[torch.randperm(len(side), generator=draw)[: len(side) // 2]] for side in (a, b)))
        for _ in range(100)
    ]
    assert found.value == pytest.approx(torch.stack(values).mean().item(), rel=1e-12)
    monkeypatch.setattr(kernel, "MAX_WHOLE", 62)
    assert kernel_distance(a, b) == pytest.approx(found, rel=1e-12)


def test_too_few_images_for_a_subset_are_refused() -> None:
    with pytest.raises(ValueError, match="four images a side or more, not 3 and 9"):
        kernel_distance(torch.zeros(3, 2), torch.zeros(9, 2))


def test_precision_and_recall_are_those_by_scipys_trees() -> None:
    made, real = torch.randn(60, 3), torch.randn(50, 3) * 1.5 + 0.5
    trees = {"made": cKDTree(made.double().numpy()), "real": cKDTree(real.double().numpy())}

    def share(points: str, centers: str) -> float:
        reach = trees[centers].query(trees[centers].data, k=4)[0][:, 3]
        inside = [
            any(np.linalg.norm(p - c) <= r for c, r in zip(trees[centers].data, reach, strict=True))
            for p in trees[points].data
        ]
        return float(np.mean(inside))

    precision, recall = precision_recall(made, real)
    assert (precision, recall) == (share("made", "real"), share("real", "made"))
    assert 0 < recall < precision <= 1


def test_radii_are_distances_to_the_kth_other_point() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert radii(line.double(), 2).flatten().tolist() == [3, 2, 3, 6]


def test_precision_needs_more_images_than_neighbours() -> None:
    with pytest.raises(ValueError, match="3 neighbours need more images than 3 made"):
        precision_recall(torch.zeros(3, 1), torch.zeros(9, 1))
