import pytest
import torch

from swapae.codes import Codes
from swapae.editing.regions import between
from swapae.editing.transplant import crossing, joined, shifted, transplanted
from swapae.ops import normalize

STRIDE = 4


def codes(size: tuple[int, int] = (16, 20), batch: int = 1, spare: int = 0) -> Codes:
    places = [-(-side // STRIDE) + spare for side in size]
    return Codes(normalize(torch.randn(batch, 3, *places)), normalize(torch.randn(batch, 6)), size)


def region() -> torch.Tensor:
    mask = torch.zeros(1, 1, 4, 5)
    mask[..., 1:3, 1:3] = 1
    mask[..., 1, 3] = 0.5
    return mask


def test_a_region_is_pasted_where_the_offset_says_and_nowhere_else() -> None:
    own, source = codes(), codes()
    got = transplanted(own, source, region(), (1, 2))
    assert torch.equal(got.structure[..., 2:4, 3:5], source.structure[..., 1:3, 1:3])
    changed = (got.structure != own.structure).any(1)[0]
    assert changed[2:4, 3:5].all()
    assert changed.sum() == 4  # the soft place was moved out of the image
    assert torch.equal(got.texture, own.texture)


def test_soft_places_lie_between_both_layouts() -> None:
    own, source = codes(), codes()
    got = transplanted(own, source, region(), (-1, 0))
    way = between(own.structure[..., 0, 3], source.structure[..., 1, 3], torch.tensor([[0.5]]))
    torch.testing.assert_close(got.structure[..., 0, 3], way)


def test_the_source_may_be_of_another_size_and_the_batch_of_either_be_one() -> None:
    own, source = codes((24, 32), batch=2), codes()
    got = transplanted(own, source, region(), (0, 3))
    assert got.size == (24, 32)
    assert torch.equal(got.structure[:, :, 1:3, 4:6], source.structure[..., 1:3, 1:3].expand(2, -1, -1, -1))
    assert len(transplanted(codes(), codes(batch=3), region())) == 3


def test_the_texture_comes_along_when_it_is_wanted() -> None:
    own, source = codes(), codes()
    got = transplanted(own, source, region(), (0, 1), with_texture=True)
    assert torch.equal(got.texture[..., 1:3, 2:4], source.texture[..., None, None].expand(1, 6, 2, 2))
    assert torch.equal(got.texture[..., 0, 0], own.texture)
    with pytest.raises(ValueError, match="not taken along"):
        transplanted(own, got, region(), with_texture=True)


def test_an_empty_region_changes_nothing_and_one_that_leaves_the_image_is_refused() -> None:
    own = codes()
    got = transplanted(own, codes(), torch.zeros(1, 1, 4, 5))
    assert torch.equal(got.structure, own.structure)
    with pytest.raises(ValueError, match="moved by 3 down and 0 right"):
        transplanted(own, codes(), region(), (3, 0))
    with pytest.raises(ValueError, match=r"4×4 places .* source of 4×5"):
        transplanted(own, codes(), torch.ones(1, 1, 4, 4))


def test_shifting_keeps_what_stays_inside() -> None:
    code = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert shifted(code, (1, -1), (3, 3))[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [5, 6, 7]]
    assert not shifted(code, (3, 0), (3, 4)).any()
    assert torch.equal(shifted(code, (0, 0), (3, 4)), code)


# ---- panoramas


@pytest.mark.parametrize("axis", ["x", "y"])
def test_joined_images_are_each_their_own_outside_the_zone_they_share(axis: str) -> None:
    a, b = codes((16, 20)), codes((16, 24) if axis == "x" else (28, 20))
    got = joined(a, b, STRIDE, axis, overlap=2)
    dim, sides = (3, (5, 6)) if axis == "x" else (2, (4, 7))
    assert got.structure.shape[dim] == sum(sides) - 2
    assert got.size == ((16, 36) if axis == "x" else (36, 20))
    for part, start, own in ((a, 0, 0), (b, sides[0], 2)):
        count = part.structure.shape[dim] - 2
        assert torch.equal(got.structure.narrow(dim, start, count), part.structure.narrow(dim, own, count))
        texture = part.texture[:, :, None, None].expand(-1, -1, *got.structure.shape[2:])
        assert torch.equal(got.texture.narrow(dim, start, count), texture.narrow(dim, start, count))
    torch.testing.assert_close(got.structure.norm(dim=1), torch.ones_like(got.structure[:, 0]))
    zone = got.texture.narrow(dim, sides[0] - 2, 2)
    to_b = (zone * b.texture[:, :, None, None]).sum(1)
    to_a = (zone * a.texture[:, :, None, None]).sum(1)
    assert (to_b - to_a).diff(dim=dim - 1).min() > 0


def test_without_an_overlap_images_lie_edge_to_edge() -> None:
    a, b = codes(), codes()
    got = joined(a, b, STRIDE, overlap=0)
    assert torch.equal(got.structure, torch.cat([a.structure, b.structure], 3))


def test_images_of_one_size_wholly_over_each_other_cross_fade() -> None:
    a, b = codes(), codes()
    got = joined(a, b, STRIDE, overlap=5)
    assert got.size == a.size
    mask = crossing(5, 0, 5).reshape(1, 1, 1, 5)
    torch.testing.assert_close(got.structure, between(a.structure, b.structure, mask))


def test_places_beyond_an_image_never_come_to_lie_inside_the_joined_one() -> None:
    a, b = codes((16, 18), spare=2), codes((16, 18), spare=2)
    got = joined(a, b, STRIDE, overlap=1)
    assert got.size == (16, 4 * STRIDE + 18)
    assert torch.equal(got.structure[..., 5:9], b.structure[..., 1:5])
    assert got.structure.shape[2:] == (6, 9)


def test_the_texture_of_the_first_may_be_that_of_all() -> None:
    a, b = codes(batch=2), codes()
    got = joined(a, b, STRIDE, overlap=1, joins_textures=False)
    assert torch.equal(got.texture, a.texture)
    assert len(got.structure) == 2


def test_images_that_do_not_join_are_refused() -> None:
    with pytest.raises(ValueError, match="16 and 20 px high"):
        joined(codes((16, 20)), codes((20, 20)), STRIDE)
    with pytest.raises(ValueError, match="16 and 20 px wide"):
        joined(codes((20, 16)), codes((20, 20)), STRIDE, axis="y")
    with pytest.raises(ValueError, match="overlap of 6 places"):
        joined(codes(), codes(), STRIDE, overlap=6)


def test_a_crossing_rises_from_0_to_1_over_its_width() -> None:
    weights = crossing(10, 3, 4)
    assert weights[:3].tolist() == [0, 0, 0]
    assert weights[7:].tolist() == [1, 1, 1]
    assert (weights[2:8].diff() > 0).all()
    torch.testing.assert_close(weights, 1 - weights.flip(0))
