import pytest
import torch

from swapae.codes import Codes
from swapae.editing.masks import region_mask
from swapae.editing.reach import reach
from swapae.editing.regions import Layer, between, painted, pushed, within
from swapae.model import ModelConfig, SwappingAutoencoder
from swapae.networks import GeneratorConfig
from swapae.ops import normalize


def codes(batch: int = 1, channels: int = 6) -> Codes:
    return Codes(normalize(torch.randn(batch, 3, 4, 5)), normalize(torch.randn(batch, channels)), (16, 20))


def texture(batch: int = 1, channels: int = 6) -> torch.Tensor:
    return normalize(torch.randn(batch, channels))


def soft(batch: int = 1) -> torch.Tensor:
    mask = torch.rand(batch, 1, 4, 5)
    mask[..., 0], mask[..., -1] = 0, 1
    return mask


def lengths(code: torch.Tensor) -> torch.Tensor:
    return code.norm(dim=1)


# ---- textures


def test_an_empty_mask_changes_nothing_and_a_full_one_is_the_plain_texture() -> None:
    own, other = codes(), texture()
    for strength in (1.0, 0.5, 3.0, -1.0):
        same = painted(own, [Layer(other, torch.zeros(1, 1, 4, 5), strength)])
        assert torch.equal(same.texture, own.texture)
        assert torch.equal(same.structure, own.structure)
    assert torch.equal(painted(own, [Layer(other, soft(), 0.0)]).texture, own.texture)
    assert torch.equal(painted(own, [Layer(other, torch.ones(1, 1, 4, 5))]).texture, other)


def test_a_soft_mask_is_exact_at_its_ends_and_of_unit_length_between() -> None:
    own, other, mask = codes(2), texture(2), soft(2)
    got = painted(own, [Layer(other, mask)]).texture
    assert got.shape == (2, 6, 4, 5)
    assert torch.equal(got[..., 0], own.texture[:, :, None].expand(-1, -1, 4))
    assert torch.equal(got[..., -1], other[:, :, None].expand(-1, -1, 4))
    torch.testing.assert_close(lengths(got), torch.ones(2, 4, 5))


def test_the_angle_to_the_own_texture_grows_evenly_with_the_mask() -> None:
    own, other, mask = codes(), texture(), soft()
    whole = torch.acos((own.texture * other).sum())
    for strength in (0.5, 1.0, 1.2, -0.3):
        got = painted(own, [Layer(other, mask, strength)]).texture
        cosine = (got * own.texture[:, :, None, None]).sum(1)
        torch.testing.assert_close(
            torch.acos(cosine.clamp(-1, 1)), abs(strength) * mask[:, 0] * whole, atol=2e-3, rtol=0
        )
        torch.testing.assert_close(lengths(got), torch.ones(1, 4, 5))


def test_where_two_soft_regions_meet_the_own_texture_does_not_shine_through() -> None:
    own, a, b, mask = codes(), texture(), texture(), soft()
    got = painted(own, [Layer(a, 1 - mask), Layer(b, mask)]).texture
    torch.testing.assert_close(got, between(a[..., None, None], b[..., None, None], mask))


def test_a_later_layer_covers_an_earlier_one() -> None:
    own, a, b = codes(), texture(), texture()
    whole, half = torch.ones(1, 1, 4, 5), torch.zeros(1, 1, 4, 5)
    half[..., :2] = 1
    got = painted(own, [Layer(a, whole), Layer(b, half)]).texture
    assert torch.equal(got, torch.where(half > 0, b[..., None, None], a[..., None, None]))
    below = painted(own, [Layer(b, half), Layer(a, whole)]).texture
    torch.testing.assert_close(below, a[..., None, None].expand(1, 6, 4, 5), rtol=0, atol=0)


def test_a_half_covering_layer_shows_half_of_what_lies_below() -> None:
    own, a, b = codes(), texture(), texture()
    whole = torch.ones(1, 1, 4, 5)
    got = painted(own, [Layer(a, whole), Layer(b, whole, 0.5)])
    torch.testing.assert_close(got.texture, between(a, b, torch.tensor([[0.5]])))


