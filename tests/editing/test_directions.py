import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from swapae import Codes
from swapae.editing import Direction, angle, apply, attribute, position, principal
from swapae.editing.directions import KINDS, Kind, rows
from swapae.editing.sphere import unit

close = torch.testing.assert_close
CS, CT, H, W = 4, 12, 3, 5
SHAPE = {"texture": (CT,), "structure": (CS,), "layout": (CS, H, W)}


def codes(batch: int = 1, texture: tuple[int, ...] = (CT,), draw: torch.Generator | None = None) -> Codes:
    structure = torch.randn(batch, CS, H, W, generator=draw)
    return Codes(unit(structure), unit(torch.randn(batch, *texture, generator=draw)), (4 * H, 4 * W))


def direction(kind: Kind = "texture", sigma: float = 0.2) -> Direction:
    vector = torch.randn(SHAPE[kind])
    return Direction("some", kind, vector / vector.norm(), sigma)


def moved(made: Codes, kind: Kind) -> Tensor:
    return made.texture if kind == "texture" else made.structure


# ── applying ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_equal_steps_of_strength_are_equal_angles_at_every_place(kind: Kind) -> None:
    own, along = codes(3), direction(kind)
    field = along.vector if kind == "layout" else along.vector.reshape(-1, 1, 1)
    step = 0.2 * (field[None].norm(dim=1, keepdim=True) if kind != "texture" else torch.ones(1, 1))
    made = [moved(apply(own, along, s), kind) for s in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    for i, j in ((0, 1), (1, 2), (2, 3), (3, 4), (0, 4)):
        apart = angle(made[i], made[j])
        close(apart, ((j - i) * step / 2).expand_as(apart), atol=2e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_code_of_the_directions_kind_changes(kind: Kind) -> None:
    own = codes(3)
    made = apply(own, direction(kind), 1.5)
    assert made.size == own.size
    assert torch.equal(made.structure, own.structure) == (kind == "texture")
    assert torch.equal(made.texture, own.texture) == (kind != "texture")
    assert apply(own, direction(kind), 0) is own
    assert apply(own, direction(kind), -0.0) is own


@pytest.mark.parametrize("kind", KINDS)
def test_one_way_and_back_is_where_it_began(kind: Kind) -> None:
    own, along = codes(2), direction(kind)
    again = apply(apply(own, along, 1.2), along, -1.2)
    close(again.structure, own.structure, atol=1e-5, rtol=0)
    close(again.texture, own.texture, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_direction_ends_where_the_code_points_along_it(kind: Kind) -> None:
    own, along = codes(3), direction(kind)
    pure = unit(along.vector[None] if kind != "structure" else along.vector[None, :, None, None])
    for strength in (1e4, -1e4):
        made = moved(apply(own, along, strength), kind)
        close(made, (math.copysign(1, strength) * pure).expand_as(made), atol=1e-5, rtol=0)


def test_the_place_along_a_direction_never_falls_as_the_strength_grows() -> None:
    own, along = codes(3), direction(sigma=0.3)
    places = torch.stack([position(apply(own, along, s / 4), along) for s in range(-60, 60)])
    assert (places.diff(dim=0) > -1e-5).all()
    assert (places[-1] > places[0] + 1).all()


def test_a_little_strength_moves_the_position_by_as_much() -> None:
    """Where the code is at a right angle to the direction, a strength of 1 is one σ of its projection."""
    along = Direction("some", "texture", torch.eye(CT)[0], sigma=0.01)
    own = Codes(torch.ones(1, CS, H, W), torch.eye(CT)[[1]], (12, 20))
    assert position(apply(own, along, 1.0), along).item() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_strengths_may_differ_by_image(kind: Kind) -> None:
    own, along = codes(3), direction(kind)
    made = moved(apply(own, along, torch.tensor([0.0, 1.0, -2.0])), kind)
    close(made[1:2], moved(apply(own[1], along, 1.0), kind))
    close(made[2:3], moved(apply(own[2], along, -2.0), kind))


def test_several_strengths_go_with_one_image() -> None:
    own = codes()
    for kind in KINDS:
        along = direction(kind)
        made = apply(own, along, torch.tensor([-1.0, 0.0, 2.0]))
        assert (len(made.structure), len(made.texture)) == (3, 3)
        close(moved(made, kind)[2:], moved(apply(own, along, 2.0), kind))


def test_a_texture_map_is_moved_at_every_place_and_strengths_may_be_a_mask() -> None:
    own, along = codes(2, (CT, 2, 3)), direction()
    made = apply(own, along, 1.0).texture
    close(
        made[1:, :, 1, 2],
        apply(Codes(own.structure[1:], own.texture[1:, :, 1, 2], own.size), along, 1.0).texture,
    )
    mask = torch.zeros(1, 1, 2, 3)
    mask[..., 1, 2] = 1
    masked = apply(own, along, mask).texture
    close(masked[..., 1, 2], made[..., 1, 2])
    close(masked[..., 0, :], own.texture[..., 0, :])
    assert position(own, along).shape == (2,)


@pytest.mark.parametrize(
    ("vector", "kind", "message"),
    [
        ((7,), "texture", "'x' is a direction of 7 channels of texture; these codes have 12"),
        ((7,), "structure", "7 channels of structure; these codes have 4"),
        ((CS, 2, 2), "layout", "layouts of 2×2 places, these have 3×5"),
    ],
)
def test_a_direction_of_other_codes_is_refused(vector: tuple[int, ...], kind: Kind, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apply(codes(), Direction("x", kind, torch.ones(vector), 0.1), 1.0)


@pytest.mark.parametrize("strength", [math.nan, math.inf])
def test_a_strength_that_is_not_finite_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="is no strength"):
        apply(codes(), direction(), strength)


# ── principal directions ─────────────────────────────────────────────────────────────────────────


def batches(num: int = 50, size: int = 100) -> Iterator[Codes]:
    """Codes that vary along few directions more than along others, always the same."""
    draw = torch.Generator().manual_seed(3)
    for _ in range(num):
        texture = 1 + torch.randn(size, CT, generator=draw) * 0.8 ** torch.arange(CT)
        structure = (
            0.5 + torch.randn(size, CS, H, W, generator=draw) * (0.5 ** torch.arange(CS))[:, None, None]
        )
        yield Codes(unit(structure), unit(texture), (12, 20))


@pytest.mark.parametrize("kind", KINDS)
def test_directions_and_their_sigmas_are_numpys_pca_of_all_codes(kind: Kind) -> None:
    found = principal(batches(), [kind], num=3)
    everything = torch.cat([rows(part, kind) for part in batches()]).double().numpy()
    mean = everything.mean(0)
    _, values, axes = np.linalg.svd(everything - mean, full_matrices=False)
    variances = values**2 / (len(everything) - 1)
    assert [one.name for one in found] == [f"{kind}1", f"{kind}2", f"{kind}3"]
    for one, axis, variance in zip(found, axes, variances, strict=False):
        flat = one.vector.double().flatten().numpy()
        assert one.vector.shape == SHAPE[kind]
        assert abs(flat @ axis) == pytest.approx(1, rel=1e-6)
        assert one.sigma == pytest.approx(variance**0.5, rel=1e-6)
        assert one.share == pytest.approx(variance / variances.sum(), rel=1e-6)
        assert one.center == pytest.approx(mean @ flat, rel=1e-5, abs=1e-7)
        assert (one.kind, one.num_images, one.gap) == (kind, 5000, None)


def test_several_kinds_are_found_in_one_pass() -> None:
    source = batches()
    found = principal(source, ["structure", "texture"], num=99)
    assert next(source, None) is None
    assert [one.name for one in found[:CS]] == [f"structure{i + 1}" for i in range(CS)]
    assert [one.kind for one in found[CS:]] == ["texture"] * CT
    assert sum(one.share or 0 for one in found[:CS]) == pytest.approx(1)


def test_the_structure_of_a_layout_is_laid_out_as_it_is_applied() -> None:
    part = codes(5)
    along = Direction("x", "layout", unit(torch.randn(1, CS * H * W)).reshape(CS, H, W), 1.0)
    close(position(part, along), rows(part, "layout") @ along.vector.flatten())


@pytest.mark.parametrize("kind", KINDS)
def test_the_codes_a_direction_was_found_in_lie_around_its_middle_by_sigma(kind: Kind) -> None:
    (one,) = principal(batches(), [kind], num=1)
    places = torch.cat([position(part, one) for part in batches()])
    assert abs(places.mean().item()) < 1e-4
    if kind != "structure":  # there σ is that of single places
        assert places.std().item() == pytest.approx(1, abs=1e-4)


def test_codes_that_cannot_have_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="two images or more, not 0"):
        principal([], ["texture"])
    with pytest.raises(ValueError, match="two images or more, not 1"):
        principal([codes()], ["structure"])
    one = codes()
    with pytest.raises(ValueError, match="do not vary in their texture"):
        principal([one, one], ["texture"])
    other = Codes(torch.randn(1, CS, 2, 2), torch.randn(1, CT), (8, 8))
    with pytest.raises(ValueError, match="images of one size"):
        principal([codes(), other], ["layout"])
    assert principal([codes(), other], ["structure"])


# ── attributes ───────────────────────────────────────────────────────────────────────────────────


def groups(kind: Kind, num: tuple[int, int] = (20, 30)) -> tuple[Codes, Codes, Tensor]:
    """Two groups of codes that differ by a known vector."""
    has = torch.randn(SHAPE[kind])
    has /= has.norm()
    shift = has[:, None, None] if kind == "structure" else has
    parts = []
    for size, sense in zip(num, (1, -1), strict=True):
        own = codes(size)
        if kind == "texture":
            parts.append(Codes(own.structure, unit(0.3 * own.texture + 0.3 * sense * shift + 0.6), own.size))
        else:
            parts.append(Codes(unit(0.3 * own.structure + sense * shift + 0.6), own.texture, own.size))
    return parts[0], parts[1], has


@pytest.mark.parametrize("kind", KINDS)
def test_an_attribute_is_the_difference_of_the_mean_codes(kind: Kind) -> None:
    a, b, _ = groups(kind)
    one = attribute("snow", iter([a[:7], a[7:]]), [b], kind)
    difference = (rows(a, kind).mean(0) - rows(b, kind).mean(0)).reshape(SHAPE[kind])
    close(one.vector, difference / difference.norm())
    assert (one.name, one.kind, one.num_images, one.share) == ("snow", kind, 50, None)
    assert one.gap is not None
    assert one.gap * one.sigma == pytest.approx(difference.norm().item(), rel=1e-5)


def test_the_sigma_of_an_attribute_is_that_of_both_groups_each_counting_half() -> None:
    a, b, _ = groups("texture", (25, 25))
    one = attribute("snow", [a], [b])
    along = torch.cat([a.texture, b.texture]) @ one.vector
    assert one.sigma == pytest.approx(along.std(correction=0).item(), rel=1e-4)
    assert one.center == pytest.approx(along.mean().item(), rel=1e-4)
    unequal = attribute("snow", [a, a, a], [b])
    assert unequal.sigma == pytest.approx(one.sigma, rel=1e-4)
    assert attribute("x", [a], [b[:1]]).gap is not None


def test_an_attribute_moves_one_group_to_where_the_other_is() -> None:
    a, b, _ = groups("texture")
    one = attribute("snow", [a], [b])
    assert one.gap is not None
    assert 1 < one.gap <= 2
    places = position(b, one).mean(), position(apply(b, one, one.gap), one).mean(), position(a, one).mean()
    assert abs(places[1] - places[2]) < 0.25 * abs(places[0] - places[2])
    assert position(apply(b, one, 2 * one.gap), one).mean() > places[1] + 0.5


def test_attributes_of_the_two_senses_are_opposite() -> None:
    a, b, _ = groups("structure")
    one, other = attribute("x", [a], [b], "structure"), attribute("x", [b], [a], "structure")
    close(one.vector, -other.vector)
    assert one.sigma == pytest.approx(other.sigma)
    assert one.center == pytest.approx(-other.center)


def test_groups_that_say_nothing_are_refused() -> None:
    a, b, _ = groups("texture")
    with pytest.raises(ValueError, match="empty"):
        attribute("x", [a], [])
    with pytest.raises(ValueError, match="same mean"):
        attribute("x", [a], [a])
    other = Codes(torch.randn(1, CS, 2, 2), torch.randn(1, CT), (8, 8))
    with pytest.raises(ValueError, match="one size"):
        attribute("x", [a], [other], "layout")
    with pytest.raises(ValueError, match="one size"):
        attribute("x", [a, other], [b], "layout")
