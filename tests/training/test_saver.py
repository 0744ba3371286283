"""A full disk warns and training goes on, waits, or stops, as asked; and nothing is lost by it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.tools import Heard, bytes_of, log_of, make_images, micro, names_in, run, stop_after

from swapae.errors import UserError, WriteError
from swapae.training import saver as savers
from swapae.training.checkpoint import newest_valid
from swapae.training.disk import bytes_of_checkpoint, bytes_of_model, free_bytes
from swapae.training.engine import Engine
from swapae.training.loop import train
from swapae.training.setup import make_learner
from swapae.weights import load_tensors


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("data") / "images")


@pytest.fixture(scope="module")
def unbroken(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    run(micro(), images, folder)
    return folder


class Disk:
    """A disk whose free space is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 1 << 40
        self.is_emptied_after: int | None = None  # looks at it
        monkeypatch.setattr(savers, "free_bytes", self.look)

    def look(self, _: Path) -> int:
        found = self.free
        if found < 1 << 40 and self.is_emptied_after is not None:
            self.is_emptied_after -= 1
            self.free = found if self.is_emptied_after else 1 << 40
        return found


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(savers, "PAUSE", 0.2)
    return Disk(monkeypatch)


def assert_same(folder: Path, other: Path) -> None:
    assert log_of(folder) == log_of(other)
    last = [newest_valid(path / "checkpoints") or path for path in (folder, other)]
    for kind in ("weights", "ema", "optimizer"):
        mine, theirs = (load_tensors(path / f"{kind}.safetensors")[0] for path in last)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def filling(disk: Disk, at: int, until: int | None = None) -> Heard:
    """A reporter in whose sight the disk fills up after so many images, and is emptied after others."""

    class Filler(Heard):
        def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
            if images_seen == at:
                disk.free = 1000
            if images_seen == until:
                disk.free = 1 << 40

    return Filler()


# ── estimates ────────────────────────────────────────────────────────────────────────────────────


def test_the_estimate_is_not_below_what_is_written_nor_far_above(unbroken: Path) -> None:
    learner = make_learner(micro(), Engine(torch.device("cpu")))
    checkpoint = sum(map(len, bytes_of(unbroken / "checkpoints" / "images_00000032").values()))
    model = sum(map(len, bytes_of(unbroken / "model").values()))
    assert checkpoint <= bytes_of_checkpoint(learner) <= 1.5 * checkpoint + 2**16
    assert model <= bytes_of_model(learner) <= 1.5 * model + 2**16


def test_free_space_is_that_of_the_disk_on_which_a_run_would_come_to_lie(tmp_path: Path) -> None:
    assert abs(free_bytes(tmp_path / "not" / "there") - shutil.disk_usage(tmp_path).free) < 2**28


