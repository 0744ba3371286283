"""What does not fit the published layout, or is no checkpoint at all, is refused in words one can act on."""

import argparse
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.convert.checkpoints import Checkpoint, random_checkpoint, small_model

from swapae.convert import convert_official
from swapae.convert.official_file import read_official
from swapae.convert.official_names import STEPS, Architecture
from swapae.errors import UserError


def without(checkpoint: Checkpoint, key: str) -> None:
    del checkpoint[key]


def with_nan(checkpoint: Checkpoint, key: str) -> None:
    checkpoint[key][..., 0] = float("nan")


def with_one_more(checkpoint: Checkpoint, key: str) -> None:
    checkpoint[key] = torch.zeros(checkpoint[key].shape[0] + 1, *checkpoint[key].shape[1:])


def with_another_scale(checkpoint: Checkpoint, key: str) -> None:
    checkpoint[key] = checkpoint[key] * 2


def with_integers(checkpoint: Checkpoint, key: str) -> None:
    checkpoint[key] = checkpoint[key].long()


def with_a_new(checkpoint: Checkpoint, key: str) -> None:
    checkpoint[key] = torch.zeros(1)


@pytest.mark.parametrize(
    ("change", "key", "sentence"),
    [
        (without, "E.ToSpatialCode.0.Act.bias", "missing, 1 of {}: {}$"),
        (without, "E.FromRGB.Conv.weight", "lacks {}"),
        (without, "D.stylegan2_D.final_conv.Act.bias", "missing, 1 of {}: {}$"),
        (without, "Dpatch.pairlinear.1.bias", "missing, 1 of {}: {}$"),
        (without, "G.ToRGB.upsample.kernel", "missing, 1 of {}: {}$"),
        (with_a_new, "E.Extra.weight", "unknown, 1 of {}: {}$"),
        (with_a_new, "classifier.weight", "unknown, 1 of {}: {}$"),
        (
            with_one_more,
            "G.HeadResnetBlock0.conv1.activate.bias",
            r"wrong shape, 1 of {}: {} is \[\d+\], must",
        ),
        (with_one_more, "Dpatch.convs.6.Act.bias", r"wrong shape, 1 of {}: {} is \[7\], must be \[6\]"),
        (
            with_another_scale,
            "E.DownToSpatialCode.ResBlockDownBy2.skip.Blur.kernel",
            r"wrong filter, 1 of \d+: {}",
        ),
        (with_another_scale, "G.UpsamplingResBlock16.conv1.conv.blur.kernel", r"wrong filter, 1 of \d+: {}"),
        (with_another_scale, "D.stylegan2_D.convs.4.skip.Blur.kernel", r"wrong filter, 1 of \d+: {}"),
        (
            with_another_scale,
            "E.DownToGlobalCode.ConvLayerDownBy4.Blur.kernel",
            r"wrong filter, 1 of \d+: {}",
        ),
        (with_integers, "G.ToRGB.bias", "wrong type, 1 of {}: {} is int64, must be float32"),
        (with_nan, "G.ToRGB.conv.weight", "infinite or no number, 1 of {}: {}"),
    ],
)
def test_a_misfit_is_named(
    change: Callable[[Checkpoint, str], None],
    key: str,
    sentence: str,
    checkpoint: Checkpoint,
    saved: Callable[[object], Path],
    tmp_path: Path,
) -> None:
    num_keys = len(checkpoint) - 1
    change(checkpoint, key)
    numbered = sentence.replace("{}", str(num_keys), 1) if sentence.count("{}") == 2 else sentence
    with pytest.raises(UserError, match=numbered.replace("{}", key.replace(".", r"\."))) as caught:
        convert_official(saved(checkpoint), tmp_path / "ours")
    assert str(tmp_path / "model.pth") in str(caught.value)
    assert os.listdir(tmp_path) == ["model.pth"]


def test_filters_of_another_antialiasing_are_named(saved: Callable[[object], Path], tmp_path: Path) -> None:
    blurred = random_checkpoint(Architecture(small_model()))
    sharp = random_checkpoint(Architecture(small_model(use_antialias=False)))
    mixed = OrderedDict((key, (blurred if key.startswith("E") else sharp)[key]) for key in blurred)
    with pytest.raises(UserError, match=r"blur\.kernel is \[1, 1\], must be \[4, 4\]"):
        convert_official(saved(mixed), tmp_path / "ours")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([torch.zeros(1)], "no dictionary of tensors .list."),
        ({}, "no dictionary of tensors"),
        (torch.zeros(3), "no dictionary of tensors .Tensor."),
        ({"e": {"w": torch.zeros(1)}, "w": torch.zeros(1)}, r"more than plain tensors: e \(dict\)\."),
        ({1: torch.zeros(1)}, r"more than plain tensors: 1 \(Tensor\)"),
        ({"E.x": torch.zeros(2).to_sparse()}, r"more than plain tensors: E\.x"),
        ({"module.E.x": torch.zeros(1)}, r"begin with 'module\.'"),
        ({"weight": torch.zeros(1)}, "does not fit the published layout: it has 0 downsampling blocks"),
        ({STEPS: torch.zeros(2)}, "must be one whole number"),
        ({STEPS: torch.zeros(1, dtype=torch.complex64)}, "must be one whole number"),
        ({"E.x": torch.zeros(2, device="meta")}, r"more than plain tensors: E\.x"),
    ],
)
def test_other_contents_are_refused(
    content: object, sentence: str, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        convert_official(saved(content), tmp_path / "ours")


@pytest.mark.parametrize("channels", [2**31, 2**59])
def test_shapes_that_nothing_can_hold_make_no_network(
    channels: int, checkpoint: Checkpoint, saved: Callable[[object], Path], tmp_path: Path
) -> None:
    """A file of some kilobytes may say it holds a billion channels: an expanded tensor has one number."""
    for key in ("E.ToSpatialCode.1.Conv.weight", "E.ToGlobalCode.0.weight"):
        checkpoint[key] = torch.zeros(1).expand(channels, *[1] * (checkpoint[key].ndim - 1))
    with pytest.raises(UserError, match="does not fit the published layout"):
        convert_official(saved(checkpoint), tmp_path / "ours")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 cut", b"just words, no checkpoint", b"\x80\x02}q\x00."]
)
def test_a_damaged_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.pth is damaged or no PyTorch checkpoint"):
        read_official(tmp_path / "model.pth")


def test_a_cut_file_is_one_sentence(checkpoint: Checkpoint, saved: Callable[[object], Path]) -> None:
    path = saved(checkpoint)
    content = path.read_bytes()
    for length in (len(content) // 2, len(content) - 10):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match="damaged"):
            read_official(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        convert_official(tmp_path / "none.pth", tmp_path / "ours")
    with pytest.raises(UserError, match="is a folder"):
        convert_official(tmp_path, tmp_path / "ours")


def test_a_checkpoint_of_another_implementation_is_told_so(saved: Callable[[object], Path]) -> None:
    networks = {name: {"weight": torch.zeros(1)} for name in ("e", "g", "d", "cooccur", "e_ema", "g_ema")}
    for content in (networks, networks | {"args": argparse.Namespace(size=256)}):
        with pytest.raises(UserError, match=r"rosinality's implementation cannot be converted: its networks"):
            read_official(saved(content))
