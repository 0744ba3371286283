"""`swapae paint`: textures of other images, each through its mask."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions, UsageError
from swapae.errors import UserError
from swapae.files import shown

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from swapae.codes import Codes


def paint(
    image: Annotated[Positional[Path], arg(metavar="IMAGE")],
    *,
    texture: Annotated[
        UseAppendAction[tuple[Path, ...]], arg(metavar="T", help_behavior_hint="(repeatable)")
    ] = (),
    mask: Annotated[
        UseAppendAction[tuple[Path, ...]], arg(metavar="M", help_behavior_hint="(repeatable)")
    ] = (),
    model: Model,
    out: OutFile,
    feather: Annotated[float, arg(metavar="PX")] = 0.0,
    strength: Annotated[
        UseAppendAction[tuple[float, ...]], arg(metavar="S", help_behavior_hint="(repeatable)")
    ] = (),
    outside: Literal["plain", "photo", "free"] = "plain",
    common: RunningOptions,
) -> Report:
    """Paint the textures of other images on parts of one.

    Args:
        image: The image to paint on; the result has its size.
        texture: An image whose texture is painted; again with its own --mask for more, later ones on top.
        mask: Picture of where, of any size: white is inside, black or transparent outside.
        feather: Pixels of the image over which an edge fades to either side.
        strength: How much of each texture, in their order, or one number for all: 1 as at first, 0.5 half.
        outside: What is where no mask is: plain, the model's unpainted picture of the image, or photo, the
            image itself, both to the bit; or free, what the generator makes of it, changed nearby too.
        out: File to write.
    """
    from swapae.images import check_target, open_image

    strengths = check_layers(texture, mask, strength)
    check_feather(feather)
    check_target(out, common.force)
    picture, *textures = map(open_image, (image, *texture))
    masks = [read_mask(file) for file in mask]

    from swapae.cli.hybrids import Coder
    from swapae.editing import Layer, kept_outside, painted, region_mask
    from swapae.images import put_alpha, to_pil

    coder = Coder.load(model, common.device, common.backend)
    stride = coder.model.config.stride
    own = coder.encode(picture)
    sources = [coder.encode(one).codes.texture for one in textures]
    regions = [region_mask(one, own.codes, stride, feather) for one in masks]
    codes = painted(own.codes, [Layer(*one) for one in zip(sources, regions, strengths, strict=True)])
    result = coder.model.decode(codes).cpu()
    if outside != "free":
        around = coder.model.decode(own.codes).cpu() if outside == "plain" else pixels_of(picture)
        result = kept_outside(around, result, union(masks, own.codes, stride, feather))
    coder.save(put_alpha(to_pil(result[0].float().numpy()), own.alpha), out, common.force)
    common.say(f"wrote {out}")
    shares = [round(float(region.mean()), 4) for region in regions]
    return {"output": str(out), "strengths": strengths, "painted": shares}


def check_layers(
    textures: tuple[Path, ...], masks: tuple[Path, ...], strengths: tuple[float, ...]
) -> list[float]:
    """Refuse layers that do not pair; give each its strength.

    Raises:
        UsageError: the sentence has both numbers.
    """
    if not textures or len(textures) != len(masks):
        raise UsageError(
            f"each --texture needs its --mask, one at least: there are {len(textures)} and {len(masks)}."
        )
    if not all(map(math.isfinite, strengths)):
        raise UsageError("--strength must be a number.")
    if len(strengths) not in (0, 1, len(textures)):
        raise UsageError(
            f"--strength goes once, or once for each of {len(textures)}, not {len(strengths)} times."
        )
    return list(strengths) if len(strengths) == len(textures) else [*(strengths or (1.0,))] * len(textures)


def check_feather(feather: float) -> None:
    """Refuse what is no width.

    Raises:
        UsageError: as said.
    """
    if not 0 <= feather < math.inf:
        raise UsageError(f"--feather must be a number of pixels, 0 or more, not {feather}.")


def read_mask(file: Path) -> "Tensor":
    """Read a mask `[1, 1, H, W]` from a picture.

    Raises:
        UserError: it is no picture, or nothing of it is white.
    """
    from swapae.editing import mask_of
    from swapae.images import open_image

    mask = mask_of(open_image(file))
    if not mask.any():
        raise UserError(f"{shown(file)} is black or transparent everywhere: white marks what is inside.")
    return mask


def pixels_of(picture: "Image") -> "Tensor":
    """Give the pixels of a picture as an image `[1, 3, H, W]`, transparent parts over white."""
    import torch

    from swapae.images import split_alpha, to_array

    return torch.from_numpy(to_array(split_alpha(picture)[0]))[None]


def union(masks: list["Tensor"], codes: "Codes", stride: int, feather: float) -> "Tensor":
    """Bring masks to the pixels of an image, and give what any of them covers."""
    import torch

    from swapae.editing import region_mask

    height, width = codes.size
    uncovered = torch.ones(1, 1, 1, 1)
    for mask in masks:
        uncovered = uncovered * (1 - region_mask(mask, codes, stride, feather, detail=stride).cpu())
    return (1 - uncovered)[..., :height, :width]
