"""train, info and presets, with the smallest preset."""

import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swapae.cli.main import main

Streams = pytest.CaptureFixture[str]
TINY = (
    "--preset",
    "tiny32",
    "--total-images",
    "16",
    "--log-images",
    "8",
    "--checkpoint-images",
    "8",
    "--quiet",
)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def digest_of(model: Path, capsys: Streams) -> str:
    capsys.readouterr()
    assert run("info", model, "--digest") == 0
    word = capsys.readouterr().out.split()[-1]
    assert len(word) == 64
    assert set(word) <= set("0123456789abcdef")
    return word


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert run("train", "synthetic", "-o", folder, *TINY, "--loss.r1", "5") == 0
    return folder


def test_a_run_holds_its_config_log_snapshot_checkpoint_and_model(trained: Path) -> None:
    from swapae.config import load
    from swapae.training.config import TrainConfig

    config = load(TrainConfig, trained / "config.yaml")
    assert (config.loss.r1, config.total_images) == (5.0, 16)
    lines = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["images_seen"] == 16
    assert (trained / "model" / "model.safetensors").exists()
    assert list((trained / "snapshots").glob("*.png"))


def test_the_run_is_a_model(trained: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(picture)
    assert run("swap", picture, picture, "-m", trained, "-o", tmp_path / "o.png") == 0


def test_the_same_command_goes_on_and_ends_as_an_unbroken_run_does(
    trained: Path, tmp_path: Path, capsys: Streams
) -> None:
    broken = tmp_path / "broken"
    short = [*TINY[:3], "8", *TINY[4:]]
    assert run("train", "synthetic", "-o", broken, *short, "--loss.r1", "5") == 0
    assert digest_of(broken, capsys) != digest_of(trained, capsys)
    assert run("train", "synthetic", "-o", broken, *TINY, "--loss.r1", "5") == 0
    assert digest_of(broken, capsys) == digest_of(trained, capsys)


def test_a_run_goes_on_with_its_own_config_where_none_is_named(trained: Path, capsys: Streams) -> None:
    before = digest_of(trained, capsys)
    assert run("train", "synthetic", "-o", trained, "--json") == 0
    assert json.loads(capsys.readouterr().out)["images_seen"] == 16
    assert digest_of(trained, capsys) == before


def test_a_run_is_not_continued_with_another_config(trained: Path, capsys: Streams) -> None:
    assert run("train", "synthetic", "-o", trained, *TINY, "--loss.r1", "6") == 1
    assert "loss.r1: 5.0 → 6.0" in capsys.readouterr().err


def test_force_begins_anew_and_leaves_other_files_alone(tmp_path: Path, capsys: Streams) -> None:
    folder = tmp_path / "run"
    assert run("train", "synthetic", "-o", folder, *TINY, "--seed", 1) == 0
    first = digest_of(folder, capsys)
    (folder / "notes.txt").write_text("mine")
    assert run("train", "synthetic", "-o", folder, *TINY, "--seed", 2, "--force") == 0
    assert digest_of(folder, capsys) != first
    assert (folder / "notes.txt").read_text() == "mine"


def test_force_does_not_empty_a_folder_that_is_no_run(tmp_path: Path, capsys: Streams) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "precious").write_text("mine")
    assert run("train", "synthetic", "-o", tmp_path, *TINY, "--force") == 1
    assert "is no run of this program" in capsys.readouterr().err
    assert (tmp_path / "model" / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ("synthetic", "--batch-size", "3"),
        ("nowhere",),
        ("synthetic", "--device", "cuda"),
        ("synthetic", "--x", "1"),
        ("synthetic", "--eval.data", "nowhere"),
        ("synthetic", "--eval.data", "synthetic", "--eval.weights", "nowhere"),
    ],
)
def test_what_cannot_begin_is_refused_before_force_removes_the_run(
    arguments: tuple[str, ...], trained: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    before = digest_of(trained, capsys)
    assert run("train", *arguments, "-o", trained, *TINY, "--force") in (1, 2)
    assert digest_of(trained, capsys) == before


def test_a_folder_without_images_is_refused(tmp_path: Path, capsys: Streams) -> None:
    assert run("train", tmp_path / "nothing", "-o", tmp_path / "run", *TINY) == 1
    assert f"no folder {tmp_path / 'nothing'}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_config_file_is_a_preset_too(trained: Path, tmp_path: Path, capsys: Streams) -> None:
    again = tmp_path / "again"
    assert run("train", "synthetic", "-o", again, "--preset", trained / "config.yaml", "--quiet") == 0
    assert digest_of(again, capsys) == digest_of(trained, capsys)


# ── info ─────────────────────────────────────────────────────────────────────────────────────────


def test_info_of_a_run_counts_its_networks_and_images(trained: Path, capsys: Streams) -> None:
    assert run("info", trained, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["images_seen"], report["steps"]) == (16, 4)
    networks = {"encoder", "generator", "discriminator", "patch_discriminator", "total"}
    assert set(report["parameters"]) == networks
    assert report["parameters"]["total"] == sum(
        n for name, n in report["parameters"].items() if name != "total"
    )
    assert report["config"]["loss"]["r1"] == 5.0


def test_info_of_a_model_counts_its_parameters(tiny_model: Path, capsys: Streams) -> None:
    from swapae import SwappingAutoencoder

    net = SwappingAutoencoder.from_pretrained(tiny_model)
    assert run("info", tiny_model, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["parameters"]["encoder"] == sum(p.numel() for p in net.encoder.parameters())
    assert report["parameters"]["generator"] == sum(p.numel() for p in net.generator.parameters())
    assert report["config"]["texture_channels"] == 16


def test_the_digest_of_a_model_changes_with_any_weight(
    tiny_model: Path, tmp_path: Path, capsys: Streams
) -> None:
    import torch

    from swapae import SwappingAutoencoder

    net = SwappingAutoencoder.from_pretrained(tiny_model)
    net.save_pretrained(tmp_path / "same")
    with torch.no_grad():
        next(net.generator.parameters()).view(-1)[0] += 1e-3
    net.save_pretrained(tmp_path / "other")
    assert digest_of(tmp_path / "same", capsys) == digest_of(tiny_model, capsys)
    assert digest_of(tmp_path / "other", capsys) != digest_of(tiny_model, capsys)


def test_the_digest_of_a_run_sees_optimizer_and_counters_but_not_the_clock(
    trained: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swapae.cli import info
    from swapae.training import checkpoint

    monkeypatch.setattr(checkpoint, "is_valid", lambda path: True)
    state = trained / "checkpoints" / "images_00000016" / "state.json"
    text = state.read_text()
    before = digest_of(trained, capsys)
    monkeypatch.setattr(info, "KINDS", ("weights", "ema"))
    assert digest_of(trained, capsys) != before
    monkeypatch.undo()
    monkeypatch.setattr(checkpoint, "is_valid", lambda path: True)
    try:
        state.write_text(json.dumps(json.loads(text) | {"seconds": 1e9}))
        assert digest_of(trained, capsys) == before
        state.write_text(json.dumps(json.loads(text) | {"steps": 5}))
        assert digest_of(trained, capsys) != before
    finally:
        state.write_text(text)


def test_info_of_what_is_neither_is_one_sentence(tmp_path: Path, capsys: Streams) -> None:
    assert run("info", tmp_path / "nothing") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


# ── presets, doctor ──────────────────────────────────────────────────────────────────────────────


def test_presets_lists_every_preset_with_a_line(capsys: Streams) -> None:
    from swapae.presets import PRESETS

    assert run("presets") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["preset", *PRESETS]
    columns = {line.split()[0]: re.split(r"  +", line) for line in lines}
    assert columns["preset"] == ["preset", "images", "codes", "model", "all", "batch", "GPUs", "for"]
    assert columns["church_default"][:7] == [
        "church_default",
        "256²",
        "8×16×16, 2048",
        "55.6",
        "109.0",
        "16",
        "4",
    ]
    assert columns["ffhq1024_default"][1] == "768² of 1024²"
    starts = {line.index(columns[line.split()[0]][-1]) for line in lines}
    assert len(starts) == 1  # the last column begins in one place


def test_the_default_preset_goes_by_the_data() -> None:
    from swapae.cli.train import base_config
    from swapae.presets import PRESETS

    assert base_config("synthetic", Path("nothing"), None) == PRESETS["synthetic64"]()
    assert base_config("photos", Path("nothing"), None) == PRESETS["photos64"]()


def test_commands_run_outside_the_main_thread_too(tmp_path: Path) -> None:
    status: list[int] = []
    thread = threading.Thread(
        target=lambda: status.append(run("train", "synthetic", "-o", tmp_path / "r", *TINY))
    )
    thread.start()
    thread.join()
    assert status == [0]


def test_doctor_reports_everything_in_text_and_json(capsys: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    from swapae.cli import doctor

    def fail() -> object:
        raise RuntimeError("no driver")

    monkeypatch.setitem(doctor.LOOKS, "devices", fail)
    assert run("doctor") == 0
    text = capsys.readouterr().out
    assert run("doctor", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == list(doctor.LOOKS)
    assert all(name in text for name in report)
    assert report["devices"] == "broken: RuntimeError: no driver"
    assert "JPEG" in report["image formats"]
    assert report["packages"]["torch"] != "absent"


def test_info_reads_a_run_that_was_kept_without_its_checkpoints(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path(__file__).parents[2] / "benchmarks" / "runs" / "photos64_published"

    assert main(["info", str(kept), "--digest"]) == 0

    printed = capsys.readouterr().out
    assert "encoder: 1,911,832" in printed
    assert len(printed.split()[-1]) == 64


# ── from another's weights ───────────────────────────────────────────────────────────────────────


def test_a_run_grows_from_another_and_the_same_command_goes_on(
    trained: Path, tmp_path: Path, capsys: Streams
) -> None:
    sizes = ("--discriminator.image-size", "64", "--data.load-size", "64", "--data.crop-size", "64")
    words = ("train", "synthetic", "-o", tmp_path / "run", *TINY[:-1], *sizes, "--init-from", trained)
    assert run(*words, "--total-images", "8") == 0
    out = "".join(capsys.readouterr())
    assert "encoder: all taken" in out
    assert "new: from_rgb at 64², block at 64²" in out
    assert run(*words) == 0
    assert "16/16 images" in "".join(capsys.readouterr())
    assert run("train", "synthetic", "-o", tmp_path / "run", "--init-from", trained / "model") == 1
    assert f"--init-from: {trained} → {trained / 'model'}" in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "init.json").read_text())["init_from"] == str(trained)
    assert run("info", tmp_path / "run") == 0
    assert f"began_with: {trained / 'checkpoints'}" in capsys.readouterr().out


def test_a_dry_run_says_what_would_be_taken(trained: Path, tmp_path: Path, capsys: Streams) -> None:
    words = ("train", "synthetic", "-o", tmp_path / "run", *TINY[:-1], "--dry-run", "--init-from")
    assert run(*words, trained) == 0
    assert "encoder: all taken" in capsys.readouterr().out
    assert run(*words, trained, "--model.texture-channels", "12", "--model.structure-channels", "8") == 0
    assert "generator: nothing taken" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_beginning_anew_forgets_the_origin_and_checks_a_new_one_first(
    trained: Path, tmp_path: Path, capsys: Streams
) -> None:
    words = ("train", "synthetic", "-o", tmp_path / "run", *TINY, "--total-images", "8")
    assert run(*words, "--init-from", trained) == 0
    digest = digest_of(tmp_path / "run", capsys)
    wide = ("--model.texture-channels", "12", "--model.structure-channels", "8")
    wide += ("--model.encoder-capacity", "0.5", "--model.generator-capacity", "0.5")
    assert run(*words, *wide, "--force", "--init-from", trained) == 1
    assert "nothing of encoder and generator" in capsys.readouterr().err
    assert run(*words, "--force", "--init-from", tmp_path / "run") == 1
    assert "cannot start from itself" in capsys.readouterr().err
    assert digest_of(tmp_path / "run", capsys) == digest
    assert run(*words, "--force") == 0
    assert not (tmp_path / "run" / "init.json").exists()
