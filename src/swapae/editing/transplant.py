"""Two photos in one: parts of a layout moved over, cross-fades, wider pictures (model-spec §11.3, 7)."""

import torch
from torch import Tensor

from swapae.codes import Codes, common_batch
from swapae.editing.masks import check_mask
from swapae.editing.regions import Layer, between, painted, within


def transplanted(
    codes: Codes,
    source: Codes,
    mask: Tensor,
    offset: tuple[int, int] = (0, 0),
    with_texture: bool = False,
) -> Codes:
    """Paste a region of one image's layout into another's.

    Args:
        codes: of the image that takes it, of any size; it keeps its texture.
        source: of the image it is taken from.
        mask: what to take, over the places of the source, `[B, 1, h, w]`; soft edges fade into what is there.
        offset: places by which it moves down and to the right; what leaves the image is lost.
        with_texture: take the source's texture, a vector, along.

    Raises:
        ValueError: channels, batches or the mask do not fit, or nothing of the region lands in the image.
    """
    check_mask(mask)
    if mask.shape[2:] != source.structure.shape[2:]:
        have, want = (f"{height}×{width}" for height, width in (mask.shape[2:], source.structure.shape[2:]))
        raise ValueError(f"a mask of {have} places does not lie over a source of {want}; see region_mask.")
    if with_texture and source.texture.ndim != 2:
        raise ValueError("a texture map is not taken along: paint it by a mask instead.")
    structure = codes.structure
    place = structure.shape[2], structure.shape[3]
    region = shifted(mask.to(structure), offset, place)
    if mask.any() and not region.any():
        raise ValueError(f"moved by {offset[0]} down and {offset[1]} right, the region leaves the image.")
    layout = shifted(source.structure.to(structure), offset, place)
    layout = torch.where(region > 0, layout, structure)  # where nothing is taken there may be no source
    batch = common_batch(len(layout), len(codes), len(region))
    texture = source.texture.to(codes.texture).expand(batch, -1) if with_texture else codes.texture
    own = Codes(
        structure.expand_as(layout), codes.texture.expand(batch, *codes.texture.shape[1:]), codes.size
    )
    return within(own, Codes(layout, texture if with_texture else own.texture, codes.size), region)


def joined(
    a: Codes, b: Codes, stride: int, axis: str = "x", overlap: int = 1, joins_textures: bool = True
) -> Codes:
    """Lay two images beside each other, or one below the other, with a zone in which one becomes the other.

    Args:
        a: codes of the left (upper) image.
        b: codes of the right (lower) one, with as many places along the other axis.
        stride: pixels per place, `model.config.stride`.
        axis: "x" for beside, "y" for below.
        overlap: places that both share, at least 0 and at most those of the smaller one.
        joins_textures: let the textures change in the zone too; else `a`'s is that of the whole picture.

    Returns:
        codes of an image wider (higher) than either, unless one lies wholly over the other.

    Raises:
        ValueError: channels, batches or sides do not fit, or the overlap is too large.
    """
    dim = {"x": 3, "y": 2}[axis]
    sides = [
        -(-codes.size[dim - 2] // stride) for codes in (a, b)
    ]  # places the encoder saw mirrored stay out
    if a.size[3 - dim] != b.size[3 - dim]:
        other = "high" if axis == "x" else "wide"
        raise ValueError(
            f"images {a.size[3 - dim]} and {b.size[3 - dim]} px {other} do not join; make them equal."
        )
    if not 0 <= overlap <= min(sides):
        raise ValueError(f"an overlap of {overlap} places does not fit images of {sides[0]} and {sides[1]}.")
    num_places = sum(sides) - overlap
    weights = crossing(num_places, sides[0] - overlap, overlap).to(a.structure)
    mask = weights.reshape(1, 1, 1, -1) if dim == 3 else weights.reshape(1, 1, -1, 1)
    batch = common_batch(len(a), len(b))
    structures = [
        _laid(codes.structure.to(a.structure).narrow(dim, 0, side), dim, num_places, start)
        for codes, side, start in zip((a, b), sides, (0, num_places - sides[1]), strict=True)
    ]
    structure = between(structures[0], structures[1], mask)
    size = list(a.size)
    size[dim - 2] = (num_places - sides[1]) * stride + b.size[dim - 2]
    whole = Codes(
        structure.expand(batch, *structure.shape[1:]),
        a.texture.expand(batch, *a.texture.shape[1:]),
        (size[0], size[1]),
    )
    if not joins_textures:
        return whole
    return painted(whole, [Layer(b.texture, mask.expand(-1, -1, *structure.shape[2:]))])


def crossing(num_places: int, start: int, width: int) -> Tensor:
    """Give weights `[num_places]` that rise smoothly from 0 to 1 over `width` places from `start` on."""
    t = ((torch.arange(num_places) - start + 0.5) / max(width, 1e-6)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def shifted(code: Tensor, offset: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Move a map `[B, C, h, w]` down and right into one of another size; what it does not cover is 0."""
    canvas = code.new_zeros(*code.shape[:2], *size)
    spans = [
        (max(move, 0), min(have + move, want))
        for move, have, want in zip(offset, code.shape[2:], size, strict=True)
    ]
    (top, bottom), (left, right) = spans
    if top < bottom and left < right:
        rows, columns = slice(top - offset[0], bottom - offset[0]), slice(left - offset[1], right - offset[1])
        canvas[:, :, top:bottom, left:right] = code[:, :, rows, columns]
    return canvas


def _laid(code: Tensor, dim: int, num_places: int, start: int) -> Tensor:
    """Lay a map into a longer one; its last places go on where it ends."""
    places = (torch.arange(num_places, device=code.device) - start).clamp(0, code.shape[dim] - 1)
    return code.index_select(dim, places)
