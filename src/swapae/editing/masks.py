"""Region masks `[B, 1, h, w]` in [0, 1]: from painted pictures, and from one click (model-spec §11.3, 3).

A picture's mask may have any size; `region_mask` brings it to the places of the codes. What is 0 everywhere
or 1 everywhere stays so to the bit.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.images import reflect_indices
from swapae.ops import normalize

Place = tuple[int, int]  # row and column of a structure code


def mask_of(picture: Image.Image) -> Tensor:
    """Read a mask `[1, 1, H, W]` off a picture: white is inside, black and what is transparent outside."""
    gray = torch.from_numpy(np.array(picture.convert("L"), dtype=np.float32)) / 255
    if picture.has_transparency_data:
        gray = gray * torch.from_numpy(np.array(picture.convert("RGBA").getchannel("A"), np.float32)) / 255
    return gray[None, None]


def region_mask(mask: Tensor, codes: Codes, stride: int, feather: float = 0.0, detail: int = 1) -> Tensor:
    """Bring a mask `[B, 1, H, W]` of any size, laid over the codes' image, to the places of their structure.

    It is resized to the image, feathered there, and averaged over the area of each place, mirrored at the
    right and below where the encoder saw the image mirrored.

    Args:
        mask: in [0, 1].
        codes: of the image; `[B, C, h, w]` is the shape of their structure.
        stride: pixels of the image per place, `model.config.stride`.
        feather: width in pixels over which an edge fades on either side; less than 1 fades nothing.
        detail: places of the mask per place of the structure, along each side, a divisor of the stride.

    Returns:
        `[B, 1, h · detail, w · detail]`.

    Raises:
        ValueError: an argument is none of these.
    """
    check_mask(mask)
    if not 0 <= feather < math.inf:
        raise ValueError(f"feather={feather} must be a number of pixels, 0 or more.")
    if detail < 1 or stride % detail:
        raise ValueError(f"detail={detail} must divide the stride, {stride}.")
    rows, columns = (
        _weights(have, side, places * detail, stride // detail, feather)
        for have, side, places in zip(mask.shape[2:], codes.size, codes.structure.shape[2:], strict=True)
    )
    return _weighed(rows, mask, columns).to(codes.structure.device)


def feathered(mask: Tensor, feather: float) -> Tensor:
    """Feather a mask `[B, 1, H, W]` at its own size; edges at the border of the image do not fade."""
    check_mask(mask)
    rows, columns = (_weights(side, side, side, 1, feather) for side in mask.shape[2:])
    return _weighed(rows, mask, columns).to(mask)


def resized_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a mask `[B, 1, H, W]`: averaged over areas where it shrinks, bilinear where it grows."""
    check_mask(mask)
    rows, columns = (_resizing(have, want) for have, want in zip(mask.shape[2:], size, strict=True))
    return _weighed(rows, mask, columns).to(mask)


def check_mask(mask: Tensor) -> None:
    """Refuse what is no mask.

    Raises:
        ValueError: it is not `[B, 1, h, w]`, or not in [0, 1].
    """
    if mask.ndim != 4 or mask.shape[1] != 1 or not mask.numel() or not mask.is_floating_point():
        raise ValueError(f"a mask must be floats [B, 1, h, w], not {mask.dtype} {list(mask.shape)}.")
    if not bool(((mask >= 0) & (mask <= 1)).all()):  # so written that NaN is refused
        raise ValueError("a mask must lie between 0 and 1 everywhere.")


# ---- one click


def place_at(x: float, y: float, codes: Codes, stride: int) -> Place:
    """Tell the place of the structure code that a pixel of the image belongs to.

    Raises:
        ValueError: the pixel lies outside the image.
    """
    height, width = codes.size
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f"the point {x:g}, {y:g} lies outside the image of {width}x{height} pixels.")
    return int(y) // stride, int(x) // stride


def similarity(codes: Codes, place: Place | Sequence[Place], centered: bool = False) -> Tensor:
    """Compute how like the structure at one place it is at every place: the cosine, `[B, 1, h, w]`.

    Args:
        codes: of any batch.
        place: row and column; one for all images, or one for each.
        centered: of what the places have beside the mean of the image's places. Structures of some models
            are nearly alike everywhere; this tells them apart.

    Raises:
        ValueError: a place lies outside, or there are neither one nor as many as images.
    """
    structure = normalize(codes.structure.to(torch.promote_types(codes.structure.dtype, torch.float32)))
    if centered:
        structure = normalize(structure - structure.mean((2, 3), keepdim=True))
    rows, columns = torch.tensor(_places(place, structure), device=structure.device).T
    there = structure[torch.arange(len(codes), device=structure.device), :, rows, columns]
    return (structure * there[:, :, None, None]).sum(1, keepdim=True).clamp(-1, 1)


