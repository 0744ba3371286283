import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from swapae import Codes, SwappingAutoencoder
from swapae.codes import blend
from swapae.editing import angle, interpolate, lerp, slerp
from swapae.editing.interpolate import farthest
from swapae.editing.sphere import turned, unit

SHAPES = [(3, 8), (3, 8, 4, 5)]
close = torch.testing.assert_close


def at(degrees: float) -> Tensor:
    """A code of two channels in this direction."""
    return torch.tensor([[math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]])


def degrees(code: Tensor) -> float:
    return math.degrees(math.atan2(code[0, 1].item(), code[0, 0].item()))


# ── angles ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", [0.0, 1e-5, 0.3, 90.0, 135.0, 179.99999, 180.0])
def test_an_angle_is_measured_precisely_also_near_its_ends(wanted: float) -> None:
    a, b = at(0).double(), at(wanted).double()
    b = torch.tensor([[math.cos(math.radians(wanted)), math.sin(math.radians(wanted))]], dtype=torch.float64)
    assert angle(a, 7 * b).item() == pytest.approx(math.radians(wanted), rel=1e-9, abs=1e-15)


def test_angles_of_maps_are_by_place_and_a_vector_goes_with_every_place() -> None:
    a, b = torch.randn(1, 8), torch.randn(3, 8, 4, 5)
    found = angle(a, b)
    assert found.shape == (3, 1, 4, 5)
    one, other = a[0], b[2, :, 1, 3]
    close(found[2, 0, 1, 3].cos(), one @ other / (one @ one * (other @ other)).sqrt())


# ── slerp ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_steps_of_slerp_are_equal_angles_between_the_ends(shape: tuple[int, ...]) -> None:
    a, b = torch.randn(shape), torch.randn(shape)
    whole = angle(a, b)
    steps = [slerp(a, b, i / 8) for i in range(9)]
    for one, other in pairwise(steps):
        close(angle(one, other), whole / 8, atol=1e-5, rtol=0)
        close(one.norm(dim=1), torch.ones_like(one[:, 0]))
    close(steps[0], unit(a))
    close(steps[-1], unit(b))


@pytest.mark.parametrize("shape", SHAPES)
def test_slerp_goes_on_past_its_end_in_the_same_steps(shape: tuple[int, ...]) -> None:
    """Gain beyond 1 does something: the angle grows with the strength, though length is normalised away."""
    a = torch.randn(shape)
    b = a + 0.6 * torch.randn(shape)
    whole = angle(a, b)
    for strength in (1.25, 1.5, -0.5):
        assert (strength < farthest(a, b)).all()
        close(angle(a, slerp(a, b, strength)), abs(strength) * whole, atol=1e-5, rtol=0)
        close(angle(b, slerp(a, b, strength)), abs(strength - 1) * whole, atol=1e-5, rtol=0)


def test_slerp_stops_at_the_direction_of_the_difference() -> None:
    a, b = torch.randn(3, 8), torch.randn(3, 8)
    ahead, behind = slerp(a, b, 1e6), slerp(a, b, -1e6)
    close(ahead, unit(unit(b) - unit(a)), atol=1e-5, rtol=0)
    close(behind, -ahead, atol=1e-5, rtol=0)
    limit = farthest(a, b)
    close(slerp(a, b, limit[:, 0]), ahead, atol=1e-5, rtol=0)
    assert (angle(slerp(a, b, 0.99 * limit[:, 0]), ahead) > 1e-3).all()


@settings(max_examples=30)
@given(st.floats(-4, 6), st.floats(0.001, 1), st.integers(0, 9))
def test_the_angle_from_the_start_never_falls_as_the_strength_grows(s: float, more: float, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, 3, generator=draw).double(), torch.randn(2, 3, generator=draw).double()
    behind = slerp(a, b, -1e9)
    before, after = (angle(behind, slerp(a, b, amount)) for amount in (s, s + more))
    assert (after >= before - 1e-7).all()


