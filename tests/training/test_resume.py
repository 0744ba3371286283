"""A run that stops and goes on is the run that never stopped."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.tools import Heard, bytes_of, log_of, make_images, micro, names_in, run

from swapae import SwappingAutoencoder
from swapae.errors import UserError
from swapae.training.checkpoint import newest_valid
from swapae.weights import load_tensors

KINDS = ("weights", "ema", "optimizer")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "images")


@pytest.fixture(scope="module")
def unbroken(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    summary = run(micro(), images, folder)
    assert (summary.images_seen, summary.is_complete) == (32, True)
    return folder


@pytest.fixture
def half(images: Path, tmp_path: Path) -> Path:
    """A run of which the first two checkpoints, at 8 and 16 images, are done."""
    folder = tmp_path / "half"
    run(micro(checkpoint_images=8), images, folder, after=4)
    assert names_in(folder / "checkpoints") == ["images_00000008", "images_00000016"]
    return folder


def assert_same(folder: Path, other: Path) -> None:
    """Every tensor of the last checkpoint and the model, each line of the log, the bytes of the snapshots."""
    assert log_of(folder) == log_of(other)
    last, other_last = newest_valid(folder / "checkpoints"), newest_valid(other / "checkpoints")
    assert last is not None
    assert other_last is not None
    assert last.name == other_last.name
    for kind in KINDS:
        assert_equal_tensors(last / f"{kind}.safetensors", other_last / f"{kind}.safetensors")
    assert_equal_tensors(folder / "model" / "model.safetensors", other / "model" / "model.safetensors")
    assert (folder / "config.yaml").read_bytes() == (other / "config.yaml").read_bytes()
    pictures, other_pictures = bytes_of(folder / "snapshots"), bytes_of(other / "snapshots")
    assert list(pictures) == list(other_pictures)
    assert pictures == other_pictures


def assert_equal_tensors(path: Path, other: Path) -> None:
    mine, theirs = load_tensors(path)[0], load_tensors(other)[0]
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if not torch.equal(mine[name], theirs[name])] == []


# ── exactly ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("steps", [0, 5])
def test_stopped_after_any_step_and_gone_on_with_ends_as_an_unbroken_run(
    steps: int, images: Path, unbroken: Path, tmp_path: Path
) -> None:
    summary = run(micro(), images, tmp_path / "run", after=steps)
    assert (summary.images_seen, summary.is_complete) == (4 * steps, False)
    assert run(micro(), images, tmp_path / "run").is_complete
    assert_same(tmp_path / "run", unbroken)


def test_stopped_before_every_step_ends_as_an_unbroken_run(
    images: Path, unbroken: Path, tmp_path: Path
) -> None:
    for _ in range(8):
        run(micro(), images, tmp_path / "run", after=1)
    assert_same(tmp_path / "run", unbroken)


def test_without_averaging_resume_is_exact_too(images: Path, tmp_path: Path) -> None:
    config = micro(ema_half_life_kimg=0.0)
    run(config, images, tmp_path / "unbroken")
    run(config, images, tmp_path / "run", after=5)
    run(config, images, tmp_path / "run")
    assert_same(tmp_path / "run", tmp_path / "unbroken")


def test_the_optimizers_are_part_of_what_goes_on(unbroken: Path) -> None:
    state, _ = load_tensors(unbroken / "checkpoints" / "images_00000032" / "optimizer.safetensors")
    steps = {name.split(".")[0]: int(value) for name, value in state.items() if name.endswith("|step")}
    # Four steps of each; one R1 step, after the third of the discriminators.
    assert steps == {"encoder": 4, "generator": 4, "discriminator": 5, "patch_discriminator": 5}


def test_training_neither_reads_nor_moves_the_global_random_state(
    images: Path, unbroken: Path, tmp_path: Path
) -> None:
    torch.manual_seed(12345)
    before = torch.get_rng_state()
    run(micro(), images, tmp_path / "run")
    assert torch.equal(before, torch.get_rng_state())
    assert_same(tmp_path / "run", unbroken)


def test_another_seed_gives_another_run(images: Path, unbroken: Path, tmp_path: Path) -> None:
    run(micro(seed=1), images, tmp_path / "run")
    assert log_of(tmp_path / "run") != log_of(unbroken)


def test_the_log_has_one_line_for_every_interval(unbroken: Path) -> None:
    assert [line["images_seen"] for line in log_of(unbroken)] == [8, 16, 24, 32]
    has_r1 = ["D_r1" in line for line in log_of(unbroken)]
    assert has_r1 == [False, False, True, False]  # the third step of D is the fifth of all: image 20


# ── after a crash ────────────────────────────────────────────────────────────────────────────────


def test_what_was_done_after_the_last_checkpoint_is_done_again(
    images: Path, unbroken: Path, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    class Killer(Heard):
        def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
            if images_seen == 28:
                raise Killed

    folder = tmp_path / "run"
    with pytest.raises(Killed):
        run(micro(), images, folder, heard=Killer())
    assert [line["images_seen"] for line in log_of(folder)] == [8, 16, 24]
    assert names_in(folder / "checkpoints") == ["images_00000016"]
    run(micro(), images, folder)
    assert_same(folder, unbroken)


def test_temporary_files_of_a_killed_run_are_swept_away(images: Path, half: Path, unbroken: Path) -> None:
    torn = half / "checkpoints" / ".images_00000024.99999.tmp"
    torn.mkdir()
    (torn / "weights.safetensors").write_bytes(b"half a file")
    for name in ("model/.model.safetensors.99999.tmp", ".config.yaml.99999.tmp", "snapshots/.swapae-0.tmp"):
        (half / name).write_bytes(b"half a file")
    heard = Heard()
    run(micro(), images, half, heard=heard)
    assert heard.messages == []
    assert not list(half.rglob("*.tmp"))
    assert_same(half, unbroken)


def test_a_run_killed_before_its_config_was_whole_can_begin(
    images: Path, unbroken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".config.yaml.99999.tmp").write_text("batch_si")
    run(micro(), images, folder)
    assert_same(folder, unbroken)


FILES = ("weights.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json", "config.json")
FILES += ("MANIFEST.json",)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    name: str, images: Path, half: Path, unbroken: Path
) -> None:
    path = half / "checkpoints" / "images_00000016" / name
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(bytes(damaged))
    heard = Heard()
    run(micro(), images, half, heard=heard)
    assert len(heard.messages) == 1
    assert "images_00000016" in heard.messages[0].split(";")[0]
    assert "going on from images_00000008" in heard.messages[0]
    assert heard.calls[0] == "start 8/32"
    assert_same(half, unbroken)


@pytest.mark.parametrize("name", FILES)
def test_a_checkpoint_that_lacks_a_file_is_damaged(name: str, half: Path) -> None:
    (half / "checkpoints" / "images_00000016" / name).unlink()
    found = newest_valid(half / "checkpoints")
    assert found is not None
    assert found.name == "images_00000008"


def test_where_every_checkpoint_is_damaged_the_run_does_not_silently_begin_anew(
    images: Path, half: Path
) -> None:
    for path in (half / "checkpoints").iterdir():
        (path / "MANIFEST.json").unlink()
    before = bytes_of(half)
    with pytest.raises(UserError, match=r"every checkpoint .* is damaged .*images_00000008, images_00000016"):
        run(micro(), images, half)
    assert bytes_of(half) == before


def test_a_damaged_checkpoint_never_costs_a_sound_one_its_place(images: Path, half: Path) -> None:
    (half / "checkpoints" / "images_00000016" / "MANIFEST.json").unlink()
    config = micro(checkpoint_images=100, keep_checkpoints=1, keep_best=0)
    run(config, images, half, after=1)
    assert names_in(half / "checkpoints") == ["images_00000012"]
    assert newest_valid(half / "checkpoints") is not None


def test_torn_and_foreign_lines_of_the_log_are_dropped(images: Path, half: Path, unbroken: Path) -> None:
    with open(half / "log.jsonl", "a", encoding="utf-8") as log:
        log.write('no json\n{"images_seen": 400}\n[]\n{"images_se')
    run(micro(), images, half)
    assert_same(half, unbroken)


def test_only_the_newest_checkpoints_are_kept_by_number_not_by_text(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(micro(checkpoint_images=4, keep_checkpoints=2, keep_best=0), images, folder)
    assert names_in(folder / "checkpoints") == ["images_00000028", "images_00000032"]
    os.rename(folder / "checkpoints" / "images_00000028", folder / "checkpoints" / "images_100000000")
    os.rename(folder / "checkpoints" / "images_00000032", folder / "checkpoints" / "images_99999999")
    found = newest_valid(folder / "checkpoints")
    assert found is not None
    assert found.name == "images_100000000"


def test_a_checkpoint_of_the_first_form_without_sums_still_loads(
    images: Path, half: Path, unbroken: Path
) -> None:
    path = half / "checkpoints" / "images_00000016"
    state = json.loads((path / "state.json").read_text())
    assert state["unlogged"] == {}
    (path / "state.json").write_text(json.dumps({k: state[k] for k in ("images_seen", "steps", "seconds")}))
    from swapae.training import checkpoint
    from swapae.training.run import write_json

    seals = {name: checkpoint._seal(path / name) for name in FILES[:-1]}
    write_json(path / "MANIFEST.json", seals)
    heard = Heard()
    run(micro(), images, half, heard=heard)
    assert heard.calls[0] == "start 16/32"
    assert_same(half, unbroken)


# ── what may change, and what may not ────────────────────────────────────────────────────────────


def test_a_complete_run_run_again_says_so_and_changes_nothing(images: Path, unbroken: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in unbroken.rglob("*")}
    heard = Heard()
    summary = run(micro(), images, unbroken, heard=heard)
    assert summary.is_complete
    assert summary.losses == {
        k: v for line in log_of(unbroken) for k, v in line.items() if k != "images_seen"
    }
    assert len(heard.messages) == 1
    assert "is complete" in heard.messages[0]
    assert heard.calls == []
    assert {path: path.stat().st_mtime_ns for path in unbroken.rglob("*")} == before


def test_a_complete_run_goes_on_when_its_total_is_raised(
    images: Path, unbroken: Path, tmp_path: Path
) -> None:
    run(micro(total_images=16), images, tmp_path / "run")
    heard = Heard()
    run(micro(total_images=32), images, tmp_path / "run", heard=heard)
    assert heard.calls[0] == "start 16/32"
    assert_same(tmp_path / "run", unbroken)


def test_how_often_things_are_written_may_change(images: Path, half: Path, unbroken: Path) -> None:
    run(micro(log_images=4, snapshot_images=100, checkpoint_images=100, keep_checkpoints=1), images, half)
    assert [line["images_seen"] for line in log_of(half)] == [8, 16, 20, 24, 28, 32]
    for kind in KINDS:
        file = f"checkpoints/images_00000032/{kind}.safetensors"
        assert_equal_tensors(half / file, unbroken / file)


def test_a_run_may_go_on_with_checkpointing_and_ends_the_same(
    images: Path, half: Path, unbroken: Path
) -> None:
    run(micro(checkpoint_activations=True), images, half)
    for kind in KINDS:
        file = f"checkpoints/images_00000032/{kind}.safetensors"
        assert_equal_tensors(half / file, unbroken / file)


def test_another_config_is_refused_with_the_differences_and_nothing_is_touched(
    images: Path, half: Path
) -> None:
    before = bytes_of(half)
    config = micro()
    other = replace(config, batch_size=8, loss=replace(config.loss, l1=5.0), total_images=64)
    with pytest.raises(UserError) as refusal:
        run(other, images, half)
    assert "loss.l1: 1.0 → 5.0" in str(refusal.value)
    assert "batch_size: 4 → 8" in str(refusal.value)
    assert "total_images" not in str(refusal.value)
    assert bytes_of(half) == before


def test_other_data_are_refused(half: Path, tmp_path: Path) -> None:
    other = make_images(tmp_path / "others")
    with pytest.raises(UserError, match=r"was trained on .*images, not on .*others"):
        run(micro(), other, half)
    with pytest.raises(UserError, match=r"was trained on .*images, not on synthetic"):
        run(micro(), "synthetic", half)


def test_the_same_folder_by_another_path_is_the_same_data(
    images: Path, half: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(images.parent)
    run(micro(), "images/../images", half)
    assert log_of(half) == log_of(unbroken)


def test_a_folder_that_has_gained_images_is_refused_until_its_report_is_removed(tmp_path: Path) -> None:
    images, folder = make_images(tmp_path / "images", 3), tmp_path / "run"
    run(micro(), images, folder, after=2)
    make_images(images, 5)
    with pytest.raises(UserError, match=r"trained on 3 images, .* has 5 now; .*remove .*data\.json"):
        run(micro(), images, folder)
    (folder / "data.json").unlink()
    assert run(micro(), images, folder).is_complete


# ── what is left ─────────────────────────────────────────────────────────────────────────────────


def test_the_model_in_the_run_is_the_averaged_one(unbroken: Path) -> None:
    ema, _ = load_tensors(unbroken / "checkpoints" / "images_00000032" / "ema.safetensors")
    weights, _ = load_tensors(unbroken / "checkpoints" / "images_00000032" / "weights.safetensors")
    model = SwappingAutoencoder.from_pretrained(unbroken, device="cpu").state_dict()
    assert model.keys() == ema.keys()
    assert all(torch.equal(model[name], ema[name]) for name in ema)
    assert not all(torch.equal(model[name], weights[name]) for name in ema)


def test_a_run_that_was_stopped_has_a_model_too(half: Path) -> None:
    assert SwappingAutoencoder.from_pretrained(half, device="cpu").config == micro().model