def test_vectors_and_maps_of_them_are_painted_alike() -> None:
    own, a, b, c = codes(2), texture(2), texture(), texture(2)
    masks = [torch.rand(2, 1, 4, 5) for _ in range(3)]
    masks[0][0] = 0
    layers = list(zip((a, b, c), masks, (1.0, 1.5, 0.7), strict=True))
    got = painted(own, [Layer(*one) for one in layers]).texture
    spread = [Layer(t[:, :, None, None].expand(-1, -1, 4, 5), *rest) for t, *rest in layers]
    torch.testing.assert_close(got, painted(own, spread).texture, atol=1e-5, rtol=0)


def test_batches_of_one_go_with_any() -> None:
    own, other, mask = codes(1), texture(3), soft(3)
    got = painted(own, [Layer(other, mask)])
    assert len(got) == 3
    for i in range(3):
        alone = painted(own, [Layer(other[i : i + 1], mask[i : i + 1])])
        torch.testing.assert_close(got[i].texture, alone.texture)
        assert torch.equal(got[i].structure, own.structure)
    with pytest.raises(ValueError, match="batches of 2 and 3"):
        painted(codes(2), [Layer(other, mask)])


def test_maps_and_masks_of_other_sizes_come_to_the_largest() -> None:
    own = codes()
    first = painted(own, [Layer(texture(), soft())])
    finer = torch.rand(1, 1, 8, 10)
    got = painted(first, [Layer(texture(), finer)]).texture
    assert got.shape == (1, 6, 8, 10)
    torch.testing.assert_close(lengths(got), torch.ones(1, 8, 10))
    again = painted(first, [Layer(texture(), torch.zeros(1, 1, 8, 10))])
    assert torch.equal(again.texture, first.texture)


def test_edited_codes_of_other_lengths_come_to_length_one() -> None:
    own = codes()
    own = Codes(own.structure, own.texture * 7, own.size)
    got = painted(own, [Layer(texture() * 3, soft())]).texture
    torch.testing.assert_close(lengths(got), torch.ones(1, 4, 5))


def test_opposite_and_equal_textures_are_joined_without_nan() -> None:
    own = codes()
    nearly = [normalize(sign * own.texture + 1e-3 * torch.randn(1, 6)) for sign in (1, -1)]
    for other in (own.texture, -own.texture, *nearly):
        got = painted(own, [Layer(other, soft())]).texture
        torch.testing.assert_close(lengths(got), torch.ones(1, 4, 5))


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one layer or more"):
        painted(codes(), [])
    with pytest.raises(ValueError, match="as many channels"):
        painted(codes(), [Layer(texture(1, 7), soft())])
    with pytest.raises(ValueError, match="finite"):
        painted(codes(), [Layer(texture(), soft(), float("nan"))])
    with pytest.raises(ValueError, match="between 0 and 1"):
        painted(codes(), [Layer(texture(), 2 * soft())])


# ---- structure


def test_a_push_turns_by_its_angle_inside_and_changes_nothing_outside() -> None:
    own, direction, mask = codes(2), torch.tensor([0.0, 0.3, 0.0]), soft(2)
    got = pushed(own, direction, 0.5, mask)
    assert torch.equal(got.structure[..., 0], own.structure[..., 0])
    assert torch.equal(got.texture, own.texture)
    turned = torch.acos((got.structure * own.structure).sum(1).clamp(-1, 1))
    there = torch.acos((own.structure[:, 1]).clamp(-1, 1))
    torch.testing.assert_close(turned, torch.minimum(0.15 * mask[:, 0], there), atol=1e-3, rtol=0)
    assert (got.structure[:, 1] >= own.structure[:, 1] - 1e-6).all()


def test_a_strong_push_ends_at_the_direction_or_its_opposite() -> None:
    own, direction = codes(), torch.tensor([0.0, 2.0, 0.0])
    for strength in (100.0, -100.0):
        got = pushed(own, direction, strength).structure
        torch.testing.assert_close(got[:, 1], torch.full((1, 4, 5), strength / 100), atol=1e-5, rtol=0)


