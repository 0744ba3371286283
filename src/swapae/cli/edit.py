"""`swapae edit`: an image moved along directions."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from swapae.cli.along import Files, check_fits, load_all, moved, named, parsed
from swapae.cli.common import Model, OutFile, Report, RunningOptions, UsageError
from swapae.cli.masks import Feather, Inside, Outside, check_feather, read_mask


def edit(
    image: Annotated[Positional[Path], arg(metavar="IMAGE")],
    *,
    along: Annotated[
        tuple[str, ...], UseAppendAction, arg(metavar="NAME=A", help_behavior_hint="(repeatable)")
    ],
    directions: Files = (),
    mask: Annotated[Path | None, arg(metavar="M", help_behavior_hint="")] = None,
    feather: Feather = 0.0,
    outside: Outside = "plain",
    model: Model,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Move an image along directions, by strengths.

    Args:
        image: The image to edit; the result has its size.
        along: A direction that `swapae directions list` names, and how far: 1 is a usual difference between
            images, 3 a rare one, a negative strength goes the other way. Several are taken in their order.
        directions: File that `swapae directions fit` wrote.
        mask: Picture of the part to edit, of any size: white is inside, black or transparent outside.
        out: File to write.
    """
    from swapae.images import check_target, open_image

    moves = parsed(along)
    check_feather(feather)
    if feather and mask is None:
        raise UsageError("--feather is about the edge of a --mask.")
    check_target(out, common.force)
    loaded = load_all(directions, model)
    chosen = [(named(name, loaded), strength) for name, strength in moves]
    picture = open_image(image)
    region = None if mask is None else read_mask(mask)

    from swapae.cli.hybrids import Coder
    from swapae.editing import region_mask, within

    coder = Coder.load(model, common.device, common.backend)
    check_fits(loaded, coder.model, common)
    own = coder.encode(picture)
    codes = own.codes
    for direction, strength in chosen:
        codes = moved(codes, direction, strength)
    if region is None:
        result = coder.edited(own, codes)
    else:
        codes = within(own.codes, codes, region_mask(region, own.codes, coder.model.config.stride, feather))
        result = Inside(coder, picture, own, [region], feather).decoded(codes, outside)
    coder.save(result, out, common.force)
    common.say(f"wrote {out}")
    return {"output": str(out), "along": [{"name": name, "strength": strength} for name, strength in moves]}