def click_mask(
    codes: Codes,
    place: Place | Sequence[Place],
    threshold: float = 0.8,
    softness: float = 0.0,
    connected_only: bool = False,
    centered: bool = False,
) -> Tensor:
    """Make a region of one click: the places whose structure is like that of the clicked one.

    The clicked place itself is always inside, if wholly only where the threshold is at most 1 − softness.

    Args:
        codes: of any batch.
        place: row and column clicked (`place_at`); one for all images, or one for each.
        threshold: least cosine similarity, -1 to 1; more gives smaller regions.
        softness: the mask rises from 0 to 1 between `threshold - softness` and `threshold + softness`.
        connected_only: leave out what does not hang together with the clicked place, by sides.
        centered: compare what places have beside the image's mean (`similarity`); a threshold of 0.4 then
            suits most images, of any model.

    Returns:
        `[B, 1, h, w]`; without softness 0 and 1.
    """
    alike = similarity(codes, place, centered)
    mask = (alike >= threshold).to(alike.dtype)
    if softness > 0:
        mask = ((alike - threshold) / (2 * softness) + 0.5).clamp(0, 1)
    for one, (row, column) in zip(mask, _places(place, mask), strict=True):
        one[0, row, column] = max(float(one[0, row, column]), float(softness <= 0))
    return mask * connected(mask, place) if connected_only else mask


def connected(mask: Tensor, place: Place | Sequence[Place]) -> Tensor:
    """Mark with 1 the places that hang together with one by sides, over places where a mask is not 0."""
    filled = [
        _filled((one[0] > 0).cpu().numpy(), start)
        for one, start in zip(mask, _places(place, mask), strict=True)
    ]
    return torch.from_numpy(np.stack(filled))[:, None].to(mask)


def _filled(inside: np.ndarray, start: Place) -> np.ndarray:
    found = np.zeros_like(inside)
    waiting = [start] if inside[start] else []
    while waiting:
        row, column = waiting.pop()
        if found[row, column]:
            continue
        found[row, column] = True
        around = (row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)
        waiting += [(i, j) for i, j in around if _is_in(inside, i, j) and not found[i, j]]
    return found


def _is_in(inside: np.ndarray, row: int, column: int) -> bool:
    return 0 <= row < inside.shape[0] and 0 <= column < inside.shape[1] and bool(inside[row, column])


def _places(place: Place | Sequence[Place], code: Tensor) -> list[Place]:
    """Give a place of each image of a code `[B, C, h, w]`."""
    batch, height, width = len(code), code.shape[2], code.shape[3]
    places = np.array(place, dtype=int).reshape(-1, 2).tolist()
    outside = next(((y, x) for y, x in places if not (0 <= y < height and 0 <= x < width)), None)
    if outside is not None:
        raise ValueError(f"row {outside[0]}, column {outside[1]} lies outside of {height}×{width} places.")
    if len(places) not in (1, batch):
        raise ValueError(f"{len(places)} places do not go with {batch} images; give one, or one for each.")
    return [(row, column) for row, column in places] * (batch if len(places) == 1 else 1)


# ---- resizing and feathering are linear, rows and columns by themselves: a matrix each


def _weighed(rows: Tensor, mask: Tensor, columns: Tensor) -> Tensor:
    """Sum up in float64, on the CPU, as not all devices have it: so 0 and 1 come through to the bit."""
    return (rows @ mask.detach().cpu().double() @ columns.T).clamp(0, 1).float()


def _weights(have: int, side: int, places: int, stride: int, feather: float) -> Tensor:
    """Give what each of `places` takes of each of `have` rows of a mask laid over `side` pixels."""
    canvas = torch.eye(places, dtype=torch.float64).repeat_interleave(stride, 1) / stride
    mirrored = torch.from_numpy(reflect_indices(side, places * stride))
    pixels = canvas.new_zeros(places, side).index_add_(1, mirrored, canvas)
    pixels = _faded(pixels, feather)
    return pixels if have == side else pixels @ _resizing(have, side)


def _faded(weights: Tensor, feather: float) -> Tensor:
    """Spread weights `[n, pixels]` over a raised cosine that ends `feather` pixels away on either side."""
    reach = math.floor(feather)
    if reach == 0:
        return weights
    taps = 1 + torch.cos(torch.arange(-reach, reach + 1) * (math.pi / (feather + 1)))
    wide = F.conv1d(weights.float()[:, None], taps[None, None], padding=2 * reach)[:, 0].double()
    inside = wide[:, reach:-reach].clone()
    inside[:, 0] += wide[:, :reach].sum(1)  # pixels beyond the border are as the last one
    inside[:, -1] += wide[:, -reach:].sum(1)
    return inside / inside.sum(1, keepdim=True)


def _resizing(have: int, want: int) -> Tensor:
    """Give the weights `[want, have]` of resizing: exact areas where it shrinks, else bilinear ones."""
    unit = torch.eye(have, dtype=torch.float64)
    if want >= have:
        return F.interpolate(unit[None, None], size=(want, have), mode="bilinear")[0, 0]
    edges = torch.arange(want + 1, dtype=torch.float64) * (have / want)
    pixel = torch.arange(have, dtype=torch.float64)
    shared = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    return shared.clamp(min=0) * (want / have)
