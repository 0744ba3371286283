import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.networks import Encoder, EncoderConfig, Generator, GeneratorConfig, random_noise
from swapae.runtime.onnx_backend import OnnxBackend

pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")

ENCODER = EncoderConfig(3, 10, 2, 2, widths=(4, 5, 6, 7, 8))
GENERATOR = GeneratorConfig(3, 10, head_widths=(6, 8), widths=(8, 5))


def perturbed(module: nn.Module) -> Any:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module


@pytest.fixture
def backend() -> OnnxBackend:
    return OnnxBackend(perturbed(Encoder(ENCODER)), perturbed(Generator(GENERATOR)))


def assert_same(ours: Tensor | None, expected: Tensor) -> None:
    assert ours is not None
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_codes_are_those_of_the_encoder(backend: OnnxBackend) -> None:
    for shape in [(1, 3, 28, 28), (2, 3, 33, 41)]:
        images = torch.randn(shape)
        for ours, expected in zip(backend.encode(images), backend.encoder(images), strict=True):
            assert_same(ours, expected)


def test_only_the_codes_wanted_are_computed(backend: OnnxBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    import swapae.runtime.onnx_backend as module

    built = []
    build = module.encoder_graph
    monkeypatch.setattr(
        module, "encoder_graph", lambda e, wanted: built.append(list(wanted)) or build(e, wanted)
    )
    images = torch.randn(1, 3, 28, 28)
    structure, texture = backend.encoder(images)
    only = backend.encode(images, texture=False)
    assert_same(only[0], structure)
    assert only[1] is None
    only = backend.encode(images, structure=False)
    assert only[0] is None
    assert_same(only[1], texture)
    backend.encode(images, structure=False)
    assert backend.encode(images, structure=False, texture=False) == (None, None)
    assert built == [["structure"], ["texture"]]


def test_images_are_those_of_the_generator(backend: OnnxBackend) -> None:
    structure = torch.randn(2, 3, 3, 5)
    for texture in (torch.randn(2, 10), torch.randn(2, 10, 4, 4)):
        assert_same(backend.decode(structure, texture), backend.generator(structure, texture))


@pytest.mark.parametrize("kind", ["vector", "map"])
@pytest.mark.parametrize(("structures", "textures"), [(1, 3), (3, 1)])
def test_one_code_serves_a_batch_of_the_other(
    backend: OnnxBackend, structures: int, textures: int, kind: str
) -> None:
    structure = torch.randn(structures, 3, 4, 5)
    texture = torch.randn(textures, 10) if kind == "vector" else torch.randn(textures, 10, 3, 2)
    expected = backend.generator(structure.expand(3, -1, -1, -1), texture)
    assert_same(backend.decode(structure, texture), expected)


def test_noise_is_that_of_the_generator_at_any_size_and_where_it_is_given(backend: OnnxBackend) -> None:
    structure, texture = torch.randn(2, 3, 3, 5), torch.randn(2, 10)
    maps: list[Any] = random_noise(backend.generator.noise_shapes(3, 5), torch.Generator().manual_seed(1))
    maps[0] = None
    maps[3] = torch.randn(2, 1, 3, 5)
    maps[5] = torch.randn(1, 1, 2, 3)  # stored at another size: nearest neighbour
    assert_same(backend.decode(structure, texture, maps), backend.generator(structure, texture, maps))
    with pytest.raises(ValueError, match="3 noise maps were given; this generator takes 8"):
        backend.decode(structure, texture, maps[:3])


def test_an_image_too_small_is_refused_as_the_encoder_does(backend: OnnxBackend) -> None:
    with pytest.raises(ValueError, match="at least 28 px, not 28×27"):
        backend.encode(torch.zeros(1, 3, 28, 27))


def test_any_layout_and_precision_of_tensor_is_taken(backend: OnnxBackend) -> None:
    images = torch.randn(2, 3, 28, 32)
    expected = backend.encoder(images)[0]
    strided = images.to(memory_format=torch.channels_last).double().requires_grad_()
    ours = backend.encode(strided, texture=False)[0]
    assert_same(ours, expected)
    assert ours is not None
    assert (ours.dtype, ours.requires_grad) == (torch.float32, False)
    ours += 1  # the memory is the caller's: nothing later may show it
    assert_same(backend.encode(images, texture=False)[0], expected)


def test_sessions_follow_the_number_of_threads_of_torch(backend: OnnxBackend) -> None:
    images, before = torch.randn(1, 3, 28, 28), torch.get_num_threads()
    try:
        seen = []
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            assert_same(backend.encode(images, texture=False)[0], backend.encoder(images)[0])
            [session] = backend._sessions.values()
            seen.append((session.get_session_options().intra_op_num_threads, session))
    finally:
        torch.set_num_threads(before)
    assert [threads for threads, _ in seen] == [1, 2, 2]
    assert seen[1][1] is seen[2][1]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_packages_the_extra_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=r"pip install 'swapae\[onnx\]'"):
        OnnxBackend(Encoder(ENCODER), Generator(GENERATOR))
