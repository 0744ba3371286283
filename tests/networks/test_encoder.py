from dataclasses import replace

import pytest
import torch

from swapae.networks import Encoder, EncoderConfig

SMALL = EncoderConfig(
    structure_channels=3,
    texture_channels=10,
    structure_downsamplings=2,
    texture_downsamplings=2,
    widths=(4, 5, 6, 7, 8),
)


def test_codes_have_unit_length_and_the_stated_shapes() -> None:
    structure, texture = Encoder(SMALL)(torch.randn(2, 3, 32, 28))
    assert structure.shape == (2, 3, 8, 7)
    assert texture.shape == (2, 10)
    torch.testing.assert_close(structure.square().sum(1), torch.ones(2, 8, 7))
    torch.testing.assert_close(texture.square().sum(1), torch.ones(2))


@pytest.mark.parametrize(
    ("structure", "texture", "side"),
    [(4, 2, 112), (5, 2, 224), (6, 2, 448), (3, 1, 24), (1, 1, 6), (1, 3, 30)],
)
def test_the_shortest_side_is_that_of_the_formula_and_works(structure: int, texture: int, side: int) -> None:
    config = EncoderConfig(
        texture_channels=2,
        structure_downsamplings=structure,
        texture_downsamplings=texture,
        widths=(1,) * (1 + structure + texture),
    )
    encoder = Encoder(config)
    assert encoder.min_side == side
    _, code = encoder(torch.randn(1, 3, side, side))
    assert code.shape == (1, 2)


def test_a_shorter_image_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="at least 28 px, not 32×27"):
        Encoder(SMALL)(torch.zeros(1, 3, 32, 27))


def test_odd_sides_are_halved_downwards() -> None:
    structure, _ = Encoder(SMALL)(torch.zeros(1, 3, 35, 33))
    assert structure.shape[2:] == (8, 8)


def test_a_batch_is_encoded_one_by_one() -> None:
    encoder, images = Encoder(SMALL).double(), torch.randn(3, 3, 28, 28, dtype=torch.float64)
    structure, texture = encoder(images)
    for i in range(3):
        one_structure, one_texture = encoder(images[i : i + 1])
        torch.testing.assert_close(structure[i : i + 1], one_structure)
        torch.testing.assert_close(texture[i : i + 1], one_texture)


def test_the_texture_forgets_where_things_are_where_the_structure_does_not() -> None:
    encoder = Encoder(SMALL)
    flat = torch.full((1, 3, 28, 28), 0.3)
    structure, _ = encoder(flat)
    # Reflection keeps a flat image flat; only the skips, which pad with zeros, see the border.
    torch.testing.assert_close(structure[:, :, 3, 3], structure[:, :, 4, 4])
    assert not torch.allclose(structure[:, :, 0, 0], structure[:, :, 3, 3])


def test_structure_blocks_blur_by_121_and_reflect_except_in_the_skip() -> None:
    for block in Encoder(SMALL).down_to_structure:
        assert block.conv1.reflection == 1
        assert (block.conv2.blur.taps, block.conv2.blur.reflection_pad) == ((1, 2, 1), True)
        assert (block.skip.blur.taps, block.skip.blur.reflection_pad) == ((1, 2, 1), False)


@pytest.mark.parametrize(("side", "out"), [(16, 3), (8, 1), (7, 1)])
def test_texture_convolutions_are_valid_and_without_blur(side: int, out: int) -> None:
    convolutions = Encoder(SMALL).down_to_texture
    assert convolutions(torch.zeros(1, 6, side, side)).shape == (1, 8, out, out)
    assert all(one.blur.kernel.tolist() == [[1.0]] for one in convolutions)


def test_the_structure_is_read_without_activation_and_the_texture_is_a_mean_over_places() -> None:
    encoder = Encoder(SMALL).double()
    middle = encoder.middle(torch.randn(2, 3, 40, 36, dtype=torch.float64))
    last = encoder.to_structure[1]
    assert last.act is None
    assert last.conv.bias is not None
    mean = encoder.down_to_texture(middle).mean(dim=(2, 3))
    texture = mean @ (encoder.to_texture.weight / 8**0.5).T + encoder.to_texture.bias
    torch.testing.assert_close(encoder.texture_of(middle), texture / texture.norm(dim=1, keepdim=True))


def test_without_antialiasing_the_sizes_are_the_same() -> None:
    config = EncoderConfig(3, 10, 2, 2, use_antialias=False, widths=(4, 5, 6, 7, 8))
    encoder = Encoder(config)
    structure, _ = encoder(torch.zeros(1, 3, 28, 31))
    assert structure.shape[2:] == (7, 7)
    assert all(module.kernel.numel() == 1 for module in encoder.modules() if hasattr(module, "taps"))


def sight(encoder: Encoder) -> int:
    """How many pixels of a row one place of the structure code depends on."""
    images = torch.randn(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    encoder(images)[0][0, :, 20, 20].sum().backward()
    return int((images.grad.abs().sum((0, 1, 2)) > 0).sum())  # type: ignore[union-attr]


def test_structure_blocks_let_each_place_see_further_and_change_nothing_at_first() -> None:
    plain, wide = Encoder(SMALL).double(), Encoder(replace(SMALL, structure_blocks=3)).double()
    wide.load_state_dict(plain.state_dict(), strict=False)
    images = torch.randn(2, 3, 40, 36, dtype=torch.float64)
    for expected, found in zip(plain(images), wide(images), strict=True):
        assert torch.equal(expected, found)
    with torch.no_grad():
        for block in wide.at_structure:
            block.conv2.conv.weight.normal_()
    assert torch.equal(plain(images)[1], wide(images)[1])  # the texture is read before them
    assert sight(plain) == 19
    assert sight(wide) == 19 + 3 * 2 * 2 * SMALL.stride


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (1, 2, 3)}, r"\(1, 2, 3\) are 3 numbers; 4 structure and 2 texture downsamplings need 7"),
        ({"widths": (1, 2, 3, 0, 5, 6, 7)}, "must all be at least 1"),
        ({"texture_downsamplings": 0}, "texture_downsamplings=0 must be at least 1"),
        ({"structure_downsamplings": -1}, "structure_downsamplings=-1"),
        ({"structure_blocks": -1}, "structure_blocks=-1 must be at least 0"),
    ],
)
def test_an_impossible_shape_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**changes)
