"""What figures mean, how sure they are, and which single pairs are the best, the median and the worst."""

import math

import pytest
import torch

from swapae.evaluation.figures import about, interval, is_share
from swapae.evaluation.singles import Singles, ranking
from swapae.metrics.accumulators import Samples
from swapae.metrics.collectors import Batch, BetweenSets, Collector, PerImage, RatioOfSums
from swapae.metrics.synthetic_swaps import ABOUT, FIGURES
from swapae.metrics.table import METRICS, Figure, all_choices, figures_of


def test_every_figure_of_every_choice_is_known_for_what_it_is() -> None:
    ways: dict[str, str] = dict(FIGURES)
    for choice in all_choices():
        ways |= figures_of(choice)
    assert {name: about(name).better for name in ways} == ways
    assert all(about(name).says for name in ways)


def test_a_figure_is_known_by_the_beginning_of_its_name() -> None:
    assert about("SIFID-EffLite0-24") == (METRICS["SIFID"].is_better, METRICS["SIFID"].about)
    assert about("MS-SSIM-3").better == "high"
    assert about("TextureSensitivity-LPIPS-squeeze").better == "high"
    assert about("LPIPS-squeeze").better == "low"
    assert about("Recall-EffLite0") == dict(METRICS["Precision"].beside)["Recall"]
    assert about("hybrid_psnr") == ABOUT["hybrid_psnr"]
    assert about("StructureNearer-VGG16").better == "high"  # though its row, StructureLeakage, is better low
    assert about("FIDDLE") == ("", "")


def test_a_row_of_ones_own_is_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = (("Mine", Figure("high", "share of what is mine")),)
    row = METRICS["L1"]._replace(nets=("Net",), is_better="low", about="how far it is", beside=beside)
    monkeypatch.setitem(METRICS, "Own", row)
    assert figures_of(("Own", "Net")) == {"Own-Net": "low", "Mine-Net": "high"}
    assert about("Own-Net") == ("low", "how far it is")
    assert about("Mine-Net") == ("high", "share of what is mine")


def test_the_interval_is_the_one_that_was_found_or_that_of_a_mean_or_of_a_share() -> None:
    metrics = {"KID-X": 1.0, "KID-X low": 0.5, "KID-X high": 1.6, "L1": 2.0, "hybrid_nearer_truth": 1.0}
    assert interval("KID-X", metrics, {}, 9) == (0.5, 1.6)
    assert interval("L1", metrics, {"L1": 0.1}, 9) == pytest.approx((2 - 0.196, 2 + 0.196), abs=1e-4)
    assert interval("L1", metrics, {}, 9) is None
    errors = {"hybrid_nearer_truth": 0.0}  # which says nothing of a share of all
    assert interval("hybrid_nearer_truth", metrics, errors, 24) == pytest.approx((0.8620, 1.0), abs=1e-4)


def two_images(role: str, values: list[float], numbers: list[int]) -> Batch:
    images = torch.tensor(values)[:, None, None, None].expand(-1, 3, 2, 2)
    return Batch(torch.tensor(numbers), {role: images, "photo": images, "structure": images})


def test_what_collectors_keep_of_single_images_is_told_by_what_they_look_at() -> None:
    def mean(role: str, *names: str) -> Collector:
        return PerImage((role,), lambda batch: {n: batch.images[role].mean((1, 2, 3)) for n in names})

    def ratio(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return batch.images["hybrid"].mean((1, 2, 3)), torch.full((2,), 2.0)

    collectors = [
        mean("reconstruction", "A"),
        mean("hybrid", "B", "BNearer"),
        RatioOfSums("C", ("hybrid",), ratio),
        mean("interpolated", "D"),
        BetweenSets(("hybrid", "photo"), lambda b, r: b.images[r].mean((2, 3)), Samples, lambda a, b: {}),
    ]
    singles = Singles()
    singles.take(collectors)  # nothing was seen yet
    assert (singles.swaps, singles.reconstructions) == ({}, {})
    for collector in collectors:
        collector.update(two_images("hybrid", [3.0, 1.0], [7, 2]))
        collector.update(two_images("reconstruction", [5.0, 6.0], [4, 9]))
        collector.update(two_images("interpolated", [0.0, 0.0], [7, 2]))
    singles.take(collectors)
    assert singles.reconstructions == {"A": {4: 5.0, 9: 6.0}}
    assert singles.swaps == {"B": {7: 3.0, 2: 1.0}, "BNearer": {7: 3.0, 2: 1.0}, "C": {7: 1.5, 2: 0.5}}


def test_pairs_are_ranked_by_the_first_figure_that_is_no_share() -> None:
    figures = {"ColorNearer": {0: 1.0, 1: 0.0}, "Color": {0: 3.0, 1: 2.0, 2: 2.0, 3: math.nan, 4: 1.0}}
    found = ranking(figures)
    assert found is not None
    assert (found.figure, found.numbers) == ("Color", (4, 1, 2, 0, 3))
    best_first = ranking({"PSNR": {0: math.nan, 1: 20.0, 2: 30.0}})
    assert best_first is not None
    assert best_first.numbers == (2, 1, 0)
    assert ranking({}) is None
    assert ranking({"hybrid_nearer_truth": {0: 1.0}}) is None
    assert is_share("hybrid_nearer_truth")


@pytest.mark.parametrize(
    ("count", "best", "median", "worst"),
    [
        (1, [0], [], []),
        (2, [0], [], [1]),
        (3, [0], [1], [2]),
        (5, [0], [2], [4]),
        (8, [0, 1], [3, 4], [7, 6]),
        (24, [0, 1, 2, 3], [10, 11, 12, 13], [23, 22, 21, 20]),
        (1000, [0, 1, 2, 3], [498, 499, 500, 501], [999, 998, 997, 996]),
    ],
)
def test_best_median_and_worst_are_picked_and_none_comes_twice(
    count: int, best: list[int], median: list[int], worst: list[int]
) -> None:
    found = ranking({"L1": {number: float(number) for number in range(count)}})
    assert found is not None
    picked = {name: list(numbers) for name, numbers in found.picked().items()}
    wanted = {"best": best, "median": median, "worst": worst}
    assert picked == {name: numbers for name, numbers in wanted.items() if numbers}
