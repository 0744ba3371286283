"""The networks have as many parameters as the published ones (model-spec §7)."""

import pytest
import torch
from torch import nn

from swapae.networks import (
    Discriminator,
    DiscriminatorConfig,
    Encoder,
    Generator,
    ModelConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    encoder_widths,
    generator_widths,
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def counts(model: ModelConfig, image_size: int, patch_size: int) -> tuple[int, int, int, int]:
    with torch.device("meta"):
        return (
            count(Encoder(model.encoder())),
            count(Generator(model.generator())),
            count(Discriminator(DiscriminatorConfig(image_size))),
            count(PatchDiscriminator(PatchDiscriminatorConfig(patch_size))),
        )


FFHQ1024 = ModelConfig(
    texture_channels=1536, structure_downsamplings=5, encoder_capacity=0.4, generator_capacity=0.8
)
SMALL_STRUCTURE = ModelConfig(
    structure_channels=64,
    texture_channels=1024,
    structure_downsamplings=6,
    encoder_steepness=1.8,
    generator_capacity=0.8,
)


@pytest.mark.parametrize(
    ("model", "image_size", "patch_size", "expected"),
    [
        (ModelConfig(), 256, 128, (30_584_872, 25_064_743, 28_859_521, 24_522_145)),
        (ModelConfig(), 512, 128, (30_584_872, 25_064_743, 28_978_241, 24_522_145)),
        (ModelConfig(), 1024, 128, (30_584_872, 25_064_743, 29_007_905, 24_522_145)),
        (FFHQ1024, 768, 256, (18_501_329, 19_913_160, 27_172_897, 24_529_169)),
        (SMALL_STRUCTURE, 768, 256, (21_842_675, 21_840_136, 27_172_897, 24_529_169)),
    ],
    ids=["256", "512", "1024", "ffhq1024", "ffhq1024_small_structure"],
)
def test_parameters_are_as_many_as_published(
    model: ModelConfig, image_size: int, patch_size: int, expected: tuple[int, ...]
) -> None:
    assert counts(model, image_size, patch_size) == expected


def test_each_part_of_the_default_networks_has_its_published_size() -> None:
    with torch.device("meta"):
        encoder, generator, patch = Encoder(), Generator(), PatchDiscriminator()
    assert {name: count(part) for name, part in encoder.named_children()} == {
        "from_rgb": 128,
        "down_to_structure": 2_525_600,
        "at_structure": 0,
        "to_structure": 266_760,
        "down_to_texture": 23_596_032,
        "to_texture": 4_196_352,
    }
    assert count(generator.modulation) == 32_784
    assert [count(block) for block in generator.head] == [1_151_754, 5_244_674]
    assert [count(block) for block in generator.up] == [6_817_794, 6_817_794, 3_474_946, 1_262_338]
    assert count(generator.to_rgb) == 262_659
    assert count(patch.head) == 12_589_057
    assert count(patch) - count(patch.head) == 11_933_088


def test_width_schedules_are_the_published_ones() -> None:
    assert encoder_widths(1.0, 2.0, 6, 2048) == (32, 64, 128, 256, 512, 1024, 2048)
    assert encoder_widths(0.4, 2.0, 7, 1536) == (13, 26, 51, 102, 205, 410, 819, 1536)
    assert encoder_widths(1.0, 1.8, 8, 1024) == (19, 34, 61, 110, 198, 357, 643, 1024, 1024)
    assert generator_widths(1.0, 4) == (512, 512, 512, 256, 128)
    assert generator_widths(0.8, 5) == (409, 409, 409, 409, 204, 102)


def test_widths_never_fall_to_nothing() -> None:
    assert min(encoder_widths(0.001, 2.0, 4, 64)) == 1
    assert min(generator_widths(0.001, 4)) == 1
    assert DiscriminatorConfig(1024, capacity=0.001).channels_at(1024) == 1
    assert PatchDiscriminatorConfig(capacity=0.001).channels_at(128) == 1


def test_no_network_saves_anything_but_parameters() -> None:
    for network in (Encoder, Generator, Discriminator, PatchDiscriminator):
        with torch.device("meta"):
            built = network()
        assert set(built.state_dict()) == {name for name, _ in built.named_parameters()}
