"""What lies outside of masks: the model's plain picture, or the photo, every pixel to the bit."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor

from swapae.codes import Codes
from swapae.editing.masks import check_mask, region_mask
from swapae.model import SwappingAutoencoder

Outside = Literal["plain", "photo", "free"]


def decoded_inside(
    model: SwappingAutoencoder,
    codes: Codes,
    edited: Codes,
    masks: Iterable[Tensor],
    feather: float = 0.0,
    outside: Outside = "plain",
    photo: Tensor | None = None,
) -> Tensor:
    """Decode an edit that is kept inside masks: `[B, 3, H, W]` on the CPU.

    Args:
        model: that made the codes.
        codes: before the edit.
        edited: after it (`painted`, `within`).
        masks: that it was kept to, `[B, 1, h, w]` of any size, laid over the whole image.
        feather: pixels over which their edges fade to either side.
        outside: what is where no mask is: `plain`, the unedited codes' picture; `photo`; or `free`, what the
            edited codes give, which differs nearby too (`reach`).
        photo: `[B, 3, H, W]`, where that is to be outside.

    Raises:
        ValueError: a mask is none, or the photo is missing.
    """
    result = model.decode(edited).float().cpu()
    if outside == "free":
        return result
    if outside == "photo" and photo is None:
        raise ValueError("the photo is to be what is outside of the masks: give it.")
    plain = photo if outside == "photo" and photo is not None else model.decode(codes).float().cpu()
    stride = model.config.stride
    pixels = (region_mask(mask, codes, stride, feather, detail=stride) for mask in masks)
    return kept_outside(plain, result, covered(pixels, codes.size))


def covered(masks: Iterable[Tensor], size: tuple[int, int]) -> Tensor:
    """Tell how much of each pixel of an image any of several masks covers, `[B, 1, H, W]` on the CPU.

    Args:
        masks: of its pixels, and maybe of more to the right and below (`region_mask` with `detail=stride`).
        size: height and width of the image.
    """
    uncovered = torch.ones(1, 1, 1, 1)
    for mask in masks:
        uncovered = uncovered * (1 - mask.cpu())
    return (1 - uncovered)[..., : size[0], : size[1]]


def kept_outside(image: Tensor, edited: Tensor, mask: Tensor) -> Tensor:
    """Lay an edited image over another through a mask of pixels: what is outside keeps every bit.

    Args:
        image: `[B, 3, H, W]`, the photo itself or its reconstruction.
        edited: as large.
        mask: `[B, 1, H, W]` (`covered`).
    """
    check_mask(mask)
    mask = mask.to(image)
    mixed = image + mask * (edited - image)
    return torch.where(mask == 0, image, torch.where(mask == 1, edited, mixed))
