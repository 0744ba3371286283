"""The synthetic benchmark: systems of known quality get the scores they deserve."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

pytest.importorskip("torchvision", reason="LPIPS needs the extra swapae[metrics]")

from swapae import SwappingAutoencoder, UserError
from swapae.data.synthetic.benchmark import draw_swaps, render_swaps
from swapae.evaluation.report import table
from swapae.evaluation.synthetic import as_tensor, benchmark, is_outputs, of_folder, of_model, write_inputs
from swapae.metrics import LPIPS
from swapae.metrics.answers import color_transfer
from swapae.metrics.collectors import Batch
from swapae.metrics.pixels import psnr

SIZE, PAIRS = 24, 5


@pytest.fixture(scope="module")
def lpips(lpips_folder: Path) -> LPIPS:
    return LPIPS.load(lpips_folder)


@pytest.fixture(scope="module")
def pictures() -> dict[str, torch.Tensor]:
    return {role: as_tensor(some) for role, some in render_swaps(draw_swaps(range(PAIRS)), SIZE).items()}


def test_true_answers_are_perfect_and_trivial_ones_stand_beside(
    lpips: LPIPS, pictures: dict[str, torch.Tensor]
) -> None:
    def knows(batch: Batch) -> dict[str, torch.Tensor]:
        assert batch.images.keys() == {"structure", "texture", "other", "strength"}  # and no truth
        rows = batch.numbers
        made = {"hybrid": "truth", "reconstruction": "structure", "interpolated": "between"}
        return {role: pictures[true][rows] for role, true in made.items()}

    report = benchmark(knows, lpips, num_pairs=PAIRS, size=SIZE, batch=2)
    assert report["metrics"] == pytest.approx(
        {
            "hybrid_nearer_truth": 1,
            "hybrid_lpips": 0,
            "hybrid_psnr": 100,
            "reconstruction_lpips": 0,
            "interpolation_lpips": 0,
        },
        abs=1e-6,
    )
    answers = report["answers"]
    assert isinstance(answers, dict)
    structure, texture, truth = (pictures[role] for role in ("structure", "texture", "truth"))
    for name, answer in (
        ("copy structure", structure),
        ("copy texture", texture),
        ("colour transfer", color_transfer(structure, texture)),
    ):
        found = answers[name]
        assert found["hybrid_lpips"] == pytest.approx(lpips.distance(answer, truth).mean().item(), rel=1e-2)
        assert found["hybrid_psnr"] == pytest.approx(psnr(answer, truth).mean().item(), rel=1e-2)
    assert answers["copy structure"]["hybrid_nearer_truth"] == 0
    assert answers["copy structure"]["reconstruction_lpips"] == 0
    assert answers["copy texture"]["hybrid_nearer_truth"] == 0
    assert answers["copy texture"]["interpolation_lpips"] > 0
    assert "copy texture" in table(report)


def test_nearer_is_counted_pair_by_pair(lpips: LPIPS, pictures: dict[str, torch.Tensor]) -> None:
    def half(batch: Batch) -> dict[str, torch.Tensor]:
        is_even = (batch.numbers % 2 == 0)[:, None, None, None]
        return {"hybrid": torch.where(is_even, pictures["truth"][batch.numbers], batch.images["texture"])}

    report = benchmark(half, lpips, num_pairs=PAIRS, size=SIZE)
    metrics = report["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["hybrid_nearer_truth"] == 3 / 5
    (row,) = (line for line in table(report).splitlines() if line.startswith("hybrid_nearer_truth"))
    assert row.split()[1:5] == ["0.6000", "(0.2307", "to", "0.8824)"]  # Wilson's, of five
    assert metrics.keys() == {"hybrid_nearer_truth", "hybrid_lpips", "hybrid_psnr"}


def test_a_model_is_asked_and_its_saved_pictures_score_the_same(
    lpips: LPIPS, tiny_model: Path, tmp_path: Path
) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    report = benchmark(of_model(model), lpips, num_pairs=3, size=SIZE)
    write_inputs(tmp_path / "in", num_pairs=3, size=SIZE)
    strengths = json.loads((tmp_path / "in" / "strengths.json").read_text("utf-8"))
    assert strengths == {"00000": 0.25, "00001": 0.5, "00002": 0.75}
    (tmp_path / "out").mkdir()
    assert not is_outputs(tmp_path / "out")
    for name, strength in strengths.items():
        parts = [
            tmp_path / "in" / part / f"{name}.png"
            for part in ("input_structure", "input_style", "input_other")
        ]
        made = {
            "swap": model.swap_images(parts[0], parts[1]),
            "rec": model.swap_images(parts[0], parts[0]),
            "mid": model.swap_images(parts[0], parts[2], strength),
        }
        for end, picture in made.items():
            picture.save(tmp_path / "out" / f"{name}_{end}.png")
    assert is_outputs(tmp_path / "out")
    again = benchmark(of_folder(tmp_path / "out"), lpips, num_pairs=3, size=SIZE)
    assert again["metrics"] == pytest.approx(report["metrics"], rel=1e-4)
    assert len(again["metrics"]) == 5  # type: ignore[arg-type]


def test_a_folder_that_lacks_a_picture_or_has_a_wrong_size_is_refused(lpips: LPIPS, tmp_path: Path) -> None:
    Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "00000_swap.png")
    with pytest.raises(UserError, match=r"has no 00001_swap\.png"):
        benchmark(of_folder(tmp_path), lpips, num_pairs=2, size=SIZE)
    with pytest.raises(UserError, match=r"00000_swap\.png is 24x24, the benchmark's pictures are 32x32"):
        benchmark(of_folder(tmp_path), lpips, num_pairs=1, size=32)


def test_pictures_too_small_for_the_distance_are_refused(lpips: LPIPS) -> None:
    with pytest.raises(UserError, match="17 pixels or more, and a pair, not 16 and 5"):
        benchmark(of_folder("none"), lpips, num_pairs=5, size=16)
