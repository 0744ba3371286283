"""Directions in which codes are moved by strengths: principal ones, and attributes (model-spec §11.3).

A strength of 1 is the standard deviation σ of codes along the direction, so that 1 is a common difference
and 3 a rare one for every direction. As the generator drops the length of codes, they are turned, by σ as an
angle in radians.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from swapae.codes import Codes, paired
from swapae.editing.pca import Axes, Stream, stream
from swapae.editing.sphere import Amount, length, spread, spread_tensor, turned_at_most, unit

Kind = Literal["texture", "structure", "layout"]
KINDS: tuple[Kind, ...] = ("texture", "structure", "layout")


@dataclass(frozen=True, eq=False)
class Direction:
    """A way to move codes.

    Attributes:
        name: by which it is asked for.
        kind: of what: `texture`; `structure`, the same at every place; or `layout`, the structure of aligned
            images, where each place has its own.
        vector: of length 1 as a whole: `[Ct]`, `[Cs]`, or `[Cs, h, w]`.
        sigma: standard deviation along it of the codes it was found in.
        center: where their mean lies along it.
        num_images: in how many images it was found.
        share: of the variance of all codes that is along it; None of an attribute.
        gap: from the mean of one group to that of the other, in σ; None of a principal direction.
    """

    name: str
    kind: Kind
    vector: Tensor
    sigma: float
    center: float = 0.0
    num_images: int = 0
    share: float | None = None
    gap: float | None = None

    @property
    def degrees(self) -> float:
        """By how many degrees a strength of 1 turns codes, in the mean over the places of a layout."""
        num_places = self.vector[0].numel() if self.kind == "layout" else 1
        return math.degrees(self.sigma / num_places**0.5)


def apply(codes: Codes, direction: Direction, strength: Amount) -> Codes:
    """Move codes along a direction.

    Every code is turned toward the direction by `strength · σ` as an angle (at a place of a layout: by the
    part of it that is the place's), so equal steps of strength are equal angles. They go on until the code
    points along the direction, or by negative strengths against it, where nothing of its own is left.

    Args:
        codes: of any images; for a layout of the size on which the direction was found.
        direction: of the model that made the codes.
        strength: in units of σ; 0 leaves the codes as they are, bit by bit; several, `[B]`, go with one
            image.

    Raises:
        ValueError: the direction is of codes of another shape, or the strength is not finite.
    """
    code = _code(codes, direction.kind)
    field = _field(direction, code)
    if isinstance(strength, float | int) and strength == 0:
        return codes
    by = _tensor(strength, code) * direction.sigma * length(field)
    moved = turned_at_most(code, field, by)
    if direction.kind == "texture":
        return paired(codes, moved)
    texture = codes.texture.expand(len(moved), *codes.texture.shape[1:])
    return Codes(moved, texture, codes.size)


def position(codes: Codes, direction: Direction) -> Tensor:
    """Tell where images lie along a direction, in σ from the mean of the codes it was found in: `[B]`.

    The mean over the places of a map.
    """
    code = unit(_code(codes, direction.kind))
    along = (code * _field(direction, code)).sum(1).reshape(len(code), -1)
    values = along.sum(1) if direction.kind == "layout" else along.mean(1)
    return (values - direction.center) / direction.sigma


def principal(codes: Iterable[Codes], kinds: Sequence[Kind], num: int = 16) -> list[Direction]:
    """Find the directions in which codes vary most, in one pass over them and in constant memory.

    - texture: axes of the texture codes (model-spec §11.3.4).
    - structure: axes of the vectors at all places of all images (§11.3.3: 5,000 images).
    - layout: axes of whole structure codes, for images that are aligned, as faces are (§11.3.4).

    They are called texture1, texture2, … by falling variance.

    Args:
        codes: batches of codes of many images; of images of one size for a layout.
        kinds: of what directions are sought.
        num: how many of each kind, at most; there are no more than channels.

    Raises:
        ValueError: there are fewer than two images, they do not vary, or sizes differ.
    """
    streams: dict[Kind, Stream] = {}
    shape, num_images = torch.Size(), 0
    for part in codes:
        shape = part.structure.shape[1:] if not num_images else shape
        if "layout" in kinds and part.structure.shape[1:] != shape:
            raise ValueError("layouts are of images of one size; these differ.")
        for kind in kinds:
            some = rows(part, kind)
            streams.setdefault(kind, stream(some.shape[1], num)).add(some)
        num_images += len(part)
    if num_images < 2:
        raise ValueError(f"principal directions need two images or more, not {num_images}.")
    return [
        direction
        for kind in kinds
        for direction in _named(
            streams[kind].axes(num), kind, num_images, shape if kind == "layout" else None
        )
    ]


def attribute(name: str, toward: Iterable[Codes], away: Iterable[Codes], kind: Kind = "texture") -> Direction:
    """Find what one group of images has that another has not: the difference of their mean codes (§11.3.2).

    σ is that along it of the images of both groups, each group counting as half of them. So a strength of
    `gap` goes from the middle of one group to that of the other; it is at most 2, and near 2 where the groups
    are pure.

    Args:
        name: of the direction.
        toward: codes of images that have it, about ten or more.
        away: codes of images that do not, but are like them otherwise.
        kind: of what.

    Raises:
        ValueError: a group is empty, or the two have the same mean, or sizes of layouts differ.
    """
    groups = [_all_rows(codes, kind) for codes in (toward, away)]
    with_it, without = (group.rows.double() for group in groups)
    if groups[0].shape != groups[1].shape:
        raise ValueError("the groups differ in the shape of their codes; bring their images to one size.")
    difference = with_it.mean(0) - without.mean(0)
    gap = difference.norm().item()
    if gap < 1e-6:
        raise ValueError("both groups have the same mean: nothing tells one from the other.")
    vector = difference / gap
    spreads = [(group @ vector).var(correction=0).item() for group in (with_it, without)]
    sigma = (sum(spreads) / 2 + gap**2 / 4) ** 0.5
    center = (with_it.mean(0) + without.mean(0)) @ vector / 2
    shaped = vector.reshape(groups[0].shape) if kind == "layout" else vector
    num_images = groups[0].num_images + groups[1].num_images
    return Direction(name, kind, shaped.float(), sigma, center.item(), num_images, gap=gap / sigma)


def rows(codes: Codes, kind: Kind) -> Tensor:
    """Lay codes out as the vectors `[N, D]` in which directions of a kind are found, of length 1 a point.

    Raises:
        ValueError: a number in them is infinite or none.
    """
    code = unit(_code(codes, kind))
    if not code.isfinite().all():
        raise ValueError(f"codes of {kind} hold numbers that are none: the model's weights are damaged.")
    if kind == "layout":
        return code.flatten(1)
    return code if code.ndim == 2 else code.permute(0, 2, 3, 1).flatten(0, 2)


@dataclass(frozen=True, eq=False)
class _Group:
    rows: Tensor
    shape: torch.Size  # of one row's code
    num_images: int


def _all_rows(codes: Iterable[Codes], kind: Kind) -> _Group:
    found, shapes, num_images = [], set(), 0
    for part in codes:
        some = rows(part, kind)
        found.append(some.cpu())
        shapes.add(part.structure.shape[1:] if kind == "layout" else some.shape[1:])
        num_images += len(part)
    if not num_images:
        raise ValueError("a group of images is empty.")
    if len(shapes) > 1:
        raise ValueError("layouts are of images of one size; these differ.")
    return _Group(torch.cat(found), shapes.pop(), num_images)


def _named(axes: Axes, kind: Kind, num_images: int, shape: torch.Size | None) -> list[Direction]:
    if not len(axes.vectors):
        raise ValueError(f"these images do not vary in their {kind}: there are no directions.")
    return [
        Direction(
            name=f"{kind}{number}",
            kind=kind,
            vector=(vector if shape is None else vector.reshape(shape)).float(),
            sigma=variance**0.5,
            center=(axes.mean @ vector).item(),
            num_images=num_images,
            share=variance / axes.total,
        )
        for number, (vector, variance) in enumerate(
            zip(axes.vectors, axes.variances.tolist(), strict=True), 1
        )
    ]


def _code(codes: Codes, kind: Kind) -> Tensor:
    return codes.texture if kind == "texture" else codes.structure


def _field(direction: Direction, code: Tensor) -> Tensor:
    """Give the direction at each place of a code, `[1, C]`, `[1, C, 1, 1]` or `[1, C, h, w]`.

    Raises:
        ValueError: it is a direction of codes of another shape.
    """
    vector = direction.vector.to(code)
    if len(vector) != code.shape[1]:
        raise ValueError(
            f"'{direction.name}' is a direction of {len(vector)} channels of {direction.kind}; these codes "
            f"have {code.shape[1]}."
        )
    if direction.kind != "layout":
        return vector.reshape(1, -1, *[1] * (code.ndim - 2))
    if vector.shape[1:] != code.shape[2:]:
        fitted, own = ("×".join(map(str, shape)) for shape in (vector.shape[1:], code.shape[2:]))
        raise ValueError(
            f"'{direction.name}' is a direction of layouts of {fitted} places, these have {own}: cut the "
            "image to the size on which it was found."
        )
    return vector[None]


def _tensor(strength: Amount, code: Tensor) -> Tensor:
    return spread_tensor(
        torch.tensor(spread(strength, code)) if not isinstance(strength, Tensor) else strength, code
    )
