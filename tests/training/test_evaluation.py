"""Measuring in the course of a training: what it finds, and that it changes nothing else."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.metrics.test_processes import Member, in_each
from tests.metrics.test_table import Quick
from tests.training.tools import Heard, bytes_of, log_of, make_images, micro, names_in, run

from swapae import SwappingAutoencoder, UserError
from swapae.cli.main import main
from swapae.config import load
from swapae.metrics.loaders import LOADERS
from swapae.metrics.synthetic_swaps import FIGURES as FIGURES_OF_TRUE_SWAPS
from swapae.training import evaluate as measuring
from swapae.training.best import best_checkpoint, keep_best_model
from swapae.training.config import TrainConfig, check
from swapae.training.curves import is_figure
from swapae.training.engine import Engine
from swapae.training.evaluate import Evaluation
from swapae.training.figures import EvalConfig, best
from swapae.training.retention import best_of
from swapae.training.run import RunFolder
from swapae.weights import load_tensors

CPU = torch.device("cpu")
WORDS = ("psnr", "structureleakage")
LEAKAGE, NEARER = "StructureLeakage-EffLite0", "StructureNearer-EffLite0"
FIGURES = {"PSNR", LEAKAGE, NEARER}


@pytest.fixture(scope="module", autouse=True)
def _quick_net() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LOADERS, "EffLite0", lambda weights, device: Quick("EffLite0"))
        yield


def measured(folder: object, /, **changes: object) -> TrainConfig:
    """Measure every second step; a checkpoint would be saved every fourth."""
    settings = {"data": str(folder), "images": 8, "metrics": WORDS, "pairs": 5, "batch": 2}
    return micro(eval=EvalConfig(**settings | changes), best_metric="structureleakage")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def finished(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was measured from its first to its last step."""
    folder = tmp_path_factory.mktemp("measured") / "run"
    run(measured(images), images, folder)
    return folder


def lines_with(name: str, folder: Path) -> dict[int, float]:
    """Values of a column of the log, by images seen."""
    return {int(line["images_seen"]): line[name] for line in log_of(folder) if name in line}


def tensors_of(folder: Path, name: str) -> dict[str, bytes]:
    files = bytes_of(folder / "checkpoints" / name)
    return {path: data for path, data in files.items() if path.endswith(".safetensors")}


# ── what it finds ────────────────────────────────────────────────────────────────────────────────


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


# ── when it does not come to its end ─────────────────────────────────────────────────────────────


