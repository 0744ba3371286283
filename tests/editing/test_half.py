"""Codes in half precision, as a model in it makes them; and codes without length or sense."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from swapae.codes import Codes
from swapae.editing import (
    Direction,
    Layer,
    apply,
    attribute,
    click_mask,
    interpolate,
    joined,
    mix,
    painted,
    position,
    principal,
    pushed,
    similarity,
    transplanted,
    within,
)
from swapae.editing.directions import KINDS, Kind

CS, CT, H, W = 4, 6, 3, 5
SHAPES: dict[Kind, tuple[int, ...]] = {"texture": (CT,), "structure": (CS,), "layout": (CS, H, W)}
MASKS = torch.zeros(2, 1, H, W), torch.ones(2, 1, H, W), torch.linspace(0, 1, W).expand(2, 1, H, W)

Edit = Callable[[Codes, Codes], Codes | Tensor]


def direction(kind: Kind) -> Direction:
    vector = torch.linspace(-1, 2, math.prod(SHAPES[kind])).reshape(SHAPES[kind])
    return Direction("d", kind, vector / vector.norm(), 0.3)


def painted_by(mask: Tensor) -> Edit:
    return lambda a, b: painted(a, [Layer(b.texture, mask, 0.7), Layer(a.texture.flip(0), mask.flip(3), 1.4)])


EDITS: dict[str, Edit] = {
    "between": lambda a, b: interpolate(a, b, structure=0.4, texture=0.6),
    "past": lambda a, b: interpolate(a, b, texture=1.5),
    "along the line": lambda a, b: interpolate(a, b, structure=0.4, texture=0.6, path="line"),
    "mixed": lambda a, b: mix([a, b, a[:1]], textures=[1, 2, 1], structures=[2, 1, 0]),
    "joined": lambda a, b: joined(a, b, 4, "x", 2),
    "pushed": lambda a, b: pushed(a, torch.linspace(-1, 1, CS), 0.8, MASKS[2]),
    "liked": lambda a, b: similarity(a, (1, 2)),
    "clicked": lambda a, b: click_mask(a, [(1, 2), (2, 4)], 0.1, 0.2, connected_only=True, centered=True),
    **{f"painted {i}": painted_by(mask) for i, mask in enumerate(MASKS)},
    **{f"within {i}": lambda a, b, mask=mask: within(a, b, mask) for i, mask in enumerate(MASKS)},  # type: ignore[misc]
    **{f"put in {i}": lambda a, b, m=mask: transplanted(a, b, m, (0, 1)) for i, mask in enumerate(MASKS)},  # type: ignore[misc]
    **{f"moved by {kind}": lambda a, b, kind=kind: apply(a, direction(kind), 1.2) for kind in KINDS},  # type: ignore[misc]
    **{f"placed by {kind}": lambda a, b, kind=kind: position(a, direction(kind)) for kind in KINDS},  # type: ignore[misc]
}  # fmt: skip


def some(seed: int, dtype: torch.dtype = torch.float32) -> Codes:
    draw = torch.Generator().manual_seed(seed)
    structure, texture = torch.randn(2, CS, H, W, generator=draw), torch.randn(2, CT, generator=draw)
    return Codes(structure.to(dtype), texture.to(dtype), (H * 4 - 1, W * 4))


def parts(made: Codes | Tensor) -> list[Tensor]:
    return [made.structure, made.texture] if isinstance(made, Codes) else [made]


def scaled(codes: Codes, by: float) -> Codes:
    return Codes(codes.structure * by, codes.texture * by, codes.size)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", EDITS)
def test_codes_in_half_precision_are_edited_as_others(name: str, dtype: torch.dtype) -> None:
    a, b = some(1, dtype), some(2, dtype)
    wide = [Codes(one.structure.float(), one.texture.float(), one.size) for one in (a, b)]
    for half, full in zip(parts(EDITS[name](a, b)), parts(EDITS[name](*wide)), strict=True):
        torch.testing.assert_close(half.float(), full, atol=0.03, rtol=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", EDITS)
def test_codes_without_length_and_opposite_ones_give_finite_numbers(name: str, dtype: torch.dtype) -> None:
    one = some(1, dtype)
    for a, b in ((one, scaled(one, 0)), (scaled(one, 0), one), (one, scaled(one, -1)), (one, one)):
        assert all(part.isfinite().all() for part in parts(EDITS[name](a, b)))


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_are_none_make_no_directions(kind: Kind) -> None:
    good, bad = some(1), scaled(some(2), math.nan)
    with pytest.raises(ValueError, match="numbers that are none"):
        principal([good, bad], [kind])
    with pytest.raises(ValueError, match="numbers that are none"):
        attribute("x", [good], [bad], kind)
