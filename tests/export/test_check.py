"""`--check` finds what differs, and says where."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

from swapae import SwappingAutoencoder
from swapae.export.check import LIMIT, SHAPES, check_folder, shapes_for


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def folder(model: SwappingAutoencoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from swapae.export.folder import write_folder
    from swapae.export.onnx_card import Source

    folder = tmp_path_factory.mktemp("exported")
    write_folder(folder, model.encoder, model.generator, model.config, Source("tiny", "0"))
    return folder


def test_the_twenty_shapes_are_of_every_kind() -> None:
    assert len(set(SHAPES)) == 20
    assert LIMIT == 1e-4
    assert {shape.batch for shape in SHAPES} == set(range(1, 9))
    assert {shape.texture is None for shape in SHAPES if shape.noise} == {True, False}
    assert any(shape.height == shape.width for shape in SHAPES)
    assert any(shape.height > shape.width for shape in SHAPES)
    assert any(shape.height < shape.width for shape in SHAPES)
    assert any(shape.height % 2 and shape.width % 2 for shape in SHAPES)
    sides = [side for shape in SHAPES for side in shape[1:3]]
    assert (min(sides), max(sides)) == (1, 256)


@pytest.mark.parametrize(("min_side", "stride"), [(12, 4), (60, 4), (112, 16), (480, 32)])
def test_a_model_is_asked_for_sizes_that_it_tells_apart(min_side: int, stride: int) -> None:
    shapes = shapes_for(min_side, stride)
    tiny, others = shapes[:2], shapes[2:]
    assert [shape[1:3] for shape in tiny] == [(1, 1), (5, 9)]
    assert min(min(shape[1:3]) for shape in others) >= min_side
    assert max(max(shape[1:3]) for shape in others) >= 256
    padded = {tuple(-(-side // stride) for side in shape[1:3]) for shape in others}
    assert len(padded) >= (12 if min_side <= 112 else 8)
    assert all(shape.batch * shape.height * shape.width <= 2**19 for shape in shapes)
    assert any(side % stride for shape in others for side in shape[1:3])
    if min_side <= 112:
        assert {shape.batch for shape in shapes} == set(range(1, 9))


def test_a_sound_folder_is_within_the_limit_at_every_shape(folder: Path, model: SwappingAutoencoder) -> None:
    rows = list(check_folder(folder, model))
    assert [row.shape for row in rows] == shapes_for(12, 4)
    assert all(row.is_within for row in rows)
    assert max(row.error for row in rows) > 0


@pytest.mark.parametrize(
    ("weight", "part"),
    [
        ("encoder.to_texture.weight", "texture"),
        ("encoder.from_rgb.conv.weight", "structure"),
        ("generator.to_rgb.bias", "images"),
        ("generator.up.0.conv1.noise.weight", "images"),
    ],
)
def test_a_weight_that_differs_is_found(
    folder: Path, tiny_model: Path, weight: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from swapae.export import check

    monkeypatch.setattr(check, "SHAPES", [shape for shape in SHAPES if shape.noise][:2])
    other = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    with torch.no_grad():
        other.get_parameter(weight).mul_(1.01).add_(0.01)
    rows = list(check_folder(folder, other))
    assert not any(row.is_within for row in rows)
    assert all(getattr(row, part) > LIMIT for row in rows)


def test_numbers_that_are_none_are_not_within(folder: Path, tiny_model: Path, monkeypatch: Any) -> None:
    import torch

    from swapae.export import check

    monkeypatch.setattr(check, "SHAPES", SHAPES[:1])
    other = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    with torch.no_grad():
        other.generator.to_rgb.bias.fill_(float("nan"))
    [row] = check_folder(folder, other)
    assert not row.is_within
