"""Whatever the folder of images holds, a training uses what it can and says what it cannot."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.training.tools import Heard, log_of, make_images, micro, run

from swapae.data.transforms import DataConfig
from swapae.training.checkpoint import newest_valid
from swapae.training.loop import train
from swapae.weights import load_tensors


def skipped_in(folder: Path) -> list[str]:
    return [entry["file"] for entry in json.loads((folder / "data.json").read_text())["skipped"]]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_fewer_images_than_a_batch_or_a_snapshot_holds_are_enough(count: int, tmp_path: Path) -> None:
    images = make_images(tmp_path / "images", count, size=(16, 16))
    assert run(micro(total_images=16), images, tmp_path / "run").is_complete
    with Image.open(tmp_path / "run" / "snapshots" / "images_00000016.png") as picture:
        assert picture.width == {1: 2, 2: 2, 3: 4}[count] * (16 + 2) - 2
        first, second = picture.crop((0, 0, 16, 16)), picture.crop((18, 0, 34, 16))
        assert (first.tobytes() == second.tobytes()) is (count == 1)


def test_the_report_says_where_the_images_are_and_how_many(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images")
    run(micro(total_images=4), images, tmp_path / "run")
    report = json.loads((tmp_path / "run" / "data.json").read_text())
    assert report == {"data": str(images), "folder": str(images), "num_images": 6, "skipped": []}


def test_a_file_that_is_no_image_is_listed_and_told_once(tmp_path: Path) -> None:
    images, heard = make_images(tmp_path / "images"), Heard()
    (images / "broken.png").write_bytes(b"no picture")
    (images / "empty.jpg").write_bytes(b"")
    run(micro(), images, tmp_path / "run", heard=heard)
    assert skipped_in(tmp_path / "run") == ["broken.png", "empty.jpg"]
    assert len(heard.messages) == 1
    assert "2 files of" in heard.messages[0]
    assert "broken.png" in heard.messages[0]
    assert "data.json" in heard.messages[0]


def test_a_file_that_turns_out_to_be_cut_short_is_told_when_it_is_met_and_stays_listed(
    tmp_path: Path,
) -> None:
    images, heard, folder = make_images(tmp_path / "images", 12), Heard(), tmp_path / "run"
    whole = (images / "11.png").read_bytes()
    (images / "11.png").write_bytes(whole[: len(whole) // 2])
    config = micro(total_images=16, log_images=4, checkpoint_images=4)
    run(config, images, folder, heard=heard)
    assert skipped_in(folder) == ["11.png"]
    assert len(heard.messages) == 1
    assert "1 file of" in heard.messages[0]
    assert 0 < heard.heard_after[0] < 4
    # It is met in the first epoch; a call that begins after that still has it in its report.
    again = Heard()
    run(micro(total_images=20, log_images=4, checkpoint_images=4), images, folder, heard=again)
    assert again.messages == []
    assert skipped_in(folder) == ["11.png"]


def test_any_number_of_workers_gives_the_same_run(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images")
    (images / "03.png").write_bytes((images / "03.png").read_bytes()[:-300])
    one, two = tmp_path / "one", tmp_path / "two"
    run(micro(), images, one)
    run(micro(), images, two, after=3)
    run(micro(data=DataConfig(load_size=16, crop_size=16, workers=2)), images, two)
    assert log_of(one) == log_of(two)
    assert skipped_in(one) == skipped_in(two) == ["03.png"]
    for kind in ("weights", "ema", "optimizer"):
        mine, theirs = (
            load_tensors((newest_valid(folder / "checkpoints") or folder) / f"{kind}.safetensors")[0]
            for folder in (one, two)
        )
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs names that are no text")
def test_names_that_are_no_text_do_not_stop_a_training(tmp_path: Path) -> None:
    images = make_images(Path(os.fsdecode(os.fsencode(tmp_path) + b"/im\xff")))
    (images / os.fsdecode(b"\xfe.png")).write_bytes(b"no picture")
    run(micro(), images, tmp_path / "run", after=1)
    assert run(micro(), images, tmp_path / "run").is_complete
    assert len(skipped_in(tmp_path / "run")) == 1


def test_a_path_is_as_good_as_its_text(tmp_path: Path) -> None:
    images = make_images(tmp_path / "images")
    run(micro(), images, tmp_path / "run", after=1)
    assert train(micro(), images, tmp_path / "run", device="cpu", reporter=Heard()).is_complete


def test_the_generated_images_can_be_trained_on(tmp_path: Path) -> None:
    assert run(micro(total_images=8), "synthetic", tmp_path / "run").is_complete
    report = json.loads((tmp_path / "run" / "data.json").read_text())
    assert report == {"data": "synthetic", "folder": None, "num_images": None, "skipped": []}


def test_a_folder_called_synthetic_is_not_the_generated_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_images(tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    run(micro(), "synthetic", tmp_path / "run", after=1)
    with pytest.raises(Exception, match=r"not on \./synthetic"):
        run(micro(), "./synthetic", tmp_path / "run")


def test_a_cache_changes_nothing_but_the_time_and_may_come_later(tmp_path: Path) -> None:
    images, heard = make_images(tmp_path / "images"), Heard()
    (images / "03.png").write_bytes((images / "03.png").read_bytes()[:-300])
    plain, kept = tmp_path / "plain", tmp_path / "kept"
    run(micro(), images, plain)
    run(micro(), images, kept, after=3)
    cache = DataConfig(load_size=16, crop_size=16, cache=str(kept / "cache"))
    assert run(micro(data=cache), images, kept, heard=heard).is_complete
    assert any("6 images to size once" in message for message in heard.messages)
    assert log_of(plain) == log_of(kept)
    assert skipped_in(plain) == skipped_in(kept) == ["03.png"]
