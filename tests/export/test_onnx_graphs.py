import sys
from typing import Any

import pytest
import torch
from tests.golden_tools import golden
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.export.onnx_graphs import encoder_graph, generator_graph, noise_names
from swapae.networks import Encoder, EncoderConfig, Generator, GeneratorConfig, random_noise

onnx = pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

ENCODERS = {
    "two and two": EncoderConfig(3, 10, 2, 2, widths=(4, 5, 6, 7, 8)),
    "no antialias": EncoderConfig(3, 10, 2, 2, use_antialias=False, widths=(4, 5, 6, 7, 8)),
    "structure blocks": EncoderConfig(3, 10, 2, 2, widths=(4, 5, 6, 7, 8), structure_blocks=2),
    "equal widths": EncoderConfig(8, 16, 1, 1, widths=(8, 8, 8)),
    "deep": EncoderConfig(2, 6, 3, 1, widths=(3, 4, 5, 16, 9)),
}
GENERATORS = {
    "two and two": GeneratorConfig(4, 10, head_widths=(6, 8), widths=(8, 5)),
    "no antialias": GeneratorConfig(4, 10, use_antialias=False, head_widths=(6, 8), widths=(8, 5)),
    "no noise above": GeneratorConfig(4, 10, use_noise=False, head_widths=(6, 8), widths=(8, 5)),
    "long head": GeneratorConfig(4, 10, head_widths=(4, 6, 6, 6, 8), widths=(8, 8, 5)),
    "never a skip": GeneratorConfig(8, 10, head_widths=(8, 8, 8), widths=(8, 8, 8)),
    "no doubling": GeneratorConfig(4, 10, head_widths=(6,), widths=()),
    "one tap skips": GeneratorConfig(4, 10, use_antialias=False, head_widths=(8, 8), widths=(8, 8)),
}
IMAGE_SHAPES = [(1, 28, 28), (2, 28, 61), (3, 35, 33), (1, 64, 40), (4, 29, 30)]
CODE_SHAPES = [(1, 4, 4), (2, 3, 5), (3, 1, 2), (1, 7, 1), (4, 6, 4)]
MAP_SIZES = [(1, 5), (3, 5), (4, 7), (9, 1)]


