"""`swapae paint`: textures of other images, each through its mask."""

import math
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions, UsageError
from swapae.cli.masks import Feather, Inside, Outside, check_feather, read_mask


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
    feather: Feather = 0.0,
    strength: Annotated[
        UseAppendAction[tuple[float, ...]], arg(metavar="S", help_behavior_hint="(repeatable)")
    ] = (),
    outside: Outside = "plain",
    common: RunningOptions,
) -> Report:
    """Paint the textures of other images on parts of one.

    Args:
        image: The image to paint on; the result has its size.
        texture: An image whose texture is painted; again with its own --mask for more, later ones on top.
        mask: Picture of where, of any size: white is inside, black or transparent outside.
        strength: How much of each texture, in their order, or one number for all: 1 as at first, 0.5 half.
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

    coder = Coder.load(model, common.device, common.backend)
    own = coder.encode(picture)
    sources = [coder.encode(one).codes.texture for one in textures]
    regions = [region_mask(one, own.codes, coder.model.config.stride, feather) for one in masks]
    codes = painted(own.codes, [Layer(*one) for one in zip(sources, regions, strengths, strict=True)])
    result = Inside(coder, picture, own, masks, feather).decoded(codes, outside)
    coder.save(result, out, common.force)
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
