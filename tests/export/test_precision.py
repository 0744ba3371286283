"""Fewer bits in graphs: float16 weights, int8 convolutions."""

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from tests.cli.tools import Photo, Streams, run
from torch import Tensor

from swapae import SwappingAutoencoder
from swapae.cli import export as command
from swapae.export import check, precision
from swapae.export.onnx_graphs import encoder_graph, generator_graph
from swapae.export.precision import int8, sensitive, with_half_weights
from swapae.export.reduced import feeds_of, in_words, measured

onnx = pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")


@pytest.fixture(scope="module")
def model() -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained("synthetic64", device="cpu")


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    coarse = torch.rand(6, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 - 1
    smooth = torch.nn.functional.interpolate(coarse, (64, 64), mode="bicubic").clamp(-1, 1)
    return [smooth[i : i + 1] for i in range(6)]


@pytest.fixture(scope="module")
def reduced_graphs(model: SwappingAutoencoder, pictures: list[Tensor]) -> dict[str, tuple[Any, Any]]:
    """Each graph before, and in int8."""
    feeds = feeds_of(pictures, model, model.generator)
    whole = {"encoder": encoder_graph(model.encoder), "generator": generator_graph(model.generator)}
    before = {name: graph.SerializeToString() for name, graph in whole.items()}
    made = {name: (graph, int8(graph, feeds[name])) for name, graph in whole.items()}
    assert {name: graph.SerializeToString() for name, graph in whole.items()} == before  # it is not changed
    return made


def run_graph(graph: Any, options: Any = None, **inputs: np.ndarray) -> list[np.ndarray]:
    onnx.checker.check_model(graph)
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=providers)
    found: list[np.ndarray] = session.run(None, inputs)
    return found


# ---- float16 weights


def test_float16_weights_take_half_the_size_and_are_rounded_only(
    model: SwappingAutoencoder, pictures: list[Tensor]
) -> None:
    whole = encoder_graph(model.encoder)
    half = with_half_weights(whole)
    assert half.ByteSize() < 0.51 * whole.ByteSize()
    images = pictures[0].numpy()
    for found, expected in zip(run_graph(half, images=images), run_graph(whole, images=images), strict=True):
        assert 0 < np.abs(found - expected).max() < 1e-3


