"""The folded networks give what the networks give."""

import pytest
import torch
from torch import Tensor, nn

from swapae import native
from swapae.networks import Encoder, Generator, ModelConfig
from swapae.runtime.networks import FoldedEncoder, FoldedGenerator
from swapae.runtime.tiling import decode_tiled, encode_tiled

SMALL = ModelConfig(
    structure_channels=4,
    texture_channels=24,
    structure_downsamplings=3,
    texture_downsamplings=1,
    encoder_widths=(8, 33, 48, 64, 40),
    generator_widths=(64, 40, 40),
    head_widths=(32, 64),
)
CONFIGS = {
    "small": SMALL,
    "no antialias": ModelConfig(**{**vars(SMALL), "use_antialias": False}),
    "no noise": ModelConfig(**{**vars(SMALL), "use_noise": False}),
    "two texture halvings": ModelConfig(
        texture_channels=40, texture_downsamplings=2, encoder_capacity=0.3, generator_capacity=0.1
    ),
    "structure blocks": ModelConfig(**{**vars(SMALL), "structure_blocks": 2}),
    "one wide head": ModelConfig(**{**vars(SMALL), "head_blocks": 1, "head_widths": (64,)}),
}


@torch.no_grad()
def networks(config: ModelConfig, dtype: torch.dtype = torch.float32) -> tuple[Encoder, Generator]:
    """Networks none of whose weights is 0, as noise strengths and biases are at first."""
    torch.manual_seed(0)
    encoder, generator = Encoder(config.encoder()), Generator(config.generator())
    for parameter in (*encoder.parameters(), *generator.parameters()):
        if parameter.ndim == 1:
            parameter.add_(0.2 * torch.randn_like(parameter))
    return encoder.to(dtype), generator.to(dtype)


def noise_maps(generator: Generator, height: int, width: int, like: Tensor) -> list[Tensor]:
    return [torch.randn(shape).to(like) for shape in generator.noise_shapes(height, width)]


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("texture_size", [(), (2, 3)])
@torch.no_grad()
def test_folded_networks_give_the_same_codes_and_images(
    name: str, dtype: torch.dtype, limit: float, texture_size: tuple[int, ...]
) -> None:
    encoder, generator = networks(CONFIGS[name], dtype)
    side = CONFIGS[name].min_side // CONFIGS[name].stride
    height, width = (side + 3) * CONFIGS[name].stride, (side + 1) * CONFIGS[name].stride
    images = torch.rand(2, 3, height, width, dtype=dtype) * 2 - 1
    structure, texture = encoder(images)
    for found, expected in zip(
        encode_tiled(FoldedEncoder(encoder), images), (structure, texture), strict=True
    ):
        assert error(found, expected) <= limit
    texture = texture if not texture_size else torch.randn(2, texture.shape[1], *texture_size, dtype=dtype)
    noise = noise_maps(generator, structure.shape[2], structure.shape[3], structure)
    folded = FoldedGenerator(generator)
    for maps in (None, noise, [None, *noise[1:]]):
        assert (
            error(decode_tiled(folded, structure, texture, maps), generator(structure, texture, maps))
            <= limit
        )
    small = [one[:, :, ::2, ::2] for one in noise]  # noise of another size is brought to its layer's
    assert (
        error(decode_tiled(folded, structure, texture, small), generator(structure, texture, small)) <= limit
    )


@torch.no_grad()
def test_folded_networks_need_no_compiled_kernels() -> None:
    encoder, generator = networks(SMALL)
    images = torch.rand(1, 3, 48, 56) * 2 - 1
    structure, texture = encoder(images)
    with native.using(None):
        assert error(encode_tiled(FoldedEncoder(encoder), images)[0], structure) <= 1e-5
        found = decode_tiled(FoldedGenerator(generator), structure, texture)
    assert error(found, generator(structure, texture)) <= 1e-5


@torch.no_grad()
def test_a_call_leaves_its_inputs_and_the_weights_as_they_are() -> None:
    encoder, generator = networks(SMALL)
    before = [parameter.clone() for net in (encoder, generator) for parameter in net.parameters()]
    images = torch.rand(1, 3, 48, 56) * 2 - 1
    structure, texture = encoder(images)
    noise = noise_maps(generator, structure.shape[2], structure.shape[3], structure)
    kept = [tensor.clone() for tensor in (images, structure, texture, *noise)]
    encode_tiled(FoldedEncoder(encoder), images)
    decode_tiled(FoldedGenerator(generator), structure, texture, noise)
    assert all(torch.equal(a, b) for a, b in zip(kept, (images, structure, texture, *noise), strict=True))
    after = [parameter for net in (encoder, generator) for parameter in net.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@torch.no_grad()
def test_every_convolution_of_a_folded_network_has_its_own_weights() -> None:
    _, generator = networks(SMALL)
    folded = FoldedGenerator(generator)
    structure, texture = torch.randn(1, 4, 6, 6), torch.randn(1, 24)
    expected = decode_tiled(folded, structure, texture)
    convolutions = [
        layer for layer in generator.modules() if isinstance(layer, nn.Module) and hasattr(layer, "noise")
    ]
    assert len(convolutions) == 10
    for layer in convolutions:
        layer.conv.weight.mul_(torch.randn_like(layer.conv.weight))  # type: ignore[union-attr, operator]
    assert torch.equal(decode_tiled(folded, structure, texture), expected)  # as they were when folded
    assert error(decode_tiled(FoldedGenerator(generator), structure, texture), expected) > 1e-2