def test_a_direction_may_be_a_map_and_one_for_each_image() -> None:
    own, field = codes(2), torch.randn(2, 3, 4, 5)
    both = pushed(own, field, 0.2)
    for i in range(2):
        torch.testing.assert_close(both[i].structure, pushed(own[i], field[i], 0.2).structure)
    with pytest.raises(ValueError, match="a direction"):
        pushed(own, torch.ones(4), 1)
    with pytest.raises(ValueError, match="a direction"):
        pushed(own, torch.ones(3, 2, 2), 1)
    with pytest.raises(ValueError, match="finite"):
        pushed(own, torch.ones(3), float("inf"))


# ---- any edit, inside a region


def test_an_edit_within_a_mask_is_whole_inside_and_absent_outside() -> None:
    own, mask = codes(), soft()
    edited = Codes(codes().structure, texture(), own.size)
    got = within(own, edited, mask)
    for part, column in ((own, 0), (edited, -1)):
        assert torch.equal(got.structure[..., column], part.structure[..., column])
        assert torch.equal(got.texture[..., column], part.texture[:, :, None].expand(-1, -1, 4))
    torch.testing.assert_close(lengths(got.structure), torch.ones(1, 4, 5))
    with pytest.raises(ValueError, match="does not fit"):
        within(own, Codes(torch.ones(1, 3, 2, 2), texture(), (8, 8)), mask)


# ---- what changes, in pixels


@pytest.fixture(scope="module")
def net() -> SwappingAutoencoder:
    torch.manual_seed(0)
    config = ModelConfig(
        structure_channels=4,
        texture_channels=16,
        structure_downsamplings=2,
        texture_downsamplings=1,
        encoder_capacity=0.25,
        generator_capacity=0.05,
        head_blocks=1,
    )
    net = SwappingAutoencoder(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for block in [*net.generator.head, *net.generator.up]:
            for conv in (block.conv1.conv, block.conv2.conv):
                conv.modulation.weight.mul_(5)
    return net


def test_painting_changes_pixels_inside_and_none_beyond_the_reach(net: SwappingAutoencoder) -> None:
    stride, far = net.config.stride, reach(net.generator.config)
    own = net.encode(torch.rand(1, 3, 96, 96) * 2 - 1)
    mask = torch.zeros(1, 1, 96, 96)
    mask[..., 40:56, 40:56] = 1  # whole places
    other = texture(1, 16)
    plain = net.decode(within(own, own, torch.zeros(1, 1, 1, 1)))
    plain_map = net.decode(
        Codes(own.structure, own.texture[:, :, None, None].expand(-1, -1, 24, 24), own.size)
    )
    torch.testing.assert_close(plain, plain_map, atol=1e-4, rtol=0)
    got = net.decode(painted(own, [Layer(other, region_mask(mask, own, stride))]))
    change = (got - plain_map).abs().amax(1)[0]
    near = torch.zeros(96, 96, dtype=torch.bool)
    near[40 - far : 56 + far, 40 - far : 56 + far] = True
    assert change[40:56, 40:56].mean() > 0.02
    assert change[~near].max() < 1e-5 < 1 / 255
    edge = change[40 - far : 56 + far, 40 - far : 56 + far]
    assert max(edge[0].max(), edge[-1].max(), edge[:, 0].max(), edge[:, -1].max()) > 1e-7, (
        "the reach is exact"
    )


def test_pushing_changes_no_pixel_beyond_the_reach_either(net: SwappingAutoencoder) -> None:
    far = reach(net.generator.config)
    own = net.encode(torch.rand(1, 3, 96, 96) * 2 - 1)
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., 10:14, 10:14] = 1
    change = (net.decode(pushed(own, torch.eye(4)[0], 1.0, mask)) - net.decode(own)).abs().amax(1)[0]
    assert change[40:56, 40:56].mean() > 0.01
    change[40 - far : 56 + far, 40 - far : 56 + far] = 0
    assert change.max() < 1e-5


def test_the_reach_of_the_published_generator() -> None:
    # 4 convolutions of its head reach 4 places of 16 px; the doublings above reach almost 3 more.
    assert 64 < reach(GeneratorConfig()) < 7 * 16
    assert reach(GeneratorConfig(widths=(8,), head_widths=(8,))) < 14