def test_what_runs_is_float32_from_the_start_of_a_session(
    model: SwappingAutoencoder, pictures: list[Tensor], tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    options.log_severity_level = 4  # it warns that the file suits this machine alone
    run_graph(with_half_weights(encoder_graph(model.encoder)), options, images=pictures[0].numpy())
    kinds = [node.op_type for node in onnx.load(tmp_path / "run.onnx").graph.node]
    assert "Conv" in kinds
    assert "Cast" not in kinds


def test_a_weight_too_large_for_float16_stays_as_it_is(model: SwappingAutoencoder) -> None:
    whole = encoder_graph(model.encoder)
    first = next(one for one in whole.graph.initializer if len(one.dims) == 4 and np.prod(one.dims) >= 256)
    values = onnx.numpy_helper.to_array(first).copy()
    values.flat[0] = 7e4
    first.CopyFrom(onnx.numpy_helper.from_array(values, first.name))
    kept = {one.name: one for one in with_half_weights(whole).graph.initializer}
    assert kept[first.name].data_type == onnx.TensorProto.FLOAT
    assert onnx.TensorProto.FLOAT16 in {one.data_type for one in kept.values()}


# ---- int8


def test_convolutions_are_int8_but_for_those_that_would_lose_most(
    reduced_graphs: dict[str, tuple[Any, Any]],
) -> None:
    for name, (whole, reduced) in reduced_graphs.items():
        maker = {output: node.op_type for node in reduced.graph.node for output in node.output}
        shape = {one.name: tuple(one.dims) for one in whole.graph.initializer}
        weights = {node.name: shape[node.input[1]] for node in whole.graph.node if node.op_type == "Conv"}
        eight = {
            node.name.removesuffix("_quant")
            for node in reduced.graph.node
            if node.op_type == "Conv" and maker.get(node.input[1]) == "DequantizeLinear"
        }
        assert eight == weights.keys() - set(sensitive(whole)), name
        assert len(eight) > 8, name
        assert all(3 not in weights[one][:2] and weights[one][1] > 1 for one in eight), name
        order = list(weights)
        if name == "generator":  # not to RGB, nor the last before, nor a texture's gains
            assert order[-1] not in eight
            heavy = [one for one in order if weights[one][1] > 3 and weights[one][2] == 3]
            assert heavy[-1] not in eight
            assert heavy[-2] in eight
            assert not [one for one in eight if weights[one][1] == 256]


def test_int8_gives_nearly_the_same_codes_and_pictures(
    reduced_graphs: dict[str, tuple[Any, Any]], pictures: list[Tensor], model: SwappingAutoencoder
) -> None:
    images = pictures[1].numpy()
    codes = [run_graph(graph, images=images) for graph in reduced_graphs["encoder"]]
    for expected, found in zip(*codes, strict=True):
        assert (expected * found).sum(1).min() > 0.98  # cosines: both have unit length
    inputs = {"structure": codes[0][0], "texture": codes[0][1][:, :, None, None]}
    [expected], [found] = (run_graph(graph, **inputs) for graph in reduced_graphs["generator"])
    assert 0 < np.abs(found - expected).mean() < 0.03


# ---- the command


@pytest.fixture
def photos(photo: Photo) -> Path:
    for number in range(6):
        file = photo(f"photos/{number}.png", (40, 32), number)
    return file.parent


def export(*words: object) -> int:
    return run("export", *words)


def test_the_error_of_a_shipped_model_is_small_told_and_written_down(
    tmp_path: Path, capsys: Streams, lpips_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(lpips_folder))
    monkeypatch.setattr(check, "SHAPES", check.SHAPES[:4])
    assert export("synthetic64", "--onnx", tmp_path / "whole", "--quiet") == 0
    out = tmp_path / "int8"
    assert export("synthetic64", "--onnx", out, "--precision", "int8", "--check") == 0
    said = capsys.readouterr().out
    config = json.loads((out / "config.json").read_text("utf-8"))
    error = config["error"]
    assert (config["precision"], error["of"], error["hybrids"]) == ("int8", "the model's gallery", 12)
    assert error["psnr"] > 36
    assert 0 < error["mean"] < 0.02 < error["max"] < 0.6
    assert error["lpips"] > 0
    assert f"12 hybrids of the model's gallery: max {error['max']:.3f}, mean {error['mean']:.4f}" in said
    assert "(5e-01 is allowed)" in said
    card = (out / "README.md").read_text("utf-8")
    assert card.endswith(in_words("int8", error))
    assert f"| psnr | {error['psnr']:.1f} dB |" in card
    sizes = [sum(f.stat().st_size for f in folder.glob("*.onnx")) for folder in (out, tmp_path / "whole")]
    assert sizes[0] < 0.35 * sizes[1]


def test_float16_weights_need_no_pictures(tiny_model: Path, tmp_path: Path, capsys: Streams) -> None:
    assert export(tiny_model, "--onnx", tmp_path / "o", "--precision", "float16-weights", "--json") == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert config == json.loads((tmp_path / "o" / "config.json").read_text("utf-8"))
    assert config["error"]["of"] == "made-up pictures"
    assert 0 < config["error"]["max"] < 0.01


def test_int8_finds_its_ranges_by_photos_that_are_named(
    tiny_model: Path, photos: Path, tmp_path: Path, capsys: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWAPAE_WEIGHTS", str(tmp_path))
    words = (tiny_model, "--onnx", tmp_path / "o", "--precision", "int8")
    assert export(*words) == 1
    assert "has no gallery: name a folder of photos like those" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    assert export(*words, "--calibrate", photos) == 0
    said = capsys.readouterr().out
    assert "6 hybrids of photos of photos: max " in said
    assert "lpips not measured" in said
    assert json.loads((tmp_path / "o" / "config.json").read_text("utf-8"))["error"]["lpips"] is None


def test_photos_that_do_not_serve_are_one_sentence(
    tiny_model: Path, photos: Path, tmp_path: Path, capsys: Streams
) -> None:
    for number in range(3, 6):
        (photos / f"{number}.png").unlink()
    words = (tiny_model, "--onnx", tmp_path / "o", "--precision", "int8", "--calibrate")
    assert export(*words, photos) == 1
    assert "has 3 readable photos; --calibrate takes 4 or more" in capsys.readouterr().err
    assert export(*words, tmp_path / "nowhere") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert export(tiny_model, "--onnx", tmp_path / "o", "--calibrate", photos) == 2
    assert "--calibrate goes with --precision" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_measured_error_is_that_of_the_folder(
    tiny_model: Path, tmp_path: Path, pictures: list[Tensor]
) -> None:
    net = SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")
    assert export(tiny_model, "--onnx", tmp_path / "o", "--quiet") == 0
    right = measured(tmp_path / "o", net, pictures[:4], None)
    assert right["hybrids"] == 8
    assert right["max"] < 1e-4
    assert right["psnr"] > 90
    with torch.no_grad():
        net.generator.to_rgb.bias.add_(0.25)
    apart = measured(tmp_path / "o", net, pictures[:4], lambda a, b: (a - b).abs().mean()[None])
    assert 0 < apart["mean"] <= 0.2501
    assert apart["lpips"] == pytest.approx(apart["mean"], rel=1e-3)
    shutil.rmtree(tmp_path / "o")


def test_the_command_line_knows_every_precision() -> None:
    assert get_args(command.PrecisionName) == get_args(precision.PrecisionName)
    assert set(check.LIMITS) == set(get_args(precision.PrecisionName))