def test_lerp_beyond_its_end_turns_less_and_less_where_slerp_does_not() -> None:
    a, b = at(0), at(40)
    assert [degrees(slerp(a, b, s)) for s in (1, 2, 2.5)] == pytest.approx([40, 80, 100], abs=1e-3)
    by_line = [degrees(lerp(a, b, s)) for s in (1, 2, 3, 1e6)]
    assert by_line == pytest.approx([40, 67.5, 81.2, 110], abs=0.1)
    assert degrees(slerp(a, b, 9.0)) == pytest.approx(110, abs=1e-3)


def test_lengths_do_not_count() -> None:
    a, b = torch.randn(3, 8), torch.randn(3, 8)
    close(slerp(5 * a, 0.01 * b, 0.3), slerp(a, b, 0.3))


@pytest.mark.parametrize("amount", [-1.0, 0.0, 0.5, 1.0, 3.0])
def test_between_equal_codes_lies_the_same_code(amount: float) -> None:
    a = torch.randn(3, 8, 4, 5)
    close(slerp(a, a.clone(), amount), unit(a), atol=2e-6, rtol=0)
    close(slerp(a, 3 * a, amount), unit(a), atol=2e-6, rtol=0)


def test_between_opposite_codes_one_way_is_taken_and_always_the_same() -> None:
    a = torch.randn(3, 8)
    for amount in (0.25, 0.5, 1.0):
        middle = slerp(a, -a, amount)
        close(angle(a, middle)[:, 0], torch.full((3,), math.pi * amount), atol=1e-3, rtol=0)
        assert torch.equal(middle, slerp(a, -a, amount))
    nearly = -a + 1e-7 * torch.randn(3, 8)
    assert slerp(a, nearly, 0.5).isfinite().all()


def test_places_of_a_map_with_equal_opposite_and_other_codes_do_not_disturb_each_other() -> None:
    a = torch.randn(1, 8, 1, 4)
    b = torch.cat([a[..., :1], -a[..., 1:2], torch.randn(1, 8, 1, 1), torch.zeros(1, 8, 1, 1)], dim=3)
    middle = slerp(a, b, 0.5)
    assert middle.isfinite().all()
    for place in range(4):
        alone = slerp(a[..., 0, place], b[..., 0, place], 0.5)
        close(middle[..., 0, place], alone)


def test_a_vector_and_a_map_go_together() -> None:
    vector, many = torch.randn(1, 8), torch.randn(3, 8, 2, 2)
    close(slerp(vector, many, 0.4)[2, :, 1, 0], slerp(vector, many[2:, :, 1, 0], 0.4)[0])
    close(lerp(many, vector, 0.4)[1, :, 0, 1], 0.6 * many[1, :, 0, 1] + 0.4 * vector[0])


def test_amounts_may_differ_by_image_and_by_place() -> None:
    a, b = torch.randn(2, 8, 1, 3), torch.randn(2, 8, 1, 3)
    by_image = slerp(a, b, torch.tensor([0.2, 0.7]))
    close(by_image, torch.cat([slerp(a[:1], b[:1], 0.2), slerp(a[1:], b[1:], 0.7)]))
    by_place = slerp(a, b, torch.tensor([0.0, 0.5, 1.0])[None, None, None])
    close(by_place[..., 0], unit(a)[..., 0])
    close(by_place[..., 1], slerp(a, b, 0.5)[..., 1])
    close(by_place[..., 2], unit(b)[..., 2])
    close(lerp(a, b, torch.tensor([0.0, 1.0])), torch.cat([a[:1], b[1:]]))


