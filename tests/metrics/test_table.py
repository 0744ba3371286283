"""Rows, words and figures of the table, on nets that are quick and known."""

import pytest
import torch
import torch.nn.functional as F
from scipy.stats import binomtest

from swapae import UserError
from swapae.metrics import pixels
from swapae.metrics.accumulators import Moments
from swapae.metrics.collectors import Batch, all_figures
from swapae.metrics.frechet import frechet_distance
from swapae.metrics.kernel import kernel_distance
from swapae.metrics.loaders import LOADERS, Nets
from swapae.metrics.manifold import precision_recall
from swapae.metrics.palette import color_distance
from swapae.metrics.selfsim import columns, places, self_similarity_distance
from swapae.metrics.sifid import sifid
from swapae.metrics.table import METRICS, TAPS, choose, figures_of, start


class Quick:
    """A net whose features are small pictures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.num_calls = 0

    def look(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        self.num_calls += 1
        return {"pooled": self.pooled(images), "columns": columns(self.layers(images), places())}

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(images, 2).flatten(1)

    def early(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"3": images, "6": torch.cat([images, images.square()], 1)}

    def layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images, F.avg_pool2d(images, 2)]


class QuickLpips:
    name = "LPIPS-squeeze"

    def distance(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).square().mean((1, 2, 3))


@pytest.fixture
def nets(monkeypatch: pytest.MonkeyPatch) -> Nets:
    for name in ("EffLite0", "Inception", "VGG16"):
        monkeypatch.setitem(LOADERS, name, lambda weights, device, name=name: Quick(name))
    for name in ("squeeze", "alex", "vgg"):
        monkeypatch.setitem(LOADERS, name, lambda weights, device: QuickLpips())
    return Nets()


N = 12


def pictures(seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    cells = torch.rand(N, 3, 4, 4, generator=draw) * 2 - 1
    return F.interpolate(cells, 24, mode="bilinear")


IMAGES = {
    name: pictures(seed)
    for seed, name in enumerate(("photo", "reconstruction", "structure", "texture", "hybrid", "unswapped"))
}
CHANGE = torch.linspace(0.5, 1.5, N)


def batches(which: list[int]) -> list[Batch]:
    """What comes of the images and the pairs of these numbers."""
    numbers = torch.tensor(which)
    of_images = {name: IMAGES[name][which] for name in ("photo", "reconstruction")}
    of_pairs = {name: IMAGES[name][which] for name in ("structure", "texture", "hybrid", "unswapped")}
    return [Batch(numbers, of_images), Batch(numbers, of_pairs | {"texture_change": CHANGE[which]})]


def measured(nets: Nets, words: list[str], deals: list[list[int]]) -> dict[str, float]:
    collectors = start(choose(words), nets)
    for which in deals:
        for batch in batches(which):
            for collector in collectors:
                collector.update(batch)
    return all_figures(collectors)


def test_every_figure_is_that_of_its_formula_on_all_images_at_once(nets: Nets) -> None:
    found = measured(nets, ["all"], [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9, 10, 11]])
    figures = {name: value for name, value in found.items() if not name.endswith("standard error")}
    photo, rec, structure, texture, hybrid, unswapped = IMAGES.values()
    net, lpips = Quick(""), QuickLpips()
    layout = {name: columns(net.layers(IMAGES[name]), places()) for name in IMAGES}
    own = self_similarity_distance(layout["hybrid"], layout["structure"])
    other = self_similarity_distance(layout["hybrid"], layout["texture"])
    kid = kernel_distance(net.pooled(hybrid), net.pooled(photo))
    precision, recall = precision_recall(net.pooled(hybrid), net.pooled(photo))
    to_texture, to_structure = color_distance(hybrid, texture), color_distance(hybrid, structure)
    fid = [moments(net.pooled(side)) for side in (hybrid, structure)]
    wanted = {
        "L1": pixels.l1(rec, photo).mean().item(),
        "PSNR": pixels.psnr(rec, photo).mean().item(),
        "MS-SSIM-2": pixels.ms_ssim(rec, photo).mean().item(),
        "LPIPS-squeeze": lpips.distance(rec, photo).mean().item(),
        "FID-EffLite0": frechet_distance(*fid),
        "KID-EffLite0": kid.value,
        "KID-EffLite0 low": kid.low,
        "KID-EffLite0 high": kid.high,
        "Precision-EffLite0": precision,
        "Recall-EffLite0": recall,
        "SIFID-EffLite0-3": sifid(hybrid, texture).mean().item(),
        "SIFID-EffLite0-6": sifid(*(net.early(side)["6"] for side in (hybrid, texture))).mean().item(),
        "SelfSim-EffLite0": own.mean().item(),
        "StructureLeakage-EffLite0": (own / (own + other)).mean().item(),
        **nearer("StructureNearer-EffLite0", own < other),
        "TextureSensitivity-LPIPS-squeeze": (lpips.distance(hybrid, unswapped).sum() / CHANGE.sum()).item(),
        "Color": to_texture.mean().item(),
        **nearer("ColorNearer", to_texture < to_structure),
    }
    assert list(figures) == list(wanted)
    assert figures == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    values = pixels.l1(rec, photo).double()
    assert found["L1 standard error"] == pytest.approx((values.std() / N**0.5).item(), rel=1e-5)


def nearer(name: str, is_nearer: torch.Tensor) -> dict[str, float]:
    found = binomtest(int(is_nearer.sum()), len(is_nearer))
    ends = found.proportion_ci(method="wilson")
    return {name: found.statistic, f"{name} low": ends.low, f"{name} high": ends.high}


def moments(rows: torch.Tensor) -> Moments:
    kept = Moments()
    kept.add(rows)
    return kept


def test_parts_of_two_processes_make_the_figures_of_one(nets: Nets) -> None:
    whole = measured(nets, ["all"], [list(range(N))])
    parts = []
    for rank in (0, 1):
        collectors = start(choose(["all"]), nets)
        for first in range(rank, N, 4):
            for batch in batches([first, first + 2]):
                for collector in collectors:
                    collector.update(batch)
        parts.append(collectors)
    for mine, theirs in zip(*parts, strict=True):
        mine.absorb(theirs.parts())
    assert list(all_figures(parts[0])) == list(whole)
    assert all_figures(parts[0]) == pytest.approx(whole, rel=1e-5, abs=1e-7)


def test_a_process_that_saw_nothing_adds_nothing_and_takes_all(nets: Nets) -> None:
    whole = start(choose(["all"]), nets)
    for batch in batches(list(range(N))):
        for collector in whole:
            collector.update(batch)
    figures = all_figures(whole)
    idle = start(choose(["all"]), nets)
    assert all_figures(idle) == {}
    for mine, theirs in zip(idle, whole, strict=True):
        mine.absorb(theirs.parts())
    assert all_figures(idle) == figures


def test_features_of_a_batch_are_computed_once_for_all_metrics(nets: Nets) -> None:
    measured(nets, ["fid", "kid", "precision", "selfsim"], [list(range(N))])
    assert nets["EffLite0"].num_calls == 3  # photo, structure, hybrid


def test_the_best_and_the_worst_pair_can_be_found(nets: Nets) -> None:
    (collector,) = start(choose(["lpips"]), nets)
    for batch in batches([5, 2, 9]):
        collector.update(batch)
    numbers, values = collector.by_number("LPIPS-squeeze")  # type: ignore[attr-defined]
    assert numbers.tolist() == [2, 5, 9]
    wanted = QuickLpips().distance(IMAGES["reconstruction"][[2, 5, 9]], IMAGES["photo"][[2, 5, 9]])
    torch.testing.assert_close(values, wanted.double())


def test_words_name_a_metric_and_perhaps_its_net() -> None:
    assert choose(["fid", "KID-inception", "lpips-VGG", "l1"]) == [
        ("FID", "EffLite0"),
        ("KID", "Inception"),
        ("LPIPS", "vgg"),
        ("L1", None),
    ]
    assert choose(["recall", "precision"]) == [("Precision", "EffLite0")]
    assert [name for name, _ in choose(["all", "fid"])] == list(METRICS)


@pytest.mark.parametrize(
    ("word", "hint"),
    [("lpisp", "did you mean LPIPS"), ("fid-vgg16", "did you mean"), ("???", "there are L1, PSNR")],
)
def test_an_unknown_word_is_one_sentence_with_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        choose([word])


def test_every_row_says_what_it_is() -> None:
    for row in METRICS.values():
        assert row.about
        assert row.of in ("reconstruction", "swap")
        assert row.is_better in ("low", "high")
        assert set(row.nets) <= set(LOADERS)


# ── what the figures are called, before anything is measured ─────────────────────────────────────


@pytest.mark.parametrize("net", [0, 1])
def test_the_figures_of_a_choice_are_known_by_name_before_it_is_measured(
    net: int, nets: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Quick, "early", lambda self, images: dict.fromkeys(TAPS[self.name], images), raising=True
    )
    for name, row in METRICS.items():
        choice = name, row.nets[net] if row.nets else None
        collectors = start([choice], nets)
        if name in ("LPIPS", "TextureSensitivity"):
            nets[str(choice[1])].name = f"LPIPS-{choice[1]}"
        for batch in batches(list(range(N))):
            collectors[0].update(batch)
        given = [
            figure
            for figure in all_figures(collectors)
            if not figure.endswith((" standard error", " low", " high"))
        ]
        assert list(figures_of(choice, 24)) == given
        assert set(figures_of(choice, 24)) <= set(figures_of(choice))


def test_each_figure_has_its_own_better_way() -> None:
    assert figures_of(("StructureLeakage", "VGG16")) == {
        "StructureLeakage-VGG16": "low",
        "StructureNearer-VGG16": "high",
    }
    assert figures_of(("Color", None)) == {"Color": "low", "ColorNearer": "high"}
    assert set(figures_of(("Precision", "EffLite0")).values()) == {"high"}
    assert figures_of(("MS-SSIM", None), 176) == {"MS-SSIM": "high"}
    assert len(figures_of(("MS-SSIM", None))) == 5
    with pytest.raises(ValueError, match="MS-SSIM needs images of 11 pixels"):
        figures_of(("MS-SSIM", None), 10)


def test_the_taps_are_those_of_the_nets() -> None:
    from swapae.metrics import efflite, inception

    assert tuple(efflite.EARLY) == TAPS["EffLite0"]
    pytest.importorskip("torchvision")
    net = inception.Inception(inception.empty_net(), "meta")
    assert tuple(net.early(torch.zeros(1, 3, 32, 32))) == TAPS["Inception"]
