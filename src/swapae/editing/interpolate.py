"""From one image's codes to another's, and past them (paper §4.3; model-spec §11.1 and §11.3)."""

import math
from typing import Literal

import torch
from torch import Tensor

from swapae.codes import Codes, blend, common_batch
from swapae.editing.sphere import Amount, angle, matched, spread, turned

Path = Literal["sphere", "line"]


def lerp(a: Tensor, b: Tensor, amount: Amount) -> Tensor:
    """Compute `(1 − t)·a + t·b`, as published (model-spec §11.1): the generator drops its length.

    Along this line the angle grows unevenly, and past `b` by less and less: however large `t`, it never
    passes the direction of `b − a`. `slerp` goes in equal steps.

    Args:
        a: codes `[B, C]` or `[B, C, h, w]`; at 0 they come through bit by bit.
        b: codes that go with them, which come through at 1.
        amount: t.

    Raises:
        ValueError: the codes do not go together, or the amount is not finite.
    """
    a, b = matched(a, b)
    amount = spread(amount, a)
    if isinstance(amount, float) and a.shape[1:] == b.shape[1:]:
        return blend([a, b], [1 - amount, amount])
    mixed = (1 - amount) * a + amount * b
    return mixed.to(a.dtype)


def slerp(a: Tensor, b: Tensor, amount: Amount) -> Tensor:
    """Turn codes along the great circle through `a` and `b`, at each place of a map by its own angle.

    Equal steps of `amount` are equal angles, inside and outside of [0, 1]. The limit is the direction of
    `b − a`, 90° + θ/2 from `a` if θ is the angle between them, where what `b` has more than `a` stands alone;
    farther on there would be less of it. To the other side it is that of `a − b`, 90° − θ/2 away.

    Args:
        a: codes `[B, C]` or `[B, C, h, w]` of any length but 0.
        b: codes that go with them; those equal or opposite to `a` are handled too.
        amount: 0 is `a`, 1 is `b`, beyond exaggerates.

    Returns:
        codes of length 1.

    Raises:
        ValueError: the codes do not go together, or the amount is not finite.

    Example:
        >>> slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), 0.5)
        tensor([[0.7071, 0.7071]])
    """
    a, b = matched(a, b)
    between = angle(a, b)
    wanted = between * spread(amount, a)
    low, high = (between - math.pi) / 2, (between + math.pi) / 2
    return turned(a, b, torch.minimum(torch.maximum(wanted, low), high))


def farthest(a: Tensor, b: Tensor) -> Tensor:
    """Tell the amount from which on `slerp` changes nothing any more, `[B, 1]` or `[B, 1, h, w]`."""
    between = angle(a, b)
    return (between + math.pi) / 2 / between


def interpolate(
    a: Codes, b: Codes, *, structure: Amount = 0.0, texture: Amount = 1.0, path: Path = "sphere"
) -> Codes:
    """Go from the codes of some images toward those of others, structure and texture each by its amount.

    Args:
        a: codes; the result is of images of their size.
        b: others, or those of one image; for another structure they are of images of the same size.
        structure: 0 keeps that of `a` as it is, 1 takes that of `b`.
        texture: the same of texture; by default this is a swap.
        path: along the `sphere` by `slerp`, or along a `line` by `lerp`.

    Raises:
        ValueError: the codes do not go together, or an amount is not finite.
    """
    go = {"sphere": slerp, "line": lerp}[path]
    structures = a.structure if _is_none(structure) else go(a.structure, b.structure, structure)
    textures = a.texture if _is_none(texture) else go(a.texture, b.texture, texture)
    batch = common_batch(len(structures), len(textures))
    return Codes(
        structures.expand(batch, *structures.shape[1:]), textures.expand(batch, *textures.shape[1:]), a.size
    )


def _is_none(amount: Amount) -> bool:
    return isinstance(amount, float | int) and amount == 0
