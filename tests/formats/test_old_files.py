"""Packs, lists, directions, batches and recipes as they were first written."""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.formats.old import lines, photos, placed, unpacked

from swapae import SwappingAutoencoder, open_image
from swapae.cli.main import main
from swapae.data.open import open_pack
from swapae.data.packing.job import packed_hashes
from swapae.editing import Directions
from swapae.metrics.pairs import PairList

MODEL = "2026-11-23_5abd7ad"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    photos(folder / "images")
    unpacked(MODEL, folder)
    return unpacked("files", folder)


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return folder.parent / MODEL / "model"


@pytest.mark.parametrize("kind", ["zip", "tar", "lmdb", "folder"])
def test_a_pack_of_then_is_read(folder: Path, kind: str) -> None:
    if kind == "lmdb":
        pytest.importorskip("lmdb")
    place = folder / "packs" / kind
    hashes = packed_hashes(place)
    pack = open_pack(place)
    assert (pack.num_images, len(hashes)) == (6, 6)
    for number in range(6):
        with pack.open(number) as file:
            data = file.read()
        assert hashlib.sha256(data).hexdigest() == hashes[pack.name_of(number).rpartition(":")[2]]
        assert Image.open(io.BytesIO(data)).size == (10, 8)


def test_a_list_of_pairs_of_then_is_read(folder: Path) -> None:
    found = PairList.load(folder / "pairs.json")
    assert found == PairList.draw("photos", 6, 4, seed=3)


def test_directions_of_then_are_read_and_fit_the_model_of_then(folder: Path, model: Path) -> None:
    found = Directions.load(folder / "directions.safetensors")
    assert [one.kind for one in found.all] == ["texture", "structure", "layout"]
    net = SwappingAutoencoder.from_pretrained(model, device="cpu")
    assert found.check_fit(net, "them") is True


def test_a_batch_of_then_has_nothing_left_to_do(
    folder: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch, images = folder / "batch", folder.parent / "images"
    placed(batch / "manifest.jsonl", images)
    for row in lines(batch / "manifest.jsonl"):
        if row.get("state") == "done":  # archives keep no times: put back what the manifest has seen
            when = int(str(row["mtime_ns"]))
            os.utime(images / str(row["input"]), ns=(when, when))
    words = ["--texture", str(images / "00.png"), "-m", str(model), "--workers", "0"]
    assert main(["batch", str(images), "-o", str(batch), *words, "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["done"], report["done_before"], report["failed"]) == (0, 6, 0)


def test_a_recipe_of_then_gives_its_picture_again(folder: Path, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="recipes need the extra web")
    saved, made = folder / "recipe.png", tmp_path / "made.png"
    assert main(["render", str(saved), "-m", str(model), "-o", str(made), "--device", "cpu", "--quiet"]) == 0
    then, now = (np.asarray(open_image(path)).astype(int) for path in (saved, made))
    assert then.shape == now.shape == (16, 20, 3)
    assert np.abs(then - now).max() <= 1
    assert torch.tensor(then).float().std() > 1  # it is a picture, not one colour
