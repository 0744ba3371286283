"""Measurements that cannot be: refused before a run is made; and what a dry run says of those that can."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.measured import LEAKAGE, NEARER, WORDS, lines_with, measured
from tests.training.tools import micro, run

from swapae import UserError
from swapae.cli.main import main
from swapae.training import evaluate as measuring
from swapae.training.config import check
from swapae.training.figures import EvalConfig

pytestmark = pytest.mark.usefixtures("quick_net")


@pytest.mark.parametrize(
    ("changes", "best_metric", "sentence"),
    [
        ({"metrics": ("fdi",)}, "L1", "there is no metric fdi: did you mean FID?"),
        ({}, "psrn", "there is no figure best_metric=psrn: did you mean PSNR?"),
        ({}, "FID-EffLite0", "best_metric=FID-EffLite0 is not measured: add it to eval.metrics"),
        ({"data": None}, "kid", "best_metric=kid is not measured: name images to measure on by eval.data"),
        ({"data": "synthetic"}, "PSNR", "eval.metrics is for sets of images"),
        (
            {"data": "synthetic", "metrics": EvalConfig().metrics},
            "kid",
            "of synthetic there are .*hybrid_psn",
        ),
        ({"pairs": 0}, "PSNR", "eval.pairs=0 must be at least 1"),
        ({"images": -1}, "PSNR", "eval.images=-1 must be at least 0"),
    ],
)
def test_names_and_numbers_are_refused_before_anything_is_read(
    changes: dict[str, object], best_metric: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        check(replace(measured("nowhere", **changes), best_metric=best_metric))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"metrics": ("lpips", *WORDS), "weights": "nowhere"},
            "squeezenet1_1-b8a52dc0.pth.* is not in nowhere",
        ),
        ({"data": "nowhere"}, "There is no folder nowhere"),
        ({"metrics": ("kid", *WORDS), "pairs": 3}, "eval: .*four images a side or more, not 3 and 4"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_a_run_is_made(
    changes: dict[str, object], sentence: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchvision")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence) as caught:
        run(measured(images, **changes), images, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_images_too_small_for_a_net_are_refused_before_a_run_is_made(
    lpips_folder: Path, images: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torchvision")
    config = measured(images, metrics=("lpips", *WORDS), weights=str(lpips_folder))
    with pytest.raises(UserError, match="eval: LPIPS-squeeze needs images of 17 pixels or more"):
        run(config, images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_images_to_measure_on_no_net_is_looked_for(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "Nets", None)
    run(micro(total_images=8), images, tmp_path / "run")
    assert lines_with("reconstruction_l1", tmp_path / "run") == {}  # tools.log_of leaves it out
    assert (tmp_path / "run" / "model").exists()


def test_a_dry_run_says_what_will_be_measured_and_refuses_what_cannot(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from swapae.config import save

    save(measured(images), tmp_path / "config.yaml")
    words = ["train", str(images), "-o", str(tmp_path / "run"), "--preset", str(tmp_path / "config.yaml")]
    assert main([*words, "--device", "cpu", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert f"measured on {images}: 6 images, 5 pairs, 16 px; every 8 images, 4 times in all" in out
    assert f"figures: PSNR, {LEAKAGE}, {NEARER}" in out
    assert f"best is the lowest {LEAKAGE}" in out
    assert main([*words, "--dry-run", "--eval.data", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert main([*words, "--dry-run", "--eval.metrics", "psnr,colour", "--device", "cpu"]) == 1
    assert "did you mean Color" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
