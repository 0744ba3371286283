import pytest
import torch

from swapae.codes import Codes
from swapae.editing import covered, decoded_inside, kept_outside, painted, pushed, region_mask, within
from swapae.editing.regions import Layer
from swapae.model import ModelConfig, SwappingAutoencoder

SIZE = 20, 27  # a place more than the pixels fill, below and to the right


@pytest.fixture(scope="module")
def net() -> SwappingAutoencoder:
    torch.manual_seed(0)
    config = ModelConfig(
        structure_channels=4,
        texture_channels=16,
        structure_downsamplings=3,
        texture_downsamplings=1,
        encoder_capacity=0.25,
        generator_capacity=0.05,
        head_blocks=1,
    )
    net = SwappingAutoencoder(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return net


@pytest.mark.parametrize("outside", ["plain", "photo"])
def test_outside_of_masks_every_bit_is_the_plain_pictures_or_the_photos(
    net: SwappingAutoencoder, outside: str
) -> None:
    """At a batch of two images, with masks of two sizes, one of each image and one of both."""
    photos = torch.rand(2, 3, *SIZE) * 2 - 1
    own = net.encode(photos)
    left, right = torch.zeros(2, 1, 40, 54), torch.zeros(1, 1, *SIZE)
    left[0, :, :, :16], left[1, :, :20, :10], right[..., 22:] = 1, 1, 1
    layers = [
        Layer(torch.randn(1, 16), region_mask(mask, own, net.config.stride, 2)) for mask in (left, right)
    ]
    codes = painted(own, layers)
    got = decoded_inside(net, own, codes, [left, right], 2, outside, photos)  # type: ignore[arg-type]
    around = photos if outside == "photo" else net.decode(own)
    for image, columns in ((0, slice(11, 19)), (1, slice(8, 19))):
        assert torch.equal(got[image, :, :, columns], around[image, :, :, columns])
    inside = net.decode(codes)
    assert torch.equal(got[0, :, :, :6], inside[0, :, :, :6])
    assert torch.equal(got[:, :, :, 25:], inside[:, :, :, 25:])
    assert not torch.equal(got[0, :, :, :6], around[0, :, :, :6])
    free = decoded_inside(net, own, codes, [left, right], 2, "free")
    assert torch.equal(free, inside)


@pytest.mark.parametrize("outside", ["plain", "photo"])
def test_masks_of_all_0_and_of_all_1_give_one_of_the_two_pictures(
    net: SwappingAutoencoder, outside: str
) -> None:
    photo = torch.rand(1, 3, *SIZE) * 2 - 1
    own = net.encode(photo)
    edited = pushed(own, torch.ones(4), 1.0)
    around = photo if outside == "photo" else net.decode(own)
    for mask, wanted in ((torch.zeros(1, 1, 5, 5), around), (torch.ones(1, 1, 5, 5), net.decode(edited))):
        codes = within(own, edited, mask)
        assert torch.equal(decoded_inside(net, own, codes, [mask], 3, outside, photo), wanted)  # type: ignore[arg-type]
    assert torch.equal(decoded_inside(net, own, edited, [], 0, outside, photo), around)  # type: ignore[arg-type]


def test_masks_over_each_other_cover_no_more_than_all() -> None:
    half, whole = torch.full((1, 1, 4, 4), 0.5), torch.ones(2, 1, 4, 4)
    assert torch.equal(covered([half, half], (3, 4)), torch.full((1, 1, 3, 4), 0.75))
    assert torch.equal(covered([half, whole], (4, 2)), whole[..., :2])


def test_a_photo_that_is_not_given_and_a_mask_that_is_none_are_refused(net: SwappingAutoencoder) -> None:
    own = net.encode(torch.zeros(1, 3, *SIZE))
    with pytest.raises(ValueError, match="give it"):
        decoded_inside(net, own, own, [torch.ones(1, 1, 4, 4)], outside="photo")
    for bad in (torch.full((1, 1, 4, 4), torch.nan), torch.full((1, 1, 4, 4), 1.5), torch.ones(4, 4)):
        with pytest.raises(ValueError, match="mask"):
            decoded_inside(net, own, own, [bad])
        with pytest.raises(ValueError, match="mask"):
            kept_outside(torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4), bad)


def test_what_an_edit_left_as_it_was_stays_to_the_bit_within_a_soft_mask() -> None:
    """Also where the edit gave it back as another tensor, or once for each image of a batch."""
    own = Codes(torch.randn(1, 4, 3, 5), torch.randn(1, 6), (12, 20))
    mask = torch.linspace(0, 1, 5).expand(1, 1, 3, 5)
    other_texture = Codes(own.structure.clone().expand(3, -1, -1, -1), torch.randn(3, 6), own.size)
    got = within(own, other_texture, mask)
    assert torch.equal(got.structure, own.structure.expand(3, -1, -1, -1))
    other_structure = Codes(torch.randn(3, 4, 3, 5), own.texture.clone().expand(3, -1), own.size)
    assert torch.equal(within(own, other_structure, mask).texture, own.texture.expand(3, -1))
