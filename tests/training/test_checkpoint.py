"""A checkpoint is there whole or not at all, every byte of it is watched, and those that matter stay."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from tests.training.tools import Heard, log_of, make_images, micro, names_in, run

from swapae.config import to_dict
from swapae.errors import UserError
from swapae.training.checkpoint import (
    MANIFEST,
    Learner,
    all_weights,
    collect,
    is_valid,
    load_checkpoint,
    newest_valid,
    optimizer_tensors,
    state_of,
)
from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.retention import prune
from swapae.training.setup import make_learner
from swapae.weights import load_tensors

GOLDEN = Path(__file__).parents[1] / "golden" / "run_format1"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "images")


@pytest.fixture(scope="module")
def half(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two checkpoints, at 8 and 16 images."""
    folder = tmp_path_factory.mktemp("runs") / "half"
    run(micro(checkpoint_images=8), images, folder, after=4)
    return folder


# ── whole or not at all ──────────────────────────────────────────────────────────────────────────


def test_files_are_flushed_then_their_folder_then_it_is_renamed_then_its_parent_flushed(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace_ = os.fsync, os.replace

    def spy_fsync(descriptor: int) -> None:
        events.append(f"fsync {_shape(os.readlink(f'/proc/self/fd/{descriptor}'))}")
        fsync(descriptor)

    def spy_replace(source: str, target: str) -> None:
        events.append(f"rename {_shape(str(target))}")
        replace_(source, target)

    def _shape(path: str) -> str:
        name = Path(path).relative_to(tmp_path / "run")
        return name.as_posix().replace(f".images_00000016.{os.getpid()}.tmp", "BESIDE")

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "replace", spy_replace)
    run(micro(total_images=16, snapshot_images=16), images, tmp_path / "run")
    inside = [event for event in events if "checkpoints" in event or "latest" in event]
    end = inside.index("rename checkpoints/images_00000016")
    assert inside[end - 2] == f"rename checkpoints/BESIDE/{MANIFEST}"
    assert inside[end - 1] == "fsync checkpoints/BESIDE"
    assert inside[end + 1] == "fsync checkpoints"
    assert inside[-1] == "rename latest"
    written = [event for event in inside[: end - 1] if event.startswith("rename")]
    assert len(written) == 6
    assert len([event for event in inside[: end - 1] if event.startswith("fsync checkpoints/BESIDE/")]) == 6
    assert (tmp_path / "run" / "latest").read_text() == "checkpoints/images_00000016\n"


def test_no_reader_depends_on_latest(images: Path, half: Path, tmp_path: Path) -> None:
    for i, text in enumerate(["checkpoints/images_00000008", "", "elsewhere"]):
        folder = Path(shutil.copytree(half, tmp_path / str(i)))
        (folder / "latest").write_text(text)
        heard = Heard()
        run(micro(), images, folder, heard=heard, after=0)
        assert heard.calls[0] == "start 16/32"
        assert (folder / "latest").read_text() == "checkpoints/images_00000016\n"


