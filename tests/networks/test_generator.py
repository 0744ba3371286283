import math

import pytest
import torch
import torch.nn.functional as F

from swapae.layers import NoiseInjection
from swapae.networks import Generator, GeneratorConfig, head_widths, random_noise

SMALL = GeneratorConfig(structure_channels=4, texture_channels=10, head_widths=(6, 8), widths=(8, 5))


def noisy(config: GeneratorConfig = SMALL) -> Generator:
    """A generator whose noise weighs something, as in a trained one."""
    generator = Generator(config)
    for module in generator.modules():
        if isinstance(module, NoiseInjection):
            module.weight.data.fill_(0.3)
    return generator


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (5, 7)])
def test_a_constant_texture_map_gives_what_the_vector_gives(batch: int, size: tuple[int, int]) -> None:
    generator = noisy()
    structure, texture = torch.randn(batch, 4, 4, 6), torch.randn(batch, 10)
    noise = random_noise(generator.noise_shapes(4, 6), torch.Generator().manual_seed(1))
    by_vector = generator(structure, texture, noise)
    by_map = generator(structure, texture[:, :, None, None].expand(-1, -1, *size), noise)
    assert (by_map - by_vector).abs().max() < 2e-6 * max(1, by_vector.abs().max())
    assert by_map.shape == (batch, 3, 16, 24)


def test_a_texture_map_acts_where_it_lies() -> None:
    generator = Generator(SMALL).double()
    structure = torch.randn(1, 4, 2, 32, dtype=torch.float64)
    left, right = torch.randn(2, 1, 10, 1, 1, dtype=torch.float64)
    both = torch.cat([left.expand(-1, -1, 2, 16), right.expand(-1, -1, 2, 16)], dim=3)
    image = generator(structure, both)
    torch.testing.assert_close(image[..., :16], generator(structure, left)[..., :16])
    torch.testing.assert_close(image[..., -16:], generator(structure, right)[..., -16:])


def test_codes_of_any_length_are_normalised() -> None:
    generator = Generator(SMALL).double()
    structure, texture = torch.randn(2, 4, 3, 3).double(), torch.randn(2, 10).double()
    scaled = generator(7 * structure, 0.2 * texture)
    torch.testing.assert_close(scaled, generator(structure, texture), rtol=1e-6, atol=1e-6)


def test_a_batch_is_decoded_one_by_one() -> None:
    generator = Generator(SMALL).double()
    structure, texture = torch.randn(3, 4, 3, 3).double(), torch.randn(3, 10).double()
    images = generator(structure, texture)
    for i in range(3):
        torch.testing.assert_close(images[i : i + 1], generator(structure[i : i + 1], texture[i : i + 1]))


def test_structure_enters_only_through_the_scale_of_the_first_modulation() -> None:
    generator = Generator(SMALL)
    generator.modulation.scale.weight.data.zero_()
    texture = torch.randn(1, 10)
    first, second = (generator(torch.randn(1, 4, 3, 3), texture) for _ in range(2))
    assert torch.equal(first, second)


def test_noise_maps_have_the_size_of_each_layer() -> None:
    shapes = Generator(SMALL).noise_shapes(3, 5)
    assert shapes == [(1, 1, 3, 5)] * 4 + [(1, 1, 6, 10)] * 2 + [(1, 1, 12, 20)] * 2


def test_the_head_takes_noise_even_where_noise_is_off() -> None:
    generator = noisy(GeneratorConfig(4, 10, use_noise=False, head_widths=(6, 8), widths=(8, 5)))
    assert generator.noise_shapes(3, 3) == [(1, 1, 3, 3)] * 4
    structure, texture = torch.randn(1, 4, 3, 3), torch.randn(1, 10)
    with_noise = generator(structure, texture, random_noise(generator.noise_shapes(3, 3), torch.Generator()))
    assert not torch.equal(with_noise, generator(structure, texture))
    with pytest.raises(ValueError, match="8 noise maps were given; this generator takes 4"):
        generator(structure, texture, [None] * 8)


