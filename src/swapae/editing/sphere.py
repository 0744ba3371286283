"""Codes as points of a sphere, which edits turn: the generator drops their length (model-spec §2.8, §4).

Everything here is over dimension 1: a texture vector `[B, C]` is one point, a map `[B, C, h, w]` has one at
each place. Angles are in radians.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.codes import common_batch

NO_PLANE = 1e-6  # sine of an angle below which two float32 vectors do not say in which plane they differ

Amount = float | Tensor  # one for all; or one an image, `[B]`; or one a place, `[B or 1, 1, h, w]`


def angle(a: Tensor, b: Tensor) -> Tensor:
    """Measure the angle between codes, `[B, 1]` or `[B, 1, h, w]`, precisely also near 0 and near π.

    By W. Kahan's formula: an arc cosine would lose half of the digits there.
    """
    a, b = matched(a, b)
    a, b = unit(a), unit(b)
    return 2 * torch.atan2(length(a - b), length(a + b))


def turned(start: Tensor, toward: Tensor, by: Amount) -> Tensor:
    """Turn codes by an angle, in the plane in which `toward` lies; the result has length 1.

    Where both are equal or opposite there are many such planes, and one is taken, always the same.
    """
    start, toward = matched(start, toward)
    u = unit(start)
    by = spread(by, u)
    if isinstance(by, float):
        return (math.cos(by) * u + math.sin(by) * tangent(u, unit(toward))).to(start.dtype)
    return (by.cos() * u + by.sin() * tangent(u, unit(toward))).to(start.dtype)


def turned_at_most(start: Tensor, toward: Tensor, by: Tensor) -> Tensor:
    """Turn codes by angles, but not past the direction itself, nor, by negative ones, past its opposite."""
    start, toward = matched(start, toward)
    there = angle(start, toward)
    return turned(
        start, toward, torch.minimum(torch.maximum(spread_tensor(by, start), there - math.pi), there)
    )


def tangent(u: Tensor, v: Tensor) -> Tensor:
    """Give the unit vector at `u` that points along the great circle to `v`, both of length 1."""
    across = _orthogonal(_orthogonal(v, u), u)  # twice: the first time leaves what rounding left
    lengths = length(across)
    is_plane = lengths > NO_PLANE
    return torch.where(is_plane, across / lengths.clamp(min=NO_PLANE), _any_tangent(u))


def unit(v: Tensor) -> Tensor:
    """Bring codes to length 1, in float32 or better; zeros stay zeros."""
    return F.normalize(v if v.dtype == torch.float64 else v.float(), dim=1)


def length(v: Tensor) -> Tensor:
    """Measure the lengths of codes, `[B, 1]` or `[B, 1, h, w]`."""
    return v.square().sum(dim=1, keepdim=True).sqrt()


def matched(*codes: Tensor) -> Sequence[Tensor]:
    """Bring codes to a form in which they go together: vectors become maps of 1 × 1 if there is a map.

    Raises:
        ValueError: their channels, their maps' sizes or their batches do not fit.
    """
    common_batch(*map(len, codes))
    if any(code.ndim == 4 for code in codes):
        codes = tuple(code[:, :, None, None] if code.ndim == 2 else code for code in codes)
    if len({code.shape[1] for code in codes}) > 1:
        raise ValueError(f"codes of {_listed(codes, 1)} channels do not go together: two models made them.")
    if len({code.shape[2:] for code in codes if code.shape[2:] != (1, 1)}) > 1:
        sizes = ", ".join("×".join(map(str, code.shape[2:])) for code in codes)
        raise ValueError(f"codes of {sizes} places do not go together: bring the images to one size first.")
    return codes


def spread(amount: Amount, code: Tensor) -> Amount:
    """Give an amount the dimensions of a code.

    Raises:
        ValueError: it is no finite number, or of another shape.
    """
    if isinstance(amount, Tensor):
        return spread_tensor(amount, code)
    if not math.isfinite(amount):
        raise ValueError(f"{amount} is no strength: give a finite number.")
    return float(amount)


def spread_tensor(amount: Tensor, code: Tensor) -> Tensor:
    """Do so for a tensor."""
    amount = amount.to(code.device, torch.promote_types(code.dtype, torch.float32))
    if amount.ndim <= 1:
        amount = amount.reshape(-1, *[1] * (code.ndim - 1))
    if amount.ndim != code.ndim or amount.shape[1] != 1:
        raise ValueError(
            f"amounts {list(amount.shape)} are neither one an image nor one a place of {code.ndim}D codes."
        )
    return amount


def _orthogonal(v: Tensor, u: Tensor) -> Tensor:
    return v - u * (u * v).sum(dim=1, keepdim=True)


def _any_tangent(u: Tensor) -> Tensor:
    """Give a tangent at `u` that depends on it alone: the axis from which it is farthest, made orthogonal."""
    axis = torch.zeros_like(u).scatter_(1, u.abs().argmin(dim=1, keepdim=True), 1.0)
    return F.normalize(_orthogonal(axis, u), dim=1)


def _listed(codes: Sequence[Tensor], dim: int) -> str:
    return " and ".join(dict.fromkeys(str(code.shape[dim]) for code in codes))
