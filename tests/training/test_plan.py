"""What a training would take, told before it begins."""

import json
from pathlib import Path

import pytest
from tests.training.tools import bytes_of, make_images, micro, run

from swapae import config as configs
from swapae.cli.main import main
from swapae.errors import UserError
from swapae.training.plan import plan
from swapae.training.trial import speed

Streams = pytest.CaptureFixture[str]


def test_speed_counts_two_batches_for_a_step_of_each_kind_and_r1_by_its_interval() -> None:
    config = micro(batch_size=8)  # R1 after every third step of D
    seconds = {"discriminators": 1.0, "R1": 3.0, "encoder and generator": 2.0}
    assert speed(config, seconds, reading=0.0) == pytest.approx(16 / 4)
    assert speed(config, seconds, reading=2.0) == pytest.approx(16 / 8)
    ahead = configs.with_overrides(config, {"data.workers": 2})
    assert speed(ahead, seconds, reading=2.0) == pytest.approx(16 / 4)  # read meanwhile
    assert speed(ahead, seconds, reading=8.0) == pytest.approx(16 / 8)


def test_a_dry_run_tells_all_and_writes_nothing(tmp_path: Path, capsys: Streams) -> None:
    images, out = make_images(tmp_path / "images"), tmp_path / "run"
    configs.save(micro(), tmp_path / "micro.yaml")
    before = bytes_of(tmp_path)
    command = ["train", str(images), "-o", str(out), "--preset", str(tmp_path / "micro.yaml")]
    command += ["--device", "cpu", "--dry-run"]
    assert main(command) == 0
    text = capsys.readouterr().out
    for expected in (
        "structure_channels: 4",  # the config as it would lie in the run
        "encoder",
        "parameters",
        "a step of discriminators: ",
        "memory at the peak: about",
        "images a second",
        "32 of 32 images are left: about",
        "disk needed: about",
    ):
        assert expected in text
    assert main([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["config"] == configs.to_dict(micro())
    assert report["fits"] is True
    assert report["images_per_second"] > 0
    assert report["seconds_left"] == pytest.approx(32 / report["images_per_second"])
    assert bytes_of(tmp_path) == before
    assert not out.exists()


def test_of_a_run_that_is_there_it_counts_what_is_left_and_the_disk_as_it_is(tmp_path: Path) -> None:
    images, out = make_images(tmp_path / "images"), tmp_path / "run"
    config = micro(total_images=32, keep_checkpoints=1, keep_best=0)
    run(config, images, out, after=4)
    before = bytes_of(out)
    found = plan(config, str(images), out, "cpu")
    assert bytes_of(out) == before
    assert found.images_seen == 16
    assert found.trial is not None
    assert found.seconds_left(config) == pytest.approx(16 / found.trial.images_per_second)
    (checkpoint,) = (out / "checkpoints").iterdir()
    size = sum(len(data) for data in bytes_of(checkpoint).values())
    assert 0.6 * size < found.disk.checkpoint <= size  # small tensors: their names take as much again
    assert found.disk.num_checkpoints == 2
    grids = sum(len(data) for data in bytes_of(out / "snapshots").values())
    assert 0.5 * grids < found.disk.snapshots / 2 < 2 * grids
    assert plan(config, str(images), out, "cpu", is_anew=True).images_seen == 0


def test_it_refuses_what_training_would_refuse(tmp_path: Path) -> None:
    images, out = make_images(tmp_path / "images"), tmp_path / "run"
    with pytest.raises(UserError, match="must be even"):
        plan(micro(batch_size=3), str(images), out, "cpu")
    run(micro(), images, out, after=1)
    with pytest.raises(UserError, match="another config"):
        plan(micro(seed=1), str(images), out, "cpu")


def test_what_does_not_fit_is_not_tried_but_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swapae.training.plan.room", lambda device: 200_000)
    found = plan(micro(), str(make_images(tmp_path / "images")), tmp_path / "run", "cpu")
    assert found.trial is None
    assert found.seconds_left(micro()) is None
    assert found.advice is not None
    assert "a pass over 4 images needs about" in found.advice