@pytest.mark.parametrize("layer", range(8))
def test_each_noise_map_goes_to_its_own_layer(layer: int) -> None:
    generator = noisy()
    blocks = [*generator.head, *generator.up]
    injections = [conv.noise for block in blocks for conv in (block.conv1, block.conv2)]
    for injection in injections:
        injection.weight.data.zero_()
    injections[layer].weight.data.fill_(0.5)
    structure, texture = torch.randn(1, 4, 3, 3), torch.randn(1, 10)
    maps = random_noise(generator.noise_shapes(3, 3), torch.Generator().manual_seed(2))
    only = [one if i == layer else None for i, one in enumerate(maps)]
    image = generator(structure, texture, maps)
    assert torch.equal(image, generator(structure, texture, only))
    assert not torch.equal(image, generator(structure, texture))


def test_the_wrong_number_of_noise_maps_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="3 noise maps were given; this generator takes 8"):
        Generator(SMALL)(torch.zeros(1, 4, 3, 3), torch.zeros(1, 10), [None] * 3)


def test_noise_may_differ_within_the_batch() -> None:
    generator = noisy()
    structure, texture = torch.randn(1, 4, 3, 3).expand(2, -1, -1, -1), torch.randn(1, 10).expand(2, -1)
    shapes = generator.noise_shapes(3, 3)
    shared = generator(structure, texture, random_noise(shapes, torch.Generator().manual_seed(3)))
    torch.testing.assert_close(shared[0], shared[1])
    own = generator(structure, texture, random_noise(shapes, torch.Generator().manual_seed(3), batch=2))
    assert not torch.allclose(own[0], own[1])


def test_skips_are_linear_in_the_head_and_biased_and_activated_above() -> None:
    generator = Generator(SMALL)
    head, up = generator.head[0].skip, generator.up[1].skip
    assert [name for name, _ in head.named_parameters()] == ["conv.weight"]
    assert [name for name, _ in up.named_parameters()] == ["conv.weight", "act.bias"]
    assert head.act is None
    assert generator.up[0].skip is None  # 8 → 8 channels


def test_an_upsampling_block_adds_a_bilinear_skip_over_the_root_of_two() -> None:
    block = Generator(SMALL).up[1]
    x, style = torch.randn(2, 8, 4, 3), torch.randn(2, 10)
    skip = F.interpolate(block.skip(x), scale_factor=2, mode="bilinear", align_corners=False)
    expected = (skip + block.conv2(block.conv1(x, style), style)) / math.sqrt(2)
    torch.testing.assert_close(block(x, style, (None, None)), expected)


def test_a_head_block_adds_its_skip_over_the_root_of_two() -> None:
    block = Generator(SMALL).head[0]
    x, style = torch.randn(2, 4, 4, 3), torch.randn(2, 10)
    expected = (block.skip(x) + block.conv2(block.conv1(x, style), style)) / math.sqrt(2)
    torch.testing.assert_close(block(x, style, (None, None)), expected)


def test_the_texture_barely_acts_at_first_by_construction() -> None:
    generator = Generator()
    gains = generator.head[1].conv1.conv.modulation(F.normalize(torch.randn(4, 2048)))
    assert gains.mean().item() == pytest.approx(1, abs=0.01)
    assert gains.std().item() == pytest.approx(1 / math.sqrt(2048), rel=0.1)


def test_the_head_widens_to_the_first_width() -> None:
    assert head_widths(8, 512, 2) == (256, 512)
    assert head_widths(64, 409, 2) == (204, 409)
    assert head_widths(300, 512, 4) == (300, 300, 384, 512)


def test_without_antialiasing_the_sizes_are_the_same() -> None:
    generator = Generator(GeneratorConfig(4, 10, use_antialias=False, head_widths=(6,), widths=(8, 5)))
    assert generator(torch.randn(1, 4, 3, 5), torch.randn(1, 10)).shape == (1, 3, 12, 20)


@pytest.mark.parametrize(
    "changes",
    [{"head_widths": ()}, {"widths": (8, 0)}, {"head_widths": (0,)}, {"head_widths": (0,), "widths": ()}],
)
def test_an_impossible_shape_is_refused(changes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        GeneratorConfig(**changes)
