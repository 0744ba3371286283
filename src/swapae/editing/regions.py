"""Edits inside a region: textures painted by masks, structure turned inside one (model-spec §11.3, 3 and 5).

The generator takes a texture that varies from place to place (model-spec §2.5). Codes are directions: between
two of them the way is along the sphere, so that a soft edge is nowhere weaker than what it joins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.codes import Codes, common_batch
from swapae.editing.interpolate import slerp
from swapae.editing.masks import check_mask, resized_mask
from swapae.editing.sphere import angle, length, turned, turned_at_most, unit

Size = tuple[int, int]
VECTOR: Size = (1, 1)  # what is the same at all places


@dataclass(frozen=True, eq=False)
class Layer:
    """A texture painted through a mask.

    Attributes:
        texture: a vector `[B, Ct]` or a map `[B, Ct, h', w']`.
        mask: where, `[B, 1, h, w]` in [0, 1] (`region_mask`).
        strength: up to 1 how much of what lies below it covers; beyond, it exaggerates the way from the
            image's own texture to this one; below 0 it goes the other way (`slerp`).
    """

    texture: Tensor
    mask: Tensor
    strength: float = 1.0


def painted(codes: Codes, layers: Sequence[Layer]) -> Codes:
    """Paint textures on an image, later layers over earlier ones.

    At each place layers cover what lies below, until nothing is left to cover; what shows is the mean, along
    the sphere, of the textures that do. So where two regions with soft edges meet, one becomes the other, and
    the image's own texture does not shine through.

    Args:
        codes: of the image; batches may be 1 here or in layers.
        layers: the lowest first. Masks and maps of several sizes are brought to the largest.

    Returns:
        codes with a texture map of length 1 at each place; with a vector where masks are the same at all
        places: all 0 changes nothing, all 1 is the plain texture, to the bit.

    Raises:
        ValueError: batches, channels, masks or strengths do not fit.
    """
    batch = _checked(codes, layers)
    masks = [_without_places(one.mask.to(codes.texture)) for one in layers]
    size = _largest([codes.texture, *masks, *(one.texture for one in layers)])
    left, shares = _shares([_resized_mask(mask, size) for mask in masks], [one.strength for one in layers])
    if not any(bool(share.any()) for share in shares):
        return _expanded(codes.structure, codes.texture, codes.size, batch)
    own = _unit_at(codes.texture, size)
    textures = [_unit_at(one.texture.to(own), size) for one in layers]
    targets = [
        texture if 0 <= one.strength <= 1 else slerp(own, texture, one.strength)
        for one, texture in zip(layers, textures, strict=True)
    ]
    parts = []
    for share in shares:
        left = left + share
        parts.append(torch.where(share > 0, share / left, 0))
    are_vectors = all(_size_of(one) == VECTOR for one in (own, *targets))
    shown = (_combined if are_vectors else _followed)(own, targets, parts)
    return _expanded(codes.structure, shown.flatten(1) if size == VECTOR else shown, codes.size, batch)


def pushed(codes: Codes, direction: Tensor, strength: float, mask: Tensor | None = None) -> Codes:
    """Turn the structure towards a direction, inside a region.

    Published is `structure + strength · mask · direction`, of which the generator drops the length, so that
    more strength soon does no more. Here a place turns by `strength · mask · |direction|` as an angle, until
    it points along the direction (by negative strengths against it).

    Args:
        codes: of the images.
        direction: `[C]` for all places, or a map `[C, h, w]` or `[B, C, h, w]`.
        strength: 0 leaves codes as they are, to the bit; so does a mask of 0, at its places.
        mask: `[B, 1, h, w]` of any size; None for everywhere.

    Raises:
        ValueError: the direction, the mask, the strength or batches do not fit.
    """
    structure = codes.structure
    towards = _direction(direction.to(structure), structure)
    if not math.isfinite(strength):
        raise ValueError(f"{strength} is no strength: give a finite number.")
    amount = structure.new_full((1, 1, 1, 1), strength)
    if mask is not None:
        check_mask(mask)
        amount = amount * _resized_mask(mask.to(structure), _size_of(structure))
    batch = common_batch(len(structure), len(towards), len(amount))
    moved = turned_at_most(structure, towards, amount * length(towards))
    return _expanded(torch.where(amount == 0, structure, moved), codes.texture, codes.size, batch)


def within(codes: Codes, edited: Codes, mask: Tensor) -> Codes:
    """Keep any edit inside a region: `edited` where the mask is 1, `codes` where it is 0, on the way between.

    Args:
        codes: before the edit.
        edited: after it, of the same size.
        mask: `[B, 1, h, w]` of any size.

    Raises:
        ValueError: sizes, batches or the mask do not fit.
    """
    check_mask(mask)
    structure = codes.structure
    if _size_of(structure) != _size_of(edited.structure) or codes.size != edited.size:
        raise ValueError(
            f"an edit of a {_shown(edited.size)} image does not fit one of {_shown(codes.size)}."
        )
    if not _is_same(edited.structure, structure):
        part = _resized_mask(mask.to(structure), _size_of(structure))
        structure = between(structure, edited.structure, part)
    joined = _expanded(structure, codes.texture, codes.size, common_batch(len(codes), len(edited), len(mask)))
    if _is_same(edited.texture, codes.texture):
        return joined
    return painted(joined, [Layer(edited.texture, mask)])


def between(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    """Go a part of the way from `a` to `b` along the sphere; parts 0 and 1 give `a` and `b` to the bit."""
    way = turned(a, b, part * angle(a, b))
    return torch.where(part == 0, a, torch.where(part == 1, b, way))


def _followed(start: Tensor, targets: Sequence[Tensor], parts: Sequence[Tensor]) -> Tensor:
    """Go from `start` a part of the way to the first target, from there to the next, and so on."""
    for target, part in zip(targets, parts, strict=True):
        start = between(start, target, part)
    return start


def _combined(start: Tensor, targets: Sequence[Tensor], parts: Sequence[Tensor]) -> Tensor:
    """Do so from a vector to vectors, at many places at once.

    At every place it is a sum of the same few vectors: only their factors, `[B, K, h, w]`, go the way, and
    angles are those of the vectors' products.
    """
    batch = common_batch(len(start), *map(len, targets), *map(len, parts))
    vectors = torch.stack([one.flatten(1).expand(batch, -1) for one in (start, *targets)], 1)  # [B, K, C]
    wide = vectors.double()
    products = wide @ wide.mT
    factors = torch.zeros_like(products[:, :, :1, None])
    factors[:, 0] = 1
    for number, part in enumerate(parts, 1):
        target = torch.zeros_like(factors[:, :, :1, :1])
        target[:, number] = 1
        factors = _between_factors(factors, target, part.to(factors), products)
    lengths = (factors * torch.einsum("bkl,blhw->bkhw", products, factors)).sum(1)
    if not bool((factors.abs().amax() < 100) & ((lengths - 1).abs().amax() < 1e-4)):
        return _followed(start, targets, parts)  # all but opposite vectors: their sum has no digits left
    return torch.unflatten(vectors.mT @ factors.to(vectors).flatten(2), 2, factors.shape[2:])


def _between_factors(a: Tensor, b: Tensor, part: Tensor, products: Tensor) -> Tensor:
    """Give what `between` does, of factors `[B, K, h, w]` of vectors with these products."""
    along = torch.einsum("bkl,blhw->bkhw", products, b)
    cosine = (a * along).sum(1, keepdim=True)
    across = b - cosine * a
    sine = (
        (across * torch.einsum("bkl,blhw->bkhw", products, across)).sum(1, keepdim=True).clamp(min=0).sqrt()
    )
    angles = torch.atan2(sine, cosine)
    way = torch.cos(part * angles) * a + torch.sin(part * angles) * across / sine.clamp(min=1e-12)
    return torch.where(part == 0, a, torch.where(part == 1, b, way))


# ---- shares and shapes


def _shares(masks: Sequence[Tensor], strengths: Sequence[float]) -> tuple[Tensor, list[Tensor]]:
    """Share each place out, the top layer first: what is left for the image's own, and each layer's part."""
    left, shares = masks[0].new_ones(1, 1, 1, 1), []
    for mask, strength in reversed(list(zip(masks, strengths, strict=True))):
        share = torch.minimum(mask * strength if 0 <= strength <= 1 else mask, left)
        left = left - share
        shares.append(share)
    return left, shares[::-1]


def _checked(codes: Codes, layers: Sequence[Layer]) -> int:
    """Refuse layers that do not fit, and tell the batch of all."""
    if not layers:
        raise ValueError("there is nothing to paint: give one layer or more.")
    for one in layers:
        check_mask(one.mask)
        if one.texture.ndim not in (2, 4) or one.texture.shape[1] != codes.texture.shape[1]:
            raise ValueError(
                f"a texture {list(one.texture.shape)} does not go with {list(codes.texture.shape)}: it needs "
                "as many channels."
            )
        if not math.isfinite(one.strength):
            raise ValueError(f"{one.strength} is no strength: give a finite number.")
    return common_batch(len(codes), *(len(t) for one in layers for t in (one.texture, one.mask)))


def _without_places(mask: Tensor) -> Tensor:
    """Make `[B, 1, 1, 1]` of a mask that is the same at all places of each image."""
    is_even = bool((mask.amax((2, 3)) == mask.amin((2, 3))).all())
    return mask[:, :, :1, :1] if is_even else mask


def _is_same(a: Tensor, b: Tensor) -> bool:
    """Whether codes are equal, where one image's may stand for a batch."""
    fits = a.shape[1:] == b.shape[1:] and (len(a) == len(b) or 1 in (len(a), len(b)))
    return a is b or (fits and bool((a == b).all()))


