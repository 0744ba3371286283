"""What cannot work is refused in one sentence and leaves nothing behind; what diverges loses nothing."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import Heard, bytes_of, log_of, make_images, micro, names_in, run

from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.training import loop
from swapae.training import run as runs
from swapae.training.config import OptimizerConfig, TrainConfig, check
from swapae.training.engine import Engine
from swapae.training.objective import LossConfig, Terms
from swapae.training.step import Steps
from swapae.weights import load_tensors


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return make_images(tmp_path / "images")


def refusal(config: TrainConfig, data: object, folder: Path) -> str:
    """The one sentence."""
    with pytest.raises(UserError) as error:
        run(config, data, folder)
    text = str(error.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert "Errno" not in text
    return text


# ── configs ──────────────────────────────────────────────────────────────────────────────────────


SIZED = micro()
WRONG = {
    "batch_size=3 must be even": micro(batch_size=3),
    "batch_size=0 must be even": micro(batch_size=0),
    "total_images=0 must be": micro(total_images=0),
    "log_images=-1 must be": micro(log_images=-1),
    "keep_checkpoints=0 must be": micro(keep_checkpoints=0),
    "seed=-1 must be": micro(seed=-1),
    f"seed={2**63} must be": micro(seed=2**63),
    "ema_half_life_kimg=-1.0 must be": micro(ema_half_life_kimg=-1.0),
    "come out 32 px wide, the discriminator takes 16: .*data.crop_size": micro(
        data=DataConfig(load_size=32, crop_size=32)
    ),
    "come out 32 px wide, the discriminator takes 16: .*data.load_size": micro(
        data=DataConfig(preprocess="resize", load_size=32, crop="none", crop_size=32)
    ),
    "18 px do not suit this model: .*multiples of 4": micro(
        model=replace(SIZED.model, structure_downsamplings=2),
        discriminator=replace(SIZED.discriminator, image_size=18),
        data=DataConfig(load_size=18, crop_size=18),
    ),
    "16 px do not suit this model: .*at least 28": micro(
        model=replace(SIZED.model, structure_downsamplings=2, texture_downsamplings=2)
    ),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_config_that_cannot_work_is_refused_before_a_folder_is_made(
    sentence: str, images: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        check(WRONG[sentence])
    refusal(WRONG[sentence], images, tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LossConfig(l1=-1.0), "loss.l1=-1.0 must be at least 0"),
        (lambda: LossConfig(r1_interval=0), "loss.r1_interval=0 must be at least 1"),
        (lambda: LossConfig(num_patches=0), "loss.num_patches=0 must be at least 1"),
        (lambda: LossConfig(patch_min_scale=0.5), "patch_min_scale=0.5 and patch_max_scale=0.25"),
        (lambda: LossConfig(patch_max_scale=1.5), "patch_max_scale=1.5"),
        (lambda: LossConfig(patch_min_scale=0.0), "patch_min_scale=0.0"),
        (lambda: OptimizerConfig(learning_rate=0.0), "optimizer.learning_rate=0.0 must be more than 0"),
        (lambda: OptimizerConfig(discriminator_learning_rate=-1.0), "discriminator_learning_rate=-1.0"),
        (lambda: OptimizerConfig(beta1=1.0), "optimizer.beta1=1.0"),
        (lambda: OptimizerConfig(beta2=-0.1), "optimizer.beta2=-0.1"),
    ],
)
def test_numbers_out_of_range_are_refused_where_they_are_given(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


# ── data ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_data_folder_that_is_missing_or_empty_or_unreadable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"no picture")
    for name in ("missing", "empty", "broken"):
        assert str(tmp_path / name) in refusal(micro(), tmp_path / name, tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_images_that_come_out_in_another_shape_are_refused(tmp_path: Path) -> None:
    config = micro(data=DataConfig(load_size=16, crop="none"))
    wide = make_images(tmp_path / "wide", size=(32, 16))
    assert "come out 32×16 px, the discriminator takes 16×16" in refusal(config, wide, tmp_path / "run")
    mixed = make_images(make_images(tmp_path / "mixed", 6, (16, 16)), 1, (32, 16))
    assert "differ in size" in refusal(config, mixed, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# ── the run directory ────────────────────────────────────────────────────────────────────────────


def test_a_path_that_is_a_file_or_holds_something_else_is_refused(images: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert "exists and is no run" in refusal(micro(), images, file)
    assert "cannot be written" in refusal(micro(), images, file / "run")
    assert file.read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").touch()
    assert "exists and is no run" in refusal(micro(), images, tmp_path / "other")
    assert "lies inside the images" in refusal(micro(), images, images)
    assert len(names_in(images)) == 6


def test_a_run_inside_its_own_images_is_refused(images: Path) -> None:
    assert "lies inside the images" in refusal(micro(), images, images / "run")
    assert not (images / "run").exists()


def test_an_empty_folder_may_become_a_run(images: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert run(micro(total_images=4), images, tmp_path / "run").is_complete


def test_a_folder_that_cannot_be_made_or_written_is_refused_and_not_left_half_made(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.mkdir", refuse)
        assert "cannot be written: Permission denied" in refusal(micro(), images, tmp_path / "run")
    monkeypatch.setattr(runs.configs, "save", refuse)
    assert "config.yaml cannot be written: Permission denied" in refusal(micro(), images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_to_write_is_refused(images: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "cannot be written: Permission denied" in refusal(micro(), images, tmp_path / "locked" / "run")
    assert "cannot be written: Permission denied" in refusal(micro(), images, tmp_path / "locked")


@pytest.mark.parametrize("content", ["a: [", "loss: 3\n", "los: {}\n", "batch_size: many\n", "\x00\x01"])
def test_a_damaged_config_is_refused_by_its_path(content: str, images: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(content)
    assert str(tmp_path / "run" / "config.yaml") in refusal(micro(), images, tmp_path / "run")
    assert bytes_of(tmp_path / "run") == {"config.yaml": content.encode()}


@pytest.mark.parametrize(
    "content", ["{", "[1]", "3", '{"data": "x"}', '{"data": "x", "num_images": 6, "skipped": [1]}']
)
def test_a_damaged_data_report_is_refused_by_its_path(content: str, images: Path, tmp_path: Path) -> None:
    run(micro(), images, tmp_path / "run", after=1)
    (tmp_path / "run" / "data.json").write_text(content)
    assert "data.json is damaged; remove it" in refusal(micro(), images, tmp_path / "run")


def test_a_disk_that_fills_up_ends_the_run_in_a_sentence(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(source: object, target: object) -> None:
        if "images_00000032" in str(target):
            raise OSError(28, "No space left on device")
        replace_(source, target)

    replace_ = os.replace
    monkeypatch.setattr("os.replace", fill)
    assert "No space left on device" in refusal(micro(snapshot_images=100), images, tmp_path / "run")
    monkeypatch.undo()
    assert names_in(tmp_path / "run" / "checkpoints")[-1] == "images_00000016"
    assert run(micro(snapshot_images=100), images, tmp_path / "run").is_complete
    assert not list((tmp_path / "run").rglob("*.tmp"))


# ── numbers that run away ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def _diverging(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the fifth step a weight of the generator is not a number."""
    step = Steps.discriminator_step
    count = iter(range(100))

    def poisoned(self: Steps, real: torch.Tensor, random: torch.Generator) -> Terms:
        terms = step(self, real, random)
        if next(count) == 2:
            next(self.networks.generator.parameters()).data.view(-1)[0] = float("nan")
        return terms

    monkeypatch.setattr(Steps, "discriminator_step", poisoned)