def perturbed(module: nn.Module) -> Any:
    """A network all of whose parameters weigh something: biases and noise strengths begin at 0."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module.requires_grad_(False)


def session(model: Any) -> Any:
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run(graph: Any, **inputs: Tensor) -> list[Tensor]:
    arrays = {name: tensor.contiguous().numpy() for name, tensor in inputs.items()}
    return [torch.from_numpy(array) for array in graph.run(None, arrays)]


def assert_same(ours: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() <= tolerance * expected.abs().max()


# ---- the encoder


@pytest.mark.parametrize("name", ENCODERS)
def test_the_encoder_gives_the_same_codes_at_any_batch_and_size(name: str) -> None:
    encoder = perturbed(Encoder(ENCODERS[name]))
    graph = session(encoder_graph(encoder))
    for batch, height, width in IMAGE_SHAPES:
        images = torch.randn(batch, 3, height, width)
        for ours, expected in zip(run(graph, images=images), encoder(images), strict=True):
            assert_same(ours, expected)


@pytest.mark.parametrize("output", ["structure", "texture"])
def test_one_code_alone_is_the_same_in_a_smaller_graph(output: Any) -> None:
    encoder = perturbed(Encoder(ENCODERS["two and two"]))
    both, one = encoder_graph(encoder), encoder_graph(encoder, [output])
    assert len(one.graph.node) < len(both.graph.node)
    assert one.ByteSize() < both.ByteSize()
    images = torch.randn(2, 3, 30, 34)
    [ours] = run(session(one), images=images)
    expected = dict(zip(("structure", "texture"), encoder(images), strict=True))[output]
    assert_same(ours, expected)


@pytest.mark.parametrize("outputs", [(), ("middle",), ("structure", "Texture")])
def test_an_unknown_output_is_refused(outputs: Any) -> None:
    with pytest.raises(ValueError, match="must be of 'structure' and 'texture', one at least"):
        encoder_graph(Encoder(ENCODERS["two and two"]), outputs)


# ---- the generator


@pytest.mark.parametrize("noise", [False, True], ids=["silent", "noisy"])
@pytest.mark.parametrize("name", GENERATORS)
def test_the_generator_gives_the_same_images_under_a_vector(name: str, noise: bool) -> None:
    generator = perturbed(Generator(GENERATORS[name]))
    graph = session(generator_graph(generator, noise=noise))
    for batch, height, width in CODE_SHAPES:
        structure, texture = torch.randn(batch, generator.config.structure_channels, height, width), None
        texture = torch.randn(batch, 10)
        maps = drawn(generator, structure) if noise else []
        inputs = {f"noise_{i}": one for i, one in enumerate(maps)}
        [ours] = run(graph, structure=structure, texture=texture[:, :, None, None], **inputs)
        assert_same(ours, generator(structure, texture, maps or None))


@pytest.mark.parametrize("noise", [False, True], ids=["silent", "noisy"])
@pytest.mark.parametrize("name", GENERATORS)
def test_the_generator_gives_the_same_images_under_a_map_of_any_size(name: str, noise: bool) -> None:
    generator = perturbed(Generator(GENERATORS[name]))
    graph = session(generator_graph(generator, noise=noise))
    for (batch, height, width), size in zip(CODE_SHAPES, [*MAP_SIZES, (6, 4)], strict=True):
        structure = torch.randn(batch, generator.config.structure_channels, height, width)
        texture = torch.randn(batch, 10, *size)
        maps = drawn(generator, structure) if noise else []
        inputs = {f"noise_{i}": one for i, one in enumerate(maps)}
        [ours] = run(graph, structure=structure, texture=texture, **inputs)
        assert_same(ours, generator(structure, texture, maps or None))


def drawn(generator: Generator, structure: Tensor) -> list[Tensor]:
    shapes = generator.noise_shapes(structure.shape[2], structure.shape[3])
    return random_noise(shapes, torch.Generator().manual_seed(1), batch=len(structure))


def test_noise_may_be_one_map_for_all_or_a_single_zero() -> None:
    generator = perturbed(Generator(GENERATORS["two and two"]))
    graph = session(generator_graph(generator, noise=True))
    structure, texture = torch.randn(3, 4, 3, 5), torch.randn(3, 10)
    maps: list[Any] = random_noise(generator.noise_shapes(3, 5), torch.Generator().manual_seed(2))
    maps[1], maps[6] = None, None
    inputs = {f"noise_{i}": torch.zeros(1, 1, 1, 1) if one is None else one for i, one in enumerate(maps)}
    [ours] = run(graph, structure=structure, texture=texture[:, :, None, None], **inputs)
    assert_same(ours, generator(structure, texture, maps))


# ---- what others rely on


def described(values: Any) -> list[str]:
    def side(dim: Any) -> str:
        return dim.dim_param or str(dim.dim_value)

    return [f"{v.name}: {' '.join(side(dim) for dim in v.type.tensor_type.shape.dim)}" for v in values]


def test_inputs_and_outputs_keep_their_names_and_order() -> None:
    encoder = encoder_graph(Encoder(ENCODERS["two and two"])).graph
    assert described(encoder.input) == ["images: batch 3 height width"]
    assert described(encoder.output) == [
        "structure: batch 3 structure_height structure_width",
        "texture: batch 10",
    ]
    generator = generator_graph(Generator(GENERATORS["no noise above"]), noise=True).graph
    assert described(generator.input) == [
        "structure: batch 4 structure_height structure_width",
        "texture: batch 10 texture_height texture_width",
        *(f"noise_{i}: noise_{i}_batch 1 noise_{i}_height noise_{i}_width" for i in range(4)),
    ]
    assert described(generator.output) == ["images: batch 3 height width"]


def test_there_is_a_noise_input_for_every_layer_that_takes_it() -> None:
    assert noise_names(Generator(GENERATORS["two and two"])) == [f"noise_{i}" for i in range(8)]
    assert noise_names(Generator(GENERATORS["no noise above"])) == [f"noise_{i}" for i in range(4)]


def test_form_and_operations_are_those_that_older_runtimes_know() -> None:
    model = generator_graph(Generator(GENERATORS["two and two"]))
    assert (model.ir_version, [(one.domain, one.version) for one in model.opset_import]) == (8, [("", 18)])


def test_what_does_not_depend_on_the_sample_is_folded() -> None:
    """Beside convolutions there are one sum a block, one product a modulation, and normalisation."""
    encoder = encoder_graph(Encoder(ENCODERS["two and two"]))
    kinds = [node.op_type for node in encoder.graph.node]
    assert "Mul" not in kinds
    assert kinds.count("Add") == 2 + 2  # blocks; the epsilons of two normalisations
    assert kinds.count("Conv") == 1 + 2 * 5 + 2 + 2 + 1
    generator = generator_graph(Generator(GENERATORS["two and two"]))
    kinds = [node.op_type for node in generator.graph.node]
    assert kinds.count("Mul") == 1 + 2 * 8 + 1  # first modulation; gain and its square; RGB
    assert kinds.count("Add") == 1 + 4 + (2 + 8)  # first modulation; blocks; epsilons


def test_a_graph_holds_weights_of_float32_and_little_else() -> None:
    encoder = Encoder(ENCODERS["two and two"])
    model = encoder_graph(encoder.double())
    kinds = {constant.data_type for constant in model.graph.initializer}
    assert kinds == {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}
    assert model.ByteSize() < 4 * sum(p.numel() for p in encoder.parameters()) + 20_000


@pytest.mark.parametrize("name", ["model_tiny128", "model_sp3_96x64", "model_tiny64_no_antialias"])
def test_the_golden_values_are_met(name: str) -> None:
    case = golden(name, torch.float32)
    tensors, generator = case.tensors, case.networks.generator
    codes = run(session(encoder_graph(case.networks.encoder)), images=tensors["x"])
    for key, ours in zip(("structure", "texture"), codes, strict=True):
        assert_same(ours, tensors[key])
    structure, texture = tensors["structure"], tensors["texture"]
    silent = session(generator_graph(generator))
    for size in ((1, 1), (3, 2)):
        places = texture[:, :, None, None].expand(-1, -1, *size)
        assert_same(run(silent, structure=structure, texture=places)[0], tensors["rec_no_noise"])
    noise = {f"noise_{i}": one for i, one in enumerate(case.noise)}
    noisy = session(generator_graph(generator, noise=True))
    vector = texture[:, :, None, None]
    assert_same(run(noisy, structure=structure, texture=vector, **noise)[0], tensors["rec"])


def test_without_onnx_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r"pip install 'swapae\[onnx\]'"):
        encoder_graph(Encoder(ENCODERS["two and two"]))