def _largest(tensors: Sequence[Tensor]) -> Size:
    sizes = [VECTOR, *(_size_of(tensor) for tensor in tensors if tensor.ndim == 4)]
    return max(height for height, _ in sizes), max(width for _, width in sizes)


def _unit_at(texture: Tensor, size: Size) -> Tensor:
    """Bring a texture to a size, as the generator does, and to length 1; what fits stays to the bit."""
    texture = texture if texture.ndim == 4 else texture[:, :, None, None]
    if _size_of(texture) not in (size, VECTOR):
        texture = F.interpolate(texture, size=size, mode="bilinear")
    return torch.where((length(texture) - 1).abs() < 1e-5, texture, unit(texture).to(texture))


def _resized_mask(mask: Tensor, size: Size) -> Tensor:
    return mask if _size_of(mask) in (size, VECTOR) else resized_mask(mask, size)


def _size_of(code: Tensor) -> Size:
    return code.shape[2], code.shape[3]


def _shown(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


def _expanded(structure: Tensor, texture: Tensor, size: Size, batch: int) -> Codes:
    return Codes(
        structure.expand(batch, *structure.shape[1:]), texture.expand(batch, *texture.shape[1:]), size
    )


def _direction(direction: Tensor, structure: Tensor) -> Tensor:
    """Bring a direction to `[1 or B, C, 1 or h, 1 or w]`."""
    if direction.ndim == 1:
        direction = direction[:, None, None]
    direction = direction[None] if direction.ndim == 3 else direction
    fits = direction.ndim == 4 and direction.shape[1] == structure.shape[1]
    if not fits or _size_of(direction) not in (VECTOR, _size_of(structure)):
        raise ValueError(
            f"a direction {list(direction.shape)} does not go with structures {list(structure.shape)}; it is "
            "[C], [C, h, w] or [B, C, h, w]."
        )
    return direction
