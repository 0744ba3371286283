"""Weights files: whole or not at all, strict, and with reports one can act on."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from swapae.errors import UserError
from swapae.weights import digest, load_strict, load_tensors, read_metadata, save_tensors


@pytest.fixture
def linear() -> nn.Linear:
    return nn.Linear(3, 2)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.safetensors"
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor([1, 2]), "c": torch.tensor(3.0)}
    save_tensors(path, tensors, {"words": "kept"})
    loaded, metadata = load_tensors(path)
    assert metadata == {"words": "kept"} == read_metadata(path)
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
    assert os.listdir(path.parent) == ["a.safetensors"]


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    tensors = {"b": torch.rand(3), "a": torch.rand(2, 2)}
    metadata = {
        "format": "ours/1",
        "config": '{"width": 3, "name": "größer"}',
        "note": "a\nb",
        "x": "\x01\u2028",
    }
    for i in range(8):
        save_tensors(tmp_path / f"{i}.safetensors", tensors, metadata)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert load_tensors(tmp_path / "0.safetensors")[1] == metadata


def test_no_tensors_and_no_metadata_make_a_sound_file(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", {})
    assert load_tensors(tmp_path / "a.safetensors") == ({}, {})


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"a": torch.zeros(1)})
    with pytest.raises(UserError, match="exists already"):
        save_tensors(path, {"a": torch.ones(1)})
    assert load_tensors(path)[0]["a"].item() == 0
    save_tensors(path, {"a": torch.ones(1)}, force=True)
    assert load_tensors(path)[0]["a"].item() == 1


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"a": torch.zeros(1)})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="No space left"):
        save_tensors(path, {"a": torch.ones(1)}, force=True)
    assert os.listdir(tmp_path) == ["a.safetensors"]
    assert load_tensors(path)[0]["a"].item() == 0


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.safetensors does not exist"):
        load_tensors(tmp_path / "none.safetensors")
    with pytest.raises(UserError, match="is a folder"):
        read_metadata(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 100, b"not a model at all, just words"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.safetensors is damaged or not a safetensors file"):
        load_tensors(path)


def test_a_cut_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    for read in (load_tensors, read_metadata):
        with pytest.raises(UserError, match="damaged"):
            read(path)


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_pytorch_checkpoint_is_recognised(tmp_path: Path, is_zip: bool) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(1)}, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(UserError, match="swapae convert"):
        load_tensors(path)


def test_a_strict_load_takes_all(linear: nn.Linear) -> None:
    tensors = {"weight": torch.rand(2, 3), "bias": torch.rand(2)}
    assert load_strict(linear, tensors, "it") == []
    assert torch.equal(linear.weight, tensors["weight"])
    assert torch.equal(linear.bias, tensors["bias"])


def test_a_strict_load_reports_all_that_does_not_fit_and_loads_nothing(linear: nn.Linear) -> None:
    before = {name: tensor.clone() for name, tensor in linear.state_dict().items()}
    with pytest.raises(UserError) as caught:
        load_strict(linear, {"weight": torch.zeros(3, 3), "biass": torch.zeros(2)}, "here/model.safetensors")
    message = str(caught.value)
    assert message.startswith("here/model.safetensors does not fit the Linear:")
    assert "missing, 1 of 2: bias\n" in message
    assert "unknown, 1 of 2: biass\n" in message
    assert "weight is [3, 3], must be [2, 3]" in message
    with pytest.raises(UserError, match="weight is int64, must be float32"):
        load_strict(linear, {"weight": torch.zeros(2, 3, dtype=torch.int64), "bias": torch.ones(2)}, "it")
    assert all(torch.equal(tensor, before[name]) for name, tensor in linear.state_dict().items())


def test_a_long_report_is_cut(linear: nn.Linear) -> None:
    extra = {f"extra{i:02}": torch.zeros(1) for i in range(20)}
    with pytest.raises(UserError, match=r"unknown, 20 of 2: extra00, .* extra07 and 12 more$"):
        load_strict(linear, {**linear.state_dict(), **extra}, "it")


def test_half_precision_is_converted_and_said(linear: nn.Linear) -> None:
    tensors = {name: tensor.half() for name, tensor in linear.state_dict().items()}
    notes = load_strict(linear, tensors, "it")
    assert notes == ["2 of 2 tensors converted from float16 to float32"]
    assert linear.weight.dtype == torch.float32
    assert torch.equal(linear.weight, tensors["weight"].float())


def test_the_digest_tells_names_types_shapes_and_values_apart_but_not_order() -> None:
    tensors = {"a": torch.zeros(2, 3), "b": torch.ones(2, dtype=torch.bfloat16), "c": torch.tensor(1)}
    same = digest(tensors)
    assert len(same) == 64
    assert digest(dict(reversed(tensors.items()))) == same
    assert digest({**tensors, "a": torch.zeros(3, 2).T}) == same
    others = [
        {**tensors, "a": torch.zeros(3, 2)},
        {**tensors, "a": torch.zeros(2, 3, dtype=torch.int32)},
        {**tensors, "a": torch.full((2, 3), -0.0)},
        {"A": tensors["a"], "b": tensors["b"], "c": tensors["c"]},
        {"a": tensors["a"], "b": tensors["b"]},
    ]
    assert len({same, *map(digest, others)}) == 6