@pytest.mark.usefixtures("_diverging")
def test_a_run_that_cannot_recover_ends_at_the_line_after_so_many_skipped_steps(
    images: Path, tmp_path: Path
) -> None:
    heard, folder = Heard(), tmp_path / "run"
    sentence = r"2 steps of the encoder and generator in a row gave numbers that are not finite \(G_l1, .*\)"
    with pytest.raises(UserError, match=sentence + " after 32 images, so training stops"):
        run(micro(on_diverged="stop", skips_in_a_row=2), images, folder, heard=heard)
    assert heard.calls == ["start 0/32", "stop"]
    assert [line["images_seen"] for line in log_of(folder)] == [8, 16, 24]
    assert "NaN" not in (folder / "log.jsonl").read_text()
    assert names_in(folder / "checkpoints") == ["images_00000016"]


@pytest.mark.usefixtures("_diverging")
@pytest.mark.parametrize("after", [None, 5])
def test_no_checkpoint_and_no_model_ever_holds_what_is_not_finite(
    after: int | None, images: Path, tmp_path: Path
) -> None:
    config = micro(log_images=1000, snapshot_images=4, checkpoint_images=4, on_diverged="stop")
    folder = tmp_path / "run"
    with pytest.raises(UserError, match=r"generator\.\S+ is not a finite number after 20 images"):
        run(config, images, folder, after=after)
    assert names_in(folder / "checkpoints")[-1] == "images_00000016"
    assert not list(folder.rglob("*.tmp"))
    for path in folder.rglob("*.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_tensors(path)[0].values())


def test_moments_that_overflow_are_not_saved_either(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflowing(config: TrainConfig, engine: Engine) -> loop.Learner:
        learner = make(config, engine)
        weight = next(learner.networks.discriminator.parameters())
        learner.optimizers.discriminator.state[weight] = {
            "step": torch.tensor(0.0),
            "exp_avg": torch.zeros_like(weight),
            "exp_avg_sq": torch.full_like(weight, float("inf")),
        }
        return learner

    make = loop.make_learner
    monkeypatch.setattr(loop, "make_learner", overflowing)
    with pytest.raises(UserError, match=r"discriminator\.\S+\|exp_avg_sq is not a finite number"):
        run(micro(on_diverged="stop"), images, tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()
