import json
from pathlib import Path

import pytest

from swapae.cli.main import main

Streams = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_folder_goes_to_a_published_checkpoint_and_back(
    tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    checkpoint, folder = tmp_path / "out" / "model.pth", tmp_path / "folder"
    assert run("convert", tiny_model, checkpoint) == 0
    assert "without discriminator and patch_discriminator" in capsys.readouterr().out
    assert run("convert", checkpoint, folder, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["output"] == str(folder)
    assert set(report["parameters"]) == {"encoder", "generator"}
    assert "non-commercial" in report["notice"]
    digests = []
    for model in (tiny_model, folder):
        assert run("info", model, "--digest", "--json") == 0
        digests.append(json.loads(capsys.readouterr().out)["digest"])
    assert digests[0] == digests[1]


def test_no_noise_is_kept_in_the_config(tiny_model: Path, tmp_path: Path) -> None:
    run("convert", tiny_model, tmp_path / "m.pth", "--quiet")
    assert run("convert", tmp_path / "m.pth", tmp_path / "silent", "--no-noise", "--quiet") == 0
    assert json.loads((tmp_path / "silent" / "config.json").read_text())["use_noise"] is False


def test_a_target_that_exists_is_kept(tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    target = tmp_path / "m.pth"
    target.write_text("precious")
    assert run("convert", tiny_model, target) == 1
    assert run("convert", tmp_path / "m.pth", tmp_path) == 1
    assert capsys.readouterr().err.count("exists already") == 2
    assert target.read_text() == "precious"
    assert run("convert", tiny_model, target, "--force", "--quiet") == 0


def test_a_file_that_is_no_checkpoint_is_an_error_with_its_path(tmp_path: Path, capsys: Streams) -> None:
    path = tmp_path / "m.pth"
    path.write_text("no checkpoint")
    assert run("convert", path, tmp_path / "out") == 1
    assert str(path) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_noise_makes_no_sense_backwards(tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    assert run("convert", tiny_model, tmp_path / "m.pth", "--no-noise") == 2
    assert "--no-noise is for reading a checkpoint" in capsys.readouterr().err