def test_one_that_cannot_be_read_back_costs_none_of_the_others(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, folder = micro(checkpoint_images=8, keep_checkpoints=1, keep_best=0), tmp_path / "run"
    run(config, images, folder, after=2)
    write = "swapae.training.checkpoint.sync_folder"

    def flip(path: Path) -> None:
        if path.name.endswith(".tmp"):
            file = path / "optimizer.safetensors"
            file.write_bytes(file.read_bytes()[:-1] + b"\0")

    monkeypatch.setattr(write, flip)
    with pytest.raises(UserError, match=r"cannot be read back as it was written"):
        run(config, images, folder)
    assert is_valid(folder / "checkpoints" / "images_00000008")


# ── every byte ───────────────────────────────────────────────────────────────────────────────────


def places(path: Path) -> list[int]:
    """All bytes of the manifest; of the others, which are hashed, the first, the last, and some between."""
    size = path.stat().st_size
    return list(range(size)) if path.name == MANIFEST else [*range(9), *range(9, size, size // 20), size - 1]


@pytest.mark.parametrize("mask", [1, 0x29])  # 0x29 makes a blank a tab, and JSON stays what it is
def test_a_flipped_byte_anywhere_is_detected_and_the_one_before_is_used(mask: int, half: Path) -> None:
    folder = half / "checkpoints"
    newest, before = folder / "images_00000016", folder / "images_00000008"
    files = [path for path in newest.iterdir() if path.is_file()]
    assert len(files) == 6
    for path in files:
        sound = path.read_bytes()
        for place in places(path):
            damaged = bytearray(sound)
            damaged[place] ^= mask
            path.write_bytes(damaged)
            assert not is_valid(newest), (path.name, place)
        assert newest_valid(folder) == before
        path.write_bytes(sound)
    assert newest_valid(folder) == newest


def test_a_checkpoint_says_what_made_it(half: Path) -> None:
    path = half / "checkpoints" / "images_00000016"
    state = json.loads((path / "state.json").read_text())
    assert state["format"] == 2
    assert {"swapae", "torch", "python", "numpy", "safetensors"} <= state.keys()
    assert state["torch"] == torch.__version__
    assert json.loads((path / "config.json").read_text()) == to_dict(micro(checkpoint_images=8))
    kinds = {name.rpartition(".")[2] for name in names_in(path)}
    assert kinds == {"safetensors", "json"}


# ── other forms ──────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_of_the_first_form_loads_to_the_bit_and_goes_on(images: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "run"))
    path = folder / "checkpoints" / "images_00000016"
    assert is_valid(path)
    state = state_of(path)
    assert (state.images_seen, state.steps, state.augment, state.rate_scale) == (16, 4, {}, 1.0)

    learner = fresh_learner()
    load_checkpoint(folder / "checkpoints", learner, lambda _: None)
    found = {
        "weights": all_weights(learner.networks),
        "ema": learner.ema.model.state_dict(),
        "optimizer": optimizer_tensors(learner.networks, learner.optimizers),
    }
    for kind, tensors in found.items():
        stored, _ = load_tensors(path / f"{kind}.safetensors")
        assert stored.keys() == tensors.keys()
        assert all(torch.equal(stored[name], tensors[name]) for name in stored)

    heard = Heard()
    assert run(micro(), images, folder, heard=heard).is_complete
    assert (heard.calls[0], heard.messages) == ("start 16/32", [])
    assert [line["images_seen"] for line in log_of(folder)] == [8, 16, 24, 32]


def test_a_checkpoint_of_a_later_form_is_refused_and_left_as_it_is(
    images: Path, half: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(half, tmp_path / "run"))
    reseal(folder / "checkpoints" / "images_00000016", {"format": 3, "swapae": "9.9"})
    with pytest.raises(UserError, match=r"images_00000016 was written by swapae 9\.9, which is newer"):
        run(micro(), images, folder)


def test_augmentation_state_comes_back(half: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(half, tmp_path / "run"))
    reseal(folder / "checkpoints" / "images_00000016", {"augment": {"strength": 0.25, "images": 3}})
    learner = fresh_learner()
    load_checkpoint(folder / "checkpoints", learner, lambda _: None)
    assert learner.state.augment == {"strength": 0.25, "images": 3}


def reseal(path: Path, changes: dict[str, object]) -> None:
    """Write a checkpoint's state anew, with changes, and its manifest."""
    from swapae.training.checkpoint import _seal
    from swapae.training.run import write_json

    state = json.loads((path / "state.json").read_text())
    write_json(path / "state.json", state | changes)
    (path / MANIFEST).unlink()
    write_json(path / MANIFEST, {file.name: _seal(file) for file in sorted(path.iterdir())})


def fresh_learner() -> Learner:
    return make_learner(micro(), Engine(torch.device("cpu")))


# ── which stay ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Checkpoints at 10, 20 … 120 images; the metric is smallest at 30, then at 60."""
    for images in range(10, 130, 10):
        folder = tmp_path / f"images_{images:08d}"
        folder.mkdir()
        value = {30: 0.1, 60: 0.2}.get(images, 0.5)
        (folder / "state.json").write_text(json.dumps({"metrics": {"reconstruction_l1": value}}))
    return tmp_path


@pytest.mark.parametrize(
    ("config", "stay"),
    [
        (micro(keep_checkpoints=2, keep_best=0), [110, 120]),
        (micro(keep_checkpoints=1, keep_best=2), [30, 60, 120]),
        (micro(keep_checkpoints=1, keep_best=0, keep_every_images=50), [50, 100, 120]),
        (micro(keep_checkpoints=1, keep_best=0, keep_every_images=45), [50, 90, 120]),
        (micro(keep_checkpoints=12, keep_best=0), list(range(10, 130, 10))),
    ],
)
def test_the_newest_the_best_and_one_of_every_so_many_images_stay(
    config: TrainConfig, stay: list[int], many: Path
) -> None:
    prune(many, 120, config)
    assert names_in(many) == [f"images_{images:08d}" for images in stay]
    prune(many, 120, config)
    assert names_in(many) == [f"images_{images:08d}" for images in stay]


def test_the_rules_hold_when_they_are_applied_as_checkpoints_come(many: Path, tmp_path: Path) -> None:
    """One a save, as a training does it: what stays for ever is never taken for old in between."""
    config = micro(keep_checkpoints=2, keep_best=1, keep_every_images=50)
    later = {path.name: path.rename(many / f".{path.name}") for path in sorted(many.glob("images_*"))}
    for name, path in later.items():
        path.rename(many / name)
        prune(many, int(name.removeprefix("images_")), config)
    assert names_in(many) == [f"images_{images:08d}" for images in (30, 50, 100, 110, 120)]


def test_one_without_a_measurement_is_never_the_best_and_never_in_the_way(many: Path) -> None:
    for images, text in ((30, "{}"), (60, '{"metrics": {"reconstruction_l1": null}}'), (90, "no json")):
        (many / f"images_{images:08d}" / "state.json").write_text(text)
    prune(many, 120, micro(keep_checkpoints=1, keep_best=1))
    assert names_in(many) == ["images_00000010", "images_00000120"]


def test_one_that_cannot_be_removed_now_is_removed_later(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        prune(many, 120, micro(keep_checkpoints=1, keep_best=0))
    assert len(names_in(many)) == 12
    prune(many, 120, micro(keep_checkpoints=1, keep_best=0))
    assert names_in(many) == ["images_00000120"]


def test_a_number_of_the_state_that_is_not_finite_is_not_saved_either() -> None:
    learner = fresh_learner()
    collect(learner)
    learner.state.augment = {"strength": float("nan")}
    with pytest.raises(UserError, match="a number of the state is not a finite number after 0 images"):
        collect(learner)
