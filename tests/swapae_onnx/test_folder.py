"""A folder that is missing, damaged or of another kind is refused by one sentence that says what to do."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.swapae_onnx.conftest import Both

from swapae.onnx import SwappingAutoencoder, UserError
from swapae_onnx.folder import read_folder


@pytest.fixture
def folder(both: Both, tmp_path: Path) -> Path:
    return shutil.copytree(both.folder, tmp_path / "model")


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        SwappingAutoencoder.from_pretrained(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert folder.name in said
    return said


def test_what_is_no_folder_of_a_model(folder: Path, tmp_path: Path) -> None:
    assert "there is no folder" in refused(tmp_path / "nowhere")
    assert "there is no folder" in refused(folder / "config.json")
    (folder / "config.json").unlink()
    assert "there is no config.json in it; `swapae export MODEL --onnx DIR` writes one" in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_a_config_that_is_no_json(folder: Path, text: str) -> None:
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "config.json is damaged; export the model again" in refused(folder)


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"format": "swapae.onnx/2"}', '{"format": ["\\n"]}'])
def test_a_config_of_another_format(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    assert "is no exported model of the format swapae.onnx/1" in refused(folder)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no stride": lambda config: config.pop("stride"),
    "stride 0": lambda config: config.update(stride=0),
    "more than there is memory for": lambda config: config.update(min_side=10**9),
    "stride true": lambda config: config.update(stride=True),
    "noise of text": lambda config: config.update(noise="1234"),
    "no noise": lambda config: config.update(noise=None),
    "no model": lambda config: config.pop("model"),
    "model of numbers": lambda config: config.update(model=[1]),
    "no graph": lambda config: config.pop("noisy_generator"),
    "graph of text": lambda config: config.update(encoder="encoder.onnx"),
    "graph above": lambda config: config["encoder"].update(file="../encoder.onnx"),
    "graph of numbers": lambda config: config["encoder"].update(file=3),
    "no sum": lambda config: config["generator"].pop("sha256"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_config_that_lacks_something_or_says_nonsense(folder: Path, name: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    CHANGES[name](config)
    (folder / "config.json").write_text(json.dumps(config))
    assert "config.json is damaged (" in refused(folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "generator.onnx", "generator_noise.onnx"])
def test_a_graph_that_was_changed_by_a_bit_cut_short_or_lost(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    for damaged in (data[:-1], data[:100] + bytes([data[100] ^ 1]) + data[101:]):
        (folder / name).write_bytes(damaged)
        assert f"{name} is damaged or of another export: its SHA-256 is" in refused(folder)
    (folder / name).unlink()
    assert f"{name} is missing; export the model again" in refused(folder)


def test_a_file_that_is_no_graph_though_its_sum_is_right(folder: Path) -> None:
    from hashlib import sha256

    config = json.loads((folder / "config.json").read_text())
    config["encoder"]["sha256"] = sha256(b"nothing").hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "encoder.onnx").write_bytes(b"nothing")
    import numpy as np

    model = SwappingAutoencoder.from_pretrained(folder)
    with pytest.raises(UserError, match=r"encoder\.onnx cannot be run by ONNX Runtime \(.+\)\.$"):
        model.encode(np.zeros((1, 3, 16, 16), np.float32))


def test_what_this_machine_lacks_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"ONNX Runtime has no AbacusProvider here; it has .*CPU"):
        SwappingAutoencoder.from_pretrained(folder, providers=["AbacusProvider"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="ONNX Runtime is not installed: pip install onnxruntime"):
        SwappingAutoencoder.from_pretrained(folder)


def test_a_folder_says_what_the_model_takes(both: Both) -> None:
    folder, config = read_folder(both.folder), both.torch.config
    assert (folder.stride, folder.min_side) == (config.stride, config.min_side)
    assert (folder.structure_channels, folder.texture_channels) == (4, 16)
    shapes = both.torch.generator.noise_shapes(3, 5)
    assert [(1, 1, 3 * scale, 5 * scale) for scale in folder.noise] == shapes
