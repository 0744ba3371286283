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
    texture: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="T", help_behavior_hint="")] = (),
    mask: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="M", help_behavior_hint="")] = (),
    model: Model,
    out: OutFile,
    feather: Annotated[float, arg(metavar="PX")] = 0.0,
    strength: Annotated[UseAppendAction[tuple[float, ...]], arg(metavar="S", help_behavior_hint="")] = (),
    outside: Literal["model", "photo"] = "model",
    common: RunningOptions,
) -> Report:
    """Paint the textures of other images on parts of one.

    Args:
        image: The image to paint on; the result has its size.
        texture: An image whose texture is painted; again with its own --mask for more, later ones on top.
        mask: Picture of where, of any size: white is inside, black or transparent outside.
        feather: Pixels of the image over which an edge fades to either side.
        strength: How much of each texture, in their order, or one number for all: 1 as at first, 0.5 half.
        outside: What is around: the model's picture of the image, or the photo itself, to the bit.
        out: File to write.
    """
    from swapae.images import check_target, open_image

    strengths = check_layers(texture, mask, strength)
    check_feather(feather)
    check_target(out, common.force)
    picture, *textures = map(open_image, (image, *texture))
    masks = [read_mask(file) for file in mask]

    from swapae.cli.hybrids import Coder
    from swapae.editing import Layer, painted, region_mask
    from swapae.images import put_alpha

    coder = Coder.load(model, common.device, common.backend)
    stride = coder.model.config.stride
    own = coder.encode(picture)
    sources = [coder.encode(one).codes.texture for one in textures]
    regions = [region_mask(one, own.codes, stride, feather) for one in masks]
    codes = painted(own.codes, [Layer(*one) for one in zip(sources, regions, strengths, strict=True)])
    result = coder.model.decode_image(codes)
    if outside == "photo":
        result = over_photo(picture, result, [pixel_mask(one, own.codes, stride, feather) for one in masks])
    coder.save(put_alpha(result, own.alpha), out, common.force)
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
            f"each --texture needs its --mask, and one is the least: there are {len(textures)} and {len(masks)}."
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


def pixel_mask(mask: "Tensor", codes: "Codes", stride: int, feather: float) -> "Tensor":
    """Bring a mask to the pixels of an image."""
    from swapae.editing import region_mask

    return region_mask(mask, codes, stride, feather, detail=stride)[
        ..., : codes.size[0], : codes.size[1]
    ].cpu()


def over_photo(photo: "Image", painted: "Image", masks: list["Tensor"]) -> "Image":
    """Lay a painted picture over the photo, through all masks together."""
    import torch

    from swapae.editing import kept_outside
    from swapae.images import split_alpha, to_array, to_pil

    uncovered = torch.ones(1, 1, 1, 1)
    for mask in masks:
        uncovered = uncovered * (1 - mask)
    arrays = (torch.from_numpy(to_array(one))[None] for one in (split_alpha(photo)[0], painted))
    return to_pil(kept_outside(*arrays, 1 - uncovered)[0].numpy())