@pytest.mark.parametrize("go", [slerp, lerp])
@pytest.mark.parametrize(
    ("a", "b", "amount", "message"),
    [
        ((2, 8), (3, 8), 0.5, "batches of 2 and 3"),
        ((1, 8), (1, 7), 0.5, "8 and 7 channels"),
        ((1, 8, 2, 2), (1, 8, 2, 3), 0.5, "2×2, 2×3 places"),
        ((1, 8), (1, 8), math.nan, "nan is no strength"),
        ((1, 8), (1, 8), -math.inf, "-inf is no strength"),
        ((1, 8), (1, 8), torch.zeros(1, 3), "amounts"),
        ((2, 8), (2, 8), torch.zeros(2, 1, 3, 3), "amounts"),
    ],
)
def test_what_does_not_go_together_is_refused(
    go: Callable[..., Tensor], a: tuple[int, ...], b: tuple[int, ...], amount: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        go(torch.ones(a), torch.ones(b), amount)


def test_half_precision_comes_back_as_it_came() -> None:
    a, b = torch.randn(3, 8).bfloat16(), torch.randn(3, 8).bfloat16()
    for made in (slerp(a, b, 0.3), slerp(a, b, torch.tensor([0.3])), lerp(a, b, 0.3)):
        assert made.dtype == torch.bfloat16
    close(slerp(a, b, 0.3).float(), slerp(a.float(), b.float(), 0.3), atol=0.01, rtol=0)


def test_turning_by_an_angle_is_turning_by_that_angle() -> None:
    a, b = at(10), at(50)
    assert degrees(turned(a, b, math.radians(100))) == pytest.approx(110, abs=1e-3)
    assert degrees(turned(a, b, math.radians(-30))) == pytest.approx(-20, abs=1e-3)


# ── lerp and the published swap ──────────────────────────────────────────────────────────────────


def test_lerp_is_the_published_blend_bit_by_bit() -> None:
    a, b = torch.randn(3, 8), torch.randn(1, 8)
    for amount in (-0.5, 0.0, 0.3, 1.0, 2.0):
        assert torch.equal(lerp(a, b, amount), blend([a, b], [1 - amount, amount]))
    assert torch.equal(lerp(a, b, 0), a)
    assert torch.equal(lerp(a, b, 1), b.expand(3, 8))


def test_interpolating_along_a_line_decodes_to_the_models_swap(tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    a, b = torch.rand(2, 1, 3, 16, 20) * 2 - 1
    one, other = model.encode(a), model.encode(b)
    for strength in (0.0, 0.5, 1.0, 1.5):
        made = model.decode(interpolate(one, other, texture=strength, path="line"))
        assert torch.equal(made, model.swap(a, b, strength))


def test_gain_by_length_does_nothing_and_gain_by_angle_does(tiny_model: Path) -> None:
    model = SwappingAutoencoder.from_pretrained(tiny_model)
    one, other = (model.encode(image) for image in torch.rand(2, 1, 3, 16, 20) * 2 - 1)
    whole = model.decode(interpolate(one, other))
    longer = Codes(one.structure, 5 * other.texture, one.size)
    close(model.decode(longer), whole, atol=1e-4, rtol=0)
    assert (model.decode(interpolate(one, other, texture=2.0)) - whole).abs().max() > 0.01


# ── codes ────────────────────────────────────────────────────────────────────────────────────────


def codes(batch: int = 1, size: tuple[int, int] = (16, 20)) -> Codes:
    return Codes(torch.randn(batch, 4, 4, 5), torch.randn(batch, 6), size)


def test_interpolation_of_codes_moves_structure_and_texture_each_by_its_amount() -> None:
    a, b = codes(3, size=(15, 19)), codes()
    made = interpolate(a, b, structure=0.3, texture=0.8)
    close(made.structure, slerp(a.structure, b.structure, 0.3))
    close(made.texture, slerp(a.texture, b.texture, 0.8))
    assert made.size == (15, 19)
    one_to_many = interpolate(b, a, texture=0.5)
    assert torch.equal(one_to_many.structure, b.structure.expand(3, -1, -1, -1))
    assert one_to_many.texture.shape == (3, 6)


def test_what_is_not_moved_is_kept_bit_by_bit_and_need_not_fit() -> None:
    a, b = codes(), Codes(torch.randn(1, 4, 9, 9), torch.randn(1, 6), (36, 36))
    assert torch.equal(interpolate(a, b).structure, a.structure)
    assert torch.equal(interpolate(a, b, structure=0, texture=0).texture, a.texture)
    with pytest.raises(ValueError, match="4×5, 9×9 places"):
        interpolate(a, b, structure=0.5)
