"""`swapae export MODEL --onnx DIR [--check]`."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

from swapae import SwappingAutoencoder
from swapae.cli.main import main
from swapae.export import check

FILES = ["README.md", "config.json", "encoder.onnx", "generator.onnx", "generator_noise.onnx"]


def test_a_folder_is_written_checked_and_told(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "SHAPES", check.SHAPES[:3])
    out = tmp_path / "new" / "exported"
    assert main(["export", str(tiny_model), "--onnx", str(out), "--check"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["structure", "texture", "images", "batch×3×height×width,", "texture"]
    assert [line.split("  ")[-1] for line in said[1:4]] == [
        "1×3×1×1, vector",
        "1×3×5×9, map 2×1",
        "8×3×26×26, vector",
    ]
    assert said[4].startswith("differs from PyTorch by ")
    assert said[5:] == [f"wrote {out}"]
    own_card = ["MODEL.md"] if (tiny_model / "README.md").is_file() else []
    assert sorted(os.listdir(out)) == sorted([*FILES, *own_card])
    config = json.loads((out / "config.json").read_text())
    assert config["model"] == json.loads((tiny_model / "config.json").read_text())
    assert (config["stride"], config["min_side"], config["image_size"]) == (4, 12, None)
    assert os.listdir(tmp_path / "new") == ["exported"]


def test_as_json_the_report_has_every_shape(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "SHAPES", check.SHAPES[3:5])
    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "out"), "--check", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["shape"] for row in report["check"]] == ["2×3×27×40, map 1×1, noise", "3×3×41×41, map 3×3"]
    assert all(0 < row["images"] <= row["error"] <= 1e-4 for row in report["check"])
    assert (report["check"][0]["texture_map"], report["check"][0]["noise"]) == ([1, 1], True)


def test_a_folder_that_differs_is_not_left_there(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from swapae.export import folder

    right = folder.encoder_graph

    def wrong(encoder: Any) -> Any:
        model = right(encoder)
        next(node for node in model.graph.node if node.op_type == "LeakyRelu").attribute[0].f = 0.21
        return model

    monkeypatch.setattr(folder, "encoder_graph", wrong)
    monkeypatch.setattr(check, "SHAPES", check.SHAPES[:2])
    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "out"), "--check"]) == 1
    said = capsys.readouterr().err
    assert "under ONNX Runtime the model differs from PyTorch by" in said
    assert said.endswith("out was not written.\n")
    assert os.listdir(tmp_path) == []


def test_a_model_in_the_box_brings_its_card_and_size(tmp_path: Path) -> None:
    assert main(["export", "synthetic64", "--onnx", str(tmp_path / "out"), "--quiet"]) == 0
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["image_size"] == 64
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\nlibrary_name: onnx\n")
    assert "# synthetic64, as ONNX" in card
    own = (tmp_path / "out" / "MODEL.md").read_text(encoding="utf-8")
    assert "## Data and licence" in own
    assert "![" not in own


def test_nothing_is_overwritten_unasked_and_nothing_foreign_at_all(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ["export", str(tiny_model), "--onnx", str(out)]
    assert main(words) == 0  # an empty folder is free
    before = (out / "encoder.onnx").stat().st_ino
    assert main(words) == 1
    assert "exists already" in capsys.readouterr().err
    assert (out / "encoder.onnx").stat().st_ino == before
    assert main([*words, "--force"]) == 0
    (out / "diary.txt").write_text("mine")
    assert main([*words, "--force"]) == 1
    assert "holds other files than this command's (diary.txt)" in capsys.readouterr().err
    assert (out / "diary.txt").read_text() == "mine"
    assert main(["export", str(tiny_model), "--onnx", str(out / "diary.txt")]) == 1
    assert "is a file; give the name of a folder" in capsys.readouterr().err


def test_what_is_in_the_way_or_not_there_is_said_before_torch_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("swapae.cli.export.load", lambda name: pytest.fail("it was loaded"))
    monkeypatch.setitem(sys.modules, "swapae.export.folder", None)  # which needs torch
    (tmp_path / "diary.txt").touch()
    assert main(["export", "nowhere", "--onnx", str(tmp_path / "out")]) == 1
    assert "there is no model 'nowhere'" in capsys.readouterr().err
    assert main(["export", "synthetic64", "--web", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_a_page_beside_a_lone_file_of_weights_is_not_its_card(tiny_model: Path, tmp_path: Path) -> None:
    from swapae.cli.export import load

    lone = shutil.copyfile(tiny_model / "model.safetensors", tmp_path / "mine.safetensors")
    (tmp_path / "README.md").write_text("A diary.")
    assert load(str(lone))[1].card == ""


def test_what_cannot_be_exported_is_one_sentence(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "nowhere", "--onnx", str(tmp_path / "out")]) == 1
    assert "there is no model 'nowhere'" in capsys.readouterr().err
    assert main(["export", str(tiny_model)]) == 2
    assert "say what to write: --onnx DIR" in capsys.readouterr().err
    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "a"), "--web", str(tmp_path / "b")]) == 2
    assert "--onnx and --web go one at a time" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "file" / "out")]) == 1
    assert "cannot be written (Not a directory)" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["file"]


def test_the_model_is_exported_as_it_is(tiny_model: Path, tmp_path: Path) -> None:
    from swapae.onnx import SwappingAutoencoder as Runtime

    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "out")]) == 0
    import numpy as np
    import torch

    images = torch.rand(1, 3, 20, 30) * 2 - 1
    expected = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu").swap(images, images)
    ours = Runtime.from_pretrained(tmp_path / "out", threads=1).swap(images.numpy(), images.numpy())
    assert np.abs(ours - expected.numpy()).max() <= 1e-4
