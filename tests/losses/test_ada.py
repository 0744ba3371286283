"""The transforms of adaptive discriminator augmentation, each against a slow reference, and its rule."""

import math

import pytest
import torch
from torch import Tensor

from swapae.losses import ada
from swapae.losses.ada import DRAWS, adapted, blitted, color_map, colored, inverse_map, normal, warped

ONE = torch.tensor(1.0, dtype=torch.float64)
NEVER = torch.tensor(0.0, dtype=torch.float64)
TRANSFORMS = [name.removesuffix("?") for name in DRAWS if name.endswith("?")]


def images(batch: int = 8, size: int = 16) -> Tensor:
    return torch.rand(batch, 3, size, size, dtype=torch.float64) * 2 - 1


def chances(batch: int = 8, only: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Random draws; only the transforms named happen."""
    u = {name: torch.rand(batch, dtype=torch.float64) for name in DRAWS}
    for name in TRANSFORMS:
        u[f"{name}?"] = torch.full((batch,), 0.0 if name in only else 2.0, dtype=torch.float64)
    return u


def matrix(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# ── strength ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", ada.STAGES.values(), ids=ada.STAGES)
def test_at_strength_0_nothing_happens_to_any_bit(stage: object) -> None:
    real = images()
    u = {name: torch.rand(8, dtype=torch.float64) for name in DRAWS}
    u |= {name: torch.zeros(8, dtype=torch.float64) for name in DRAWS if name.endswith("?")}
    found = stage(real, u, NEVER)  # type: ignore[operator]
    if stage is colored:
        torch.testing.assert_close(found, real, rtol=0, atol=1e-15)  # a matrix product with the identity
    else:
        assert torch.equal(found, real)


def test_every_transform_happens_with_the_probability_that_is_the_strength() -> None:
    number, p = 20_000, torch.tensor(0.3)
    random = torch.Generator().manual_seed(0)
    u = {name: torch.rand(number, generator=random) for name in DRAWS}
    inverse, is_moved = inverse_map(u, p)
    for name in ("scale", "stretch", "move"):
        lonely = u | {f"{other}?": torch.full((number,), 2.0) for other in TRANSFORMS if other != name}
        assert inverse_map(lonely, p)[1].float().mean().item() == pytest.approx(0.3, abs=0.015)
    both = u | {f"{other}?": torch.full((number,), 2.0) for other in ("scale", "stretch", "move")}
    assert inverse_map(both, p)[1].float().mean().item() == pytest.approx(0.3, abs=0.015)
    assert is_moved.float().mean().item() == pytest.approx(1 - 0.7**4, abs=0.015)
    identity = torch.eye(2, 3).expand_as(inverse)
    assert torch.equal(inverse[~is_moved], identity[~is_moved])
    linear, offset = color_map(u, p)
    is_same = (linear - torch.eye(3)).abs().amax((1, 2)) + offset.abs().amax(1) < 1e-6
    # Luma is flipped in half of the cases only.
    assert is_same.float().mean().item() == pytest.approx(0.7**4 * 0.85, abs=0.015)


def test_normal_draws_are_normal_and_finite() -> None:
    u = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    x = normal(u)
    assert x.mean().item() == pytest.approx(0, abs=0.02)
    assert x.std().item() == pytest.approx(1, abs=0.02)
    assert (x.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=0.01)
    assert normal(torch.tensor([0.0, 0.5, 1 - 2**-24])).isfinite().all()
    assert normal(torch.tensor(0.0)) < -5


# ── pixels as they are ───────────────────────────────────────────────────────────────────────────


def test_pixels_are_mirrored_turned_and_shifted_in_this_order() -> None:
    real, u = images(64, 16), chances(64, ("flip", "turn", "shift"))
    found = blitted(real, u, ONE)
    seen = set()
    for i, image in enumerate(real):
        is_flipped, quarters = bool(u["flip0"][i] < 0.5), int(4 * u["turn0"][i])
        right, down = (round((2 * float(u[f"shift{k}"][i]) - 1) * 2) for k in (0, 1))
        seen.add((is_flipped, quarters))
        x = image.flip(2) if is_flipped else image
        x = x.rot90(quarters, (1, 2))
        x = torch.cat([x.flip(1), x, x.flip(1)], 1)  # mirrored beyond the border
        x = torch.cat([x.flip(2), x, x.flip(2)], 2)
        assert torch.equal(found[i], x[:, 16 - down : 32 - down, 16 - right : 32 - right])
    assert len(seen) == 8


def test_a_turn_is_undone_by_three_more() -> None:
    real = images(4)
    u = chances(4, ("turn",)) | {"turn0": torch.tensor([0.1, 0.3, 0.6, 0.9])}
    back = u | {"turn0": torch.tensor([0.1, 0.9, 0.6, 0.3])}
    assert torch.equal(blitted(blitted(real, u, ONE), back, ONE), real)
    flip = chances(4, ("flip",)) | {"flip0": torch.zeros(4)}
    assert torch.equal(blitted(blitted(real, flip, ONE), flip, ONE), real)


# ── geometry ─────────────────────────────────────────────────────────────────────────────────────


def test_the_map_undoes_scale_rotation_stretch_rotation_and_move_in_their_order() -> None:
    u = chances(8, ("scale", "rotate", "stretch", "rotate_again", "move"))
    found, is_moved = inverse_map(u, ONE)
    assert is_moved.all()
    for i in range(8):
        scale, stretch = (2 ** (0.2 * float(normal(u[f"{name}0"][i]))) for name in ("scale", "stretch"))
        first, second = (math.pi * (2 * float(u[f"{name}0"][i]) - 1) for name in ("rotate", "rotate_again"))
        # A half side is 1 here, so an eighth of the side is a quarter.
        x, y = (0.25 * float(normal(u[f"move{k}"][i])) for k in (0, 1))
        forward = torch.eye(3, dtype=torch.float64)
        for step in (
            matrix([scale, 0, 0], [0, scale, 0], [0, 0, 1]),
            turn(first),
            matrix([stretch, 0, 0], [0, 1 / stretch, 0], [0, 0, 1]),
            turn(second),
            matrix([1, 0, x], [0, 1, y], [0, 0, 1]),
        ):
            forward = step @ forward
        torch.testing.assert_close(found[i], torch.linalg.inv(forward)[:2])


def turn(angle: float) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    return matrix([cos, -sin, 0], [sin, cos, 0], [0, 0, 1])


def test_images_to_which_nothing_happens_keep_every_bit_beside_others_that_move() -> None:
    real, u = images(4), chances(4, ("move",))
    u["move?"][::2] = 2.0
    found = warped(real, u, ONE)
    assert torch.equal(found[::2], real[::2])
    assert (found[1::2] - real[1::2]).abs().amax((1, 2, 3)).min() > 0.1


# ── colour ───────────────────────────────────────────────────────────────────────────────────────


def test_colours_change_by_brightness_contrast_luma_hue_and_saturation_in_their_order() -> None:
    u = chances(32, ("brightness", "contrast", "luma", "hue", "saturation"))
    real = images(32)
    found = colored(real, u, ONE)
    v = torch.full((3,), 1 / math.sqrt(3), dtype=torch.float64)
    for i in range(32):
        x = real[i].flatten(1)
        x = x + 0.2 * normal(u["brightness0"][i])
        x = x * 2 ** (0.5 * normal(u["contrast0"][i]))
        if u["luma0"][i] < 0.5:
            x = x - 2 * v[:, None] * (v @ x)  # the mirror image at the plane across v
        x = about_gray(x, math.pi * (2 * float(u["hue0"][i]) - 1))
        gray = v[:, None] * (v @ x)
        x = gray + (x - gray) * 2 ** normal(u["saturation0"][i])
        torch.testing.assert_close(found[i].flatten(1), x)


def about_gray(colors: Tensor, angle: float) -> Tensor:
    """Rotate colours [3, N] about (1, 1, 1), by Rodrigues' formula."""
    v = torch.full_like(colors, 1 / math.sqrt(3))
    cross = torch.linalg.cross(v, colors, dim=0)
    along = v * (v * colors).sum(0)
    return colors * math.cos(angle) + cross * math.sin(angle) + along * (1 - math.cos(angle))


def test_a_third_of_a_turn_in_hue_makes_red_green() -> None:
    u = chances(1, ("hue",)) | {"hue0": torch.tensor([0.5 + 1 / 3], dtype=torch.float64)}
    red = torch.tensor([1.0, 0, 0], dtype=torch.float64).view(1, 3, 1, 1)
    green = torch.tensor([0, 1.0, 0], dtype=torch.float64).view(1, 3, 1, 1)
    torch.testing.assert_close(colored(red, u, ONE), green, rtol=0, atol=1e-12)


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────


def test_the_strength_rises_where_the_discriminator_is_too_sure_and_stays_between_0_and_1() -> None:
    for p, sign, expected in (
        (0.5, 0.7, 0.6),
        (0.5, 0.5, 0.4),
        (0.5, 0.6, 0.5),
        (0.05, -1.0, 0.0),
        (0.95, 1.0, 1.0),
    ):
        found = adapted(torch.tensor(p), torch.tensor(sign), 0.6, 0.1)
        assert found.item() == pytest.approx(expected)
