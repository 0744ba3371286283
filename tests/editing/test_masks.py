import numpy as np
import pytest
import torch
from PIL import Image

from swapae.codes import Codes
from swapae.editing.masks import (
    click_mask,
    connected,
    feathered,
    mask_of,
    place_at,
    region_mask,
    resized_mask,
    similarity,
)

STRIDE = 4


def codes(size: tuple[int, int] = (24, 32), places: tuple[int, int] | None = None, batch: int = 1) -> Codes:
    places = places or (-(-size[0] // STRIDE), -(-size[1] // STRIDE))
    return Codes(torch.randn(batch, 3, *places), torch.randn(batch, 5), size)


def box(size: tuple[int, int], rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.zeros(1, 1, *size)
    mask[:, :, rows, columns] = 1
    return mask


@pytest.mark.parametrize("size", [(24, 32), (7, 9), (100, 61), (240, 320), (1, 1)])
@pytest.mark.parametrize("feather", [0, 3.5, 200])
def test_all_zeros_and_all_ones_stay_so_to_the_bit(size: tuple[int, int], feather: float) -> None:
    for value in (0.0, 1.0):
        mask = region_mask(torch.full((2, 1, *size), value), codes((23, 30)), STRIDE, feather)
        assert mask.shape == (2, 1, 6, 8)
        assert torch.equal(mask, torch.full_like(mask, value))


def test_a_place_takes_the_mean_of_its_pixels() -> None:
    mask = torch.rand(1, 1, 24, 32)
    expected = torch.nn.functional.avg_pool2d(mask, STRIDE)
    torch.testing.assert_close(region_mask(mask, codes(), STRIDE), expected)
    finer = torch.nn.functional.avg_pool2d(mask, 2)
    torch.testing.assert_close(region_mask(mask, codes(), STRIDE, detail=2), finer)


def test_areas_are_exact_where_sides_do_not_divide() -> None:
    # 5 pixels to 2: the middle one is shared.
    mask = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 1, 1, 5)
    torch.testing.assert_close(resized_mask(mask, (1, 2)).flatten(), torch.tensor([1.5 / 2.5, 0.5 / 2.5]))


@pytest.mark.parametrize("size", [(48, 64), (12, 16), (33, 47), (240, 320)])
def test_a_mask_of_any_size_lies_over_the_whole_image(size: tuple[int, int]) -> None:
    mask = box(size, slice(0, size[0] // 2), slice(None))
    got = region_mask(mask, codes(), STRIDE)
    assert got[0, 0, 0].min() > 0.99
    assert got[0, 0, -1].max() < 0.01
    assert abs(got.mean() - mask.mean()) < 0.01


def test_where_the_encoder_saw_the_image_mirrored_so_is_the_mask() -> None:
    # 10 pixels of 4 to a place: the last place has pixels 8, 9, and then 8, 7 again.
    mask = torch.zeros(1, 1, 10, 10)
    mask[..., 7] = 1
    row = region_mask(mask, codes((10, 10)), STRIDE)[0, 0, 0]
    torch.testing.assert_close(row, torch.tensor([0.0, 0.25, 0.25]))


def test_a_feather_fades_by_its_width_to_either_side_and_no_farther() -> None:
    soft = feathered(box((1, 40), slice(None), slice(20, 40)), 5)[0, 0, 0]
    assert torch.equal(soft[:15], torch.zeros(15))
    assert torch.equal(soft[25:], torch.ones(15))  # and not at the border of the image
    assert (soft[14:26].diff() > 0).all()
    torch.testing.assert_close(soft, 1 - soft.flip(0))


def test_a_feather_of_less_than_a_pixel_changes_nothing() -> None:
    mask = torch.rand(1, 1, 9, 9)
    torch.testing.assert_close(feathered(mask, 0.9), mask, rtol=0, atol=1e-7)


def test_white_is_inside_and_what_is_transparent_outside() -> None:
    gray = Image.fromarray(np.array([[0, 51, 255]], dtype=np.uint8))
    torch.testing.assert_close(mask_of(gray).flatten(), torch.tensor([0, 0.2, 1]))
    gray = Image.merge("LA", (Image.new("L", (3, 1), 255), gray))
    torch.testing.assert_close(mask_of(gray).flatten(), torch.tensor([0, 0.2, 1]))


@pytest.mark.parametrize(
    "mask",
    [
        torch.ones(4, 4),
        torch.ones(1, 2, 4, 4),
        torch.ones(1, 1, 4, 4).int(),
        torch.full((1, 1, 4, 4), 1.1),
        torch.full((1, 1, 4, 4), torch.nan),
        torch.ones(1, 1, 0, 4),
    ],
)
def test_what_is_no_mask_is_refused(mask: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="a mask must"):
        region_mask(mask, codes(), STRIDE)


@pytest.mark.parametrize("wrong", [{"feather": -1.0}, {"feather": torch.inf}, {"detail": 3}, {"detail": 0}])
def test_a_feather_or_detail_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"feather=|detail="):
        region_mask(torch.ones(1, 1, 4, 4), codes(), STRIDE, **wrong)  # type: ignore[arg-type]


# ---- one click


def two_materials() -> Codes:
    """Left and right edges of one structure, apart from each other; the middle of another."""
    structure = torch.zeros(1, 3, 4, 6)
    structure[:, 0, :, [0, 1, 5]] = 2.0  # of any length
    structure[:, 1, :, 2:5] = 0.5
    structure[:, 1, 0, 0] = 1.0  # cosine 0.894 with its like
    return Codes(structure, torch.ones(1, 5), (16, 24))


def test_a_click_finds_what_is_like_the_clicked_place_anywhere() -> None:
    some = two_materials()
    assert place_at(23.5, 7, some, STRIDE) == (1, 5)
    mask = click_mask(some, (1, 5), threshold=0.8)
    assert torch.equal(mask[0, 0], torch.tensor([1.0, 1, 0, 0, 0, 1]).expand(4, 6))
    stricter = click_mask(some, (1, 5), threshold=0.95)
    assert stricter[0, 0, 0, 0] == 0
    assert stricter.sum() == mask.sum() - 1


def test_centered_clicks_tell_apart_what_is_nearly_alike() -> None:
    """As the structures of `synthetic64` are: a large part in common, a small one that differs."""
    some = two_materials()
    common = torch.zeros_like(some.structure)
    common[:, 2] = 30.0
    alike = Codes(some.structure + common, some.texture, some.size)
    assert click_mask(alike, (1, 5), threshold=0.8).all()
    mask = click_mask(alike, (1, 5), threshold=0.4, centered=True)
    assert torch.equal(mask[0, 0, 1:], torch.tensor([1.0, 1, 0, 0, 0, 1]).expand(3, 6))
    assert torch.equal(1 - mask[0, 0, 1:], click_mask(alike, (1, 3), 0.4, centered=True)[0, 0, 1:])


def test_an_image_that_is_the_same_everywhere_gives_the_clicked_place_alone_when_centered() -> None:
    even = Codes(torch.ones(1, 3, 4, 6), torch.ones(1, 5), (16, 24))
    assert click_mask(even, (1, 2), centered=True).sum() == 1


def test_only_what_hangs_together_with_the_click_if_so_wished() -> None:
    mask = click_mask(two_materials(), (1, 5), connected_only=True)
    assert torch.equal(mask[0, 0], torch.tensor([0.0, 0, 0, 0, 0, 1]).expand(4, 6))
    corners = torch.eye(3)[None, None]
    assert connected(corners, (1, 1)).sum() == 1  # corners do not join


def test_each_image_may_be_clicked_elsewhere() -> None:
    both = Codes.cat([two_materials(), two_materials()])
    masks = click_mask(both, [(1, 5), (1, 3)])
    assert torch.equal(masks[:1], click_mask(two_materials(), (1, 5)))
    assert torch.equal(masks[1:], 1 - masks[:1])
    with pytest.raises(ValueError, match="2 places do not go with 1 image"):
        click_mask(two_materials(), [(0, 0), (1, 1)])


def test_soft_masks_rise_with_the_similarity() -> None:
    some = codes(batch=2)
    alike, mask = similarity(some, (2, 3)), click_mask(some, (2, 3), threshold=0.5, softness=0.25)
    torch.testing.assert_close(alike[:, 0, 2, 3], torch.ones(2))
    assert (mask[alike < 0.25] == 0).all()
    assert (mask[alike > 0.751] == 1).all()
    torch.testing.assert_close(
        mask[(alike > 0.25) & (alike < 0.75)], alike[(alike > 0.25) & (alike < 0.75)] * 2 - 0.5
    )


def test_a_click_outside_the_image_is_refused() -> None:
    for point in ((-1, 3), (3, 24), (32, 3), (torch.nan, 3)):
        with pytest.raises(ValueError, match="outside the image of 32x24"):
            place_at(*point, codes(), STRIDE)


def test_a_place_outside_the_code_is_refused() -> None:
    for place in ((-1, 0), (0, -1), (4, 0), (0, 6)):
        with pytest.raises(ValueError, match="outside of 4×6 places"):
            click_mask(two_materials(), place)
        with pytest.raises(ValueError, match="outside of 4×6 places"):
            connected(torch.ones(1, 1, 4, 6), place)