def test_a_new_run_that_could_not_be_saved_is_refused_with_both_numbers_and_nothing_is_left(
    disk: Disk, images: Path, tmp_path: Path
) -> None:
    disk.free = 10 * 2**20
    sentence = (
        r"this run needs 17 MiB to save, .*run has 10 MiB free: free some, or give another place with -o\."
    )
    with pytest.raises(UserError, match=sentence):
        run(micro(), images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("policy", ["continue", "stop"])
def test_a_run_that_goes_on_is_told_and_refused_only_where_it_is_to_stop(
    policy: str, disk: Disk, images: Path, tmp_path: Path
) -> None:
    run(micro(), images, tmp_path / "run", after=3)
    disk.free = 10 * 2**20
    config, heard = micro(on_disk_full=policy, total_images=16), Heard()
    if policy == "stop":
        with pytest.raises(UserError, match="10 MiB free"):
            run(config, images, tmp_path / "run", heard=heard)
    else:  # for one save there is room
        assert run(config, images, tmp_path / "run", heard=heard).is_complete
        assert "10 MiB free: free some." in heard.messages[0]


# ── what is done ─────────────────────────────────────────────────────────────────────────────────


def test_it_goes_on_by_default_tells_at_each_save_and_saves_when_there_is_room(
    disk: Disk, images: Path, unbroken: Path, tmp_path: Path
) -> None:
    heard, folder = filling(disk, at=12, until=28), tmp_path / "run"
    assert run(micro(checkpoint_images=8), images, folder, heard=heard).is_complete
    assert len(heard.messages) == 2  # at 16 and 24 images
    assert all("the disk is full" in text and "training goes on" in text for text in heard.messages)
    assert names_in(folder / "checkpoints") == ["images_00000008", "images_00000032"]
    assert_same(folder, unbroken)


def test_a_run_whose_end_cannot_be_saved_says_so_and_does_it_again_later(
    disk: Disk, images: Path, unbroken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(WriteError, match=r"not saved; free some space, and the same command goes on"):
        run(micro(), images, folder, heard=filling(disk, at=20))
    assert names_in(folder / "checkpoints") == ["images_00000016"]
    disk.free = 1 << 40
    assert run(micro(), images, folder).is_complete
    assert_same(folder, unbroken)


def test_it_stops_at_once_where_that_is_asked_for(disk: Disk, images: Path, tmp_path: Path) -> None:
    heard = filling(disk, at=4)
    with pytest.raises(WriteError, match="the disk is full"):
        run(micro(on_disk_full="stop"), images, tmp_path / "run", heard=heard)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_it_waits_where_that_is_asked_for_until_there_is_room(
    disk: Disk, images: Path, unbroken: Path, tmp_path: Path
) -> None:
    heard, folder = filling(disk, at=4), tmp_path / "run"
    disk.is_emptied_after = 3
    assert run(micro(on_disk_full="pause"), images, folder, heard=heard).is_complete
    assert disk.is_emptied_after == 0
    assert [text for text in heard.messages if "waits until there is room" in text] == heard.messages
    assert len(heard.messages) == 1
    assert_same(folder, unbroken)


def test_a_wait_ends_when_the_run_is_stopped(disk: Disk, images: Path, tmp_path: Path) -> None:
    config = micro(on_disk_full="pause")
    heard = filling(disk, at=4)
    with pytest.raises(WriteError, match="not saved"):
        train(config, str(images), tmp_path / "run", device="cpu", reporter=heard, stop=stop_after(6))


def test_lines_of_the_log_that_find_no_room_are_written_later_and_none_is_torn(
    images: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills in the middle of a line, by the system's own word for it."""
    folder, is_full = tmp_path / "run", False

    class Filler(Heard):
        def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
            nonlocal is_full
            is_full = 12 <= images_seen < 20

    class Torn:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> "Torn":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()  # type: ignore[attr-defined]

        def write(self, text: str) -> None:
            self.file.write(text[: len(text) // 2])  # type: ignore[attr-defined]
            self.file.flush()  # type: ignore[attr-defined]
            raise OSError(28, "No space left on device")

    def opening(path: object, mode: str = "r", **options: object) -> object:
        file = open(path, mode, **options)  # type: ignore[call-overload]  # noqa: SIM115
        return Torn(file) if is_full and str(path).endswith("log.jsonl") and "a" in mode else file

    monkeypatch.setattr("swapae.training.run.open", opening, raising=False)
    heard = Filler()
    assert run(micro(checkpoint_images=100), images, folder, heard=heard).is_complete
    assert len(heard.messages) == 1
    assert "No space left on device" in heard.messages[0]
    assert log_of(folder) == log_of(unbroken)


# ── a real one ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a disk of 64 MB")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a disk of 64 MB cannot be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, left: int) -> Path:
    """Fill a disk up but for some bytes."""
    ballast = place / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        while (free := shutil.disk_usage(place).free) > left:
            file.write(bytes(min(2**20, free - left)))
    return ballast


@pytest.mark.parametrize("left", [0, 96 * 1024, 180 * 1024])
def test_on_a_disk_of_64_megabytes_that_fills_up_nothing_is_lost(
    left: int, small: Path, images: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fills to the last byte, or so that a file, or a checkpoint, ends in the middle."""
    monkeypatch.setattr(savers, "free_bytes", lambda _: 1 << 40)  # another program was faster

    class Filler(Heard):
        def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
            if images_seen == 12:
                fill(small, left)
            if images_seen == 28:
                (small / "ballast").unlink()

    heard, folder = Filler(), small / "run"
    assert run(micro(checkpoint_images=8), images, folder, heard=heard).is_complete
    told = [text for text in heard.messages if "the next save tries again" in text]
    assert len(told) == 2  # at 16 and 24 images
    assert all("No space left on device" in text for text in told)
    assert names_in(folder / "checkpoints") == ["images_00000008", "images_00000032"]
    assert not list(folder.rglob("*.tmp"))
    assert_same(folder, unbroken)
    json.loads((folder / "data.json").read_text())


def test_a_run_goes_on_though_the_disk_is_full_to_the_last_byte(
    small: Path, images: Path, unbroken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(savers, "free_bytes", lambda _: 1 << 40)
    config, folder = micro(checkpoint_images=8), small / "run"
    run(config, images, folder, after=3)
    fill(small, 0)

    class Emptier(Heard):
        def progress(self, images_seen: int, images_per_second: float, losses: object) -> None:
            if images_seen == 28:
                (small / "ballast").unlink()

    assert run(config, images, folder, heard=Emptier()).is_complete
    assert_same(folder, unbroken)


def test_a_disk_of_64_megabytes_that_is_full_is_seen_before_it_is_written_to(
    small: Path, images: Path
) -> None:
    fill(small, 2**20)
    with pytest.raises(UserError, match=r"has 1 MiB free: free some, or give another place"):
        run(micro(), images, small / "run")
    assert names_in(small) == ["ballast"]