def test_a_run_that_is_killed_while_it_is_measured_ends_as_one_that_is_not(
    finished: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = Evaluation.figures, []

    def killed(self: Evaluation, model: SwappingAutoencoder) -> dict[str, float]:
        calls.append(0)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(self, model)

    with monkeypatch.context() as patch:
        patch.setattr(Evaluation, "figures", killed)
        with pytest.raises(KeyboardInterrupt):
            run(measured(images), images, tmp_path / "run")
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [8, 16]
    run(measured(images), images, tmp_path / "run")
    assert log_of(tmp_path / "run") == log_of(finished)
    assert names_in(tmp_path / "run" / "checkpoints") == names_in(finished / "checkpoints")
    last = "images_00000032"
    assert tensors_of(tmp_path / "run", last) == tensors_of(finished, last)


def test_a_stop_does_not_wait_and_the_next_call_makes_up_for_it(
    finished: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [False]
    step = Evaluation._go_on

    def ask(self: Evaluation) -> None:
        asked[0] = True  # after the first batch
        step(self)

    from swapae.training.loop import train

    heard = Heard()
    with monkeypatch.context() as patch:
        patch.setattr(Evaluation, "_go_on", ask)
        summary = train(
            measured(images),
            str(images),
            tmp_path / "run",
            device="cpu",
            reporter=heard,
            stop=lambda: asked[0],
        )
    assert summary.images_seen == 8
    assert lines_with(LEAKAGE, tmp_path / "run") == {}
    state = json.loads((tmp_path / "run" / "checkpoints" / "images_00000008" / "state.json").read_text())
    assert (state["evaluated"], list(state["metrics"])) == (0, ["reconstruction_l1"])
    run(replace(measured(images), keep_best=2), images, tmp_path / "run")  # how much stays may change
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [12, 16, 24, 32]
    last = "images_00000032"
    assert tensors_of(tmp_path / "run", last) == tensors_of(finished, last)


def test_images_that_have_gone_are_told_of_and_training_goes_on(images: Path, tmp_path: Path) -> None:
    others = make_images(tmp_path / "others", 4)
    heard = Heard()

    class Going(Heard):
        def progress(self, *arguments: Any) -> None:
            for path in others.iterdir():
                path.unlink()

        def message(self, text: str) -> None:
            heard.message(text)

    summary = run(measured(others), images, tmp_path / "run", heard=Going())
    assert summary.is_complete
    assert lines_with(LEAKAGE, tmp_path / "run") == {}
    told = [text for text in heard.messages if "Nothing was measured on" in text]
    assert len(told) == 4  # at 8, 16, 24 and 32


def test_measuring_may_begin_and_change_when_a_run_goes_on(images: Path, tmp_path: Path) -> None:
    run(micro(), images, tmp_path / "run", after=4)
    heard = Heard()
    run(measured(images, pairs=3), images, tmp_path / "run", heard=heard)
    assert list(lines_with(LEAKAGE, tmp_path / "run")) == [20, 24, 32]
    (said,) = [text for text in heard.messages if text.startswith("measured ")]
    assert "measured 6 images and 3 pairs of" in said
    assert "every 8 images" in said


# ── the best model ───────────────────────────────────────────────────────────────────────────────


def test_the_model_of_the_best_checkpoint_is_kept_and_can_be_used(finished: Path, tmp_path: Path) -> None:
    leakages = lines_with(LEAKAGE, finished)
    path = finished / "checkpoints" / f"images_{min(leakages, key=lambda seen: leakages[seen]):08d}"
    assert best_checkpoint(finished / "best") == path.name
    model = SwappingAutoencoder.from_pretrained(finished / "best", device="cpu")
    averaged, _ = load_tensors(path / "ema.safetensors")
    assert averaged.keys() == model.state_dict().keys()
    assert all(torch.equal(tensor, averaged[name]) for name, tensor in model.state_dict().items())
    # A run that was killed before it was written catches up; without measurements there is none.
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished / "checkpoints", run.checkpoints)
    keep_best_model(run, micro(), 32)
    assert not run.best.exists()
    keep_best_model(run, measured("elsewhere"), 32)
    assert not run.best.exists()
    config = load(TrainConfig, finished / "config.yaml")
    keep_best_model(run, config, 32)
    assert bytes_of(run.best) == bytes_of(finished / "best")


# ── which checkpoint is best ─────────────────────────────────────────────────────────────────────


def checkpoint(folder: Path, images_seen: int, config: TrainConfig, **metrics: float) -> Path:
    from swapae.config import to_dict

    path = folder / f"images_{images_seen:08d}"
    path.mkdir(parents=True)
    (path / "state.json").write_text(json.dumps({"metrics": metrics}))
    (path / "config.json").write_text(json.dumps(to_dict(config)))
    return path


@pytest.mark.parametrize(
    ("name", "order"), [("PSNR", [1, 2, 0]), ("structureleakage", [2, 0, 1]), (NEARER, [1, 0, 2])]
)
def test_the_best_is_the_highest_or_the_lowest_as_the_figure_has_it(
    name: str, order: list[int], tmp_path: Path
) -> None:
    config = replace(measured("set"), best_metric=name)
    values = [(10.0, 5.0), (12.0, 6.0), (11.0, 4.0)]
    paths = [
        checkpoint(tmp_path, i, config, **{"PSNR": a, LEAKAGE: b, NEARER: b})
        for i, (a, b) in enumerate(values)
    ]
    assert best_of(paths, config) == [paths[i] for i in order]


def test_figures_of_other_images_or_pairs_do_not_compare(tmp_path: Path) -> None:
    config = measured("set")
    paths = [
        checkpoint(tmp_path, 1, measured("other"), **{LEAKAGE: 1.0}, reconstruction_l1=0.1),
        checkpoint(tmp_path, 2, measured("set", pairs=4), **{LEAKAGE: 2.0}, reconstruction_l1=0.3),
        checkpoint(tmp_path, 3, measured("set", images=99, metrics=WORDS[1:]), **{LEAKAGE: 4.0}),
        checkpoint(tmp_path, 4, config, **{LEAKAGE: 3.0}, reconstruction_l1=0.2),
        checkpoint(tmp_path, 5, micro(), reconstruction_l1=0.05),
    ]
    assert best_of(paths, config) == [paths[3], paths[2]]
    own = replace(config, best_metric="reconstruction_l1")
    assert best_of(paths, own) == [paths[4], paths[0], paths[3], paths[1]]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("KID-EffLite0", ("KID-EffLite0", False)),
        ("kid", ("KID-EffLite0", False)),
        ("structurenearer-vgg16", ("StructureNearer-VGG16", True)),
        ("ms-ssim", ("MS-SSIM-3", True)),
        ("recall", ("Precision-EffLite0", True)),
        ("Recall-EffLite0", ("Recall-EffLite0", True)),
        ("SIFID-EffLite0-40", ("SIFID-EffLite0-40", False)),
        ("reconstruction_l1", ("reconstruction_l1", False)),
    ],
)
def test_a_figure_is_named_as_eval_names_it(word: str, found: tuple[str, bool]) -> None:
    config = EvalConfig("set", metrics=("all", "structureleakage-vgg16"))
    assert best(config, word, 64) == found


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────


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
