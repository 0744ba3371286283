"""Measuring in the course of a training: what it finds, and that it changes nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.metrics.test_processes import Member, in_each
from tests.training.measured import FIGURES, LEAKAGE, WORDS, lines_with, measured, tensors_of
from tests.training.tools import log_of, micro, names_in, run

from swapae import SwappingAutoencoder
from swapae.cli.main import main
from swapae.metrics.synthetic_swaps import FIGURES as FIGURES_OF_TRUE_SWAPS
from swapae.training import evaluate as measuring
from swapae.training.curves import is_figure
from swapae.training.engine import Engine
from swapae.training.evaluate import Evaluation
from swapae.training.figures import EvalConfig

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("quick_net")


def test_a_run_that_is_measured_learns_to_the_bit_what_one_that_is_not_does(
    finished: Path, images: Path, tmp_path: Path
) -> None:
    state = torch.get_rng_state()
    run(micro(), images, tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), state)
    for name in ("images_00000032", "images_00000016"):
        found = tensors_of(tmp_path / "run", name)
        assert len(found) == 3
        if name in names_in(finished / "checkpoints"):
            assert tensors_of(finished, name) == found
    assert "images_00000032" in names_in(finished / "checkpoints")
    lines = [
        {name: value for name, value in line.items() if not is_figure(name)} for line in log_of(finished)
    ]
    assert lines == log_of(tmp_path / "run")


def test_the_log_has_the_figures_as_often_as_asked_and_each_has_its_checkpoint(finished: Path) -> None:
    for name in FIGURES:
        assert list(lines_with(name, finished)) == [8, 16, 24, 32]
    leakages = lines_with(LEAKAGE, finished)
    kept = {int(name.removeprefix("images_")) for name in names_in(finished / "checkpoints")}
    assert kept == {16, 24, 32, min(leakages, key=lambda seen: leakages[seen])}
    state = json.loads((finished / "checkpoints" / "images_00000032" / "state.json").read_text())
    assert state["metrics"][LEAKAGE] == leakages[32]
    assert state["evaluated"] == 32


def test_the_last_figures_are_those_of_the_command_eval(
    finished: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", str(finished), "--data", str(images), "--size", "16", "--pairs", "5", "--batch", "2"]
    assert main([*words, "--metrics", *WORDS, "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    for name, value in report["metrics"].items():
        assert lines_with(name, finished)[32] == pytest.approx(value, rel=1e-6)


def test_the_page_draws_each_figure_and_says_which_way_is_better(finished: Path) -> None:
    page = (finished / "report.html").read_text("utf-8")
    assert "<h3>PSNR</h3>" in page
    assert "peak signal-to-noise ratio in decibels. Should rise." in page
    assert f"<h3>{LEAKAGE}</h3>" in page
    assert "the layout went over to the texture image&#x27;s, 0 to 1. Should fall." in page


def test_two_processes_share_the_work_and_find_the_same(
    finished: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process(Member):
        device = CPU

    model = SwappingAutoencoder.from_pretrained(finished, device="cpu")
    config = measured(images)
    alone = Evaluation(config, Engine(CPU)).figures(model)
    counts: dict[str, list[int]] = {"encode": [], "decode": []}
    for name, kept in counts.items():
        work = getattr(SwappingAutoencoder, name)

        def counting(self: Any, given: Any, work: Any = work, kept: list[int] = kept) -> Any:
            kept.append(len(given))
            return work(self, given)

        monkeypatch.setattr(SwappingAutoencoder, name, counting)

    def in_one(member: Member) -> dict[str, float]:
        process: Any = Process(member.rank, member.table, member.barrier)
        return Evaluation(config, process).figures(model)

    assert in_each(2, in_one) == [alone, alone]
    assert sum(counts["encode"]) == 6  # each image by one of both
    assert sum(counts["decode"]) == 6 + 2 * 5  # and each pair, as hybrid and unswapped


def test_true_swaps_are_measured_as_the_command_does(
    lpips_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torchvision")
    small = micro()
    config = replace(
        small,
        discriminator=replace(small.discriminator, image_size=24),
        data=replace(small.data, load_size=24, crop_size=24),
        eval=EvalConfig(data="synthetic", pairs=3, seed=1, weights=str(lpips_folder)),
        best_metric="hybrid_psnr",
        total_images=16,
    )
    run(config, "synthetic", tmp_path / "run")
    words = ["eval", str(tmp_path / "run"), "--data", "synthetic", "--size", "24", "--pairs", "3"]
    assert main([*words, "--seed", "1", "--weights", str(lpips_folder), "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(FIGURES_OF_TRUE_SWAPS) == set(report["metrics"])
    for name, value in report["metrics"].items():
        assert lines_with(name, tmp_path / "run") == {16: pytest.approx(value, rel=1e-6)}


def test_what_was_rendered_and_read_is_kept_for_the_next_time(
    finished: Path, images: Path, lpips_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchvision")
    model = SwappingAutoencoder.from_pretrained(finished, device="cpu")
    small = replace(micro(), discriminator=replace(micro().discriminator, image_size=24))
    config = replace(small, eval=EvalConfig("synthetic", pairs=3, batch=2, weights=str(lpips_folder)))
    evaluations = [Evaluation(measured(images), Engine(CPU)), Evaluation(config, Engine(CPU))]
    before = [evaluation.figures(model) for evaluation in evaluations]
    monkeypatch.setattr(measuring.synthetic, "render_swaps", None)
    monkeypatch.setattr("swapae.evaluation.photos.prepare", None)
    assert [evaluation.figures(model) for evaluation in evaluations] == before
