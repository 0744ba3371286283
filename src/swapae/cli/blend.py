"""`swapae blend`: two photos in one, side by side with a soft seam, or one inside the other."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.common import Flag, Model, OutFile, Report, RunningOptions, UsageError
from swapae.cli.masks import check_feather, read_mask
from swapae.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from swapae.cli.hybrids import Coder
    from swapae.codes import Codes

Axis = Literal["x", "y"]
OVERLAP = 0.25


def blend(
    a: Annotated[Positional[Path], arg(metavar="A")],
    b: Annotated[Positional[Path], arg(metavar="B")],
    *,
    model: Model,
    out: OutFile,
    axis: Annotated[Axis | None, arg(help_behavior_hint="")] = None,
    overlap: Annotated[float | None, arg(metavar="F", help_behavior_hint="")] = None,
    mask: Annotated[Path | None, arg(metavar="M", help_behavior_hint="")] = None,
    feather: Annotated[float, arg(metavar="PX")] = 0.0,
    offset: Annotated[tuple[int, int], arg(metavar="X Y")] = (0, 0),
    keep_texture: Flag = False,
    common: RunningOptions,
) -> Report:
    """Blend two images into a wider one, or a part of one into the other.

    Args:
        a: The first image: the left or upper one, or the one that takes a part.
        b: The second. Beside A it is resized to A's height, below it to A's width.
        axis: x puts B to the right of A, which is the default, y below it.
        overlap: Part of the smaller image that both share, 0 to 1, where A becomes B; 0.25 by default.
        mask: Picture of the part of B that is put into A, white inside, black outside, in place of an axis.
        feather: With --mask, pixels over which its edge fades to either side.
        offset: With --mask, pixels by which the part moves right and down; it goes in steps of the model's.
        keep_texture: Take only the layout of B, and A's texture everywhere.
        out: File to write.
    """
    from swapae.images import check_target, open_image

    check_choice(axis, overlap, mask is not None, offset, feather)
    check_target(out, common.force)
    first, second = open_image(a), open_image(b)
    region = None if mask is None else read_mask(mask)

    from swapae.cli.hybrids import Coder
    from swapae.editing import region_mask
    from swapae.images import put_alpha

    coder = Coder.load(model, common.device, common.backend)
    stride = coder.model.config.stride
    report: Report = {"output": str(out)}
    if region is None:
        share = OVERLAP if overlap is None else overlap
        codes = Pair(coder, first, second).beside(axis or "x", share, not keep_texture)
        result = coder.model.decode_image(codes)
    else:
        own, other = coder.encode(first), coder.encode(second).codes
        places = round(offset[1] / stride), round(offset[0] / stride)
        codes = put_in(
            own.codes, other, region_mask(region, other, stride, feather), places, not keep_texture
        )
        result = put_alpha(coder.model.decode_image(codes), own.alpha)
        report["offset"] = [places[1] * stride, places[0] * stride]
    coder.save(result, out, common.force)
    common.say(f"wrote {out}")
    return report | {"size": [result.width, result.height]}


def check_choice(
    axis: Axis | None, overlap: float | None, has_mask: bool, offset: tuple[int, int], feather: float
) -> None:
    """Refuse options that do not go together, and numbers that are none.

    Raises:
        UsageError: as said.
    """
    check_feather(feather)
    if has_mask and (axis is not None or overlap is not None):
        raise UsageError(
            "--mask puts a part of B into A; --axis and --overlap lay whole images side by side."
        )
    if not has_mask and (offset != (0, 0) or feather):
        raise UsageError("--offset and --feather are about the part of B that --mask marks.")
    if overlap is not None and not 0 <= overlap <= 1:
        raise UsageError(f"--overlap must be from 0 to 1, the part of the smaller image, not {overlap}.")


@dataclass(frozen=True)
class Pair:
    """Two pictures to be laid side by side."""

    coder: "Coder"
    a: "Image"
    b: "Image"

    def beside(self, axis: Axis, overlap: float, joins_textures: bool) -> "Codes":
        """Codes of both as one image."""
        from swapae.editing import joined
        from swapae.images import resize

        scale = self.a.height / self.b.height if axis == "x" else self.a.width / self.b.width
        along = max(1, round((self.b.width if axis == "x" else self.b.height) * scale))
        b = resize(self.b, (along, self.a.height) if axis == "x" else (self.a.width, along))
        one, other = (self.coder.encode(picture).codes for picture in (self.a, b))
        stride = self.coder.model.config.stride
        side = 1 if axis == "x" else 0
        places = min(-(-codes.size[side] // stride) for codes in (one, other))
        return joined(one, other, stride, axis, round(overlap * places), joins_textures)


def put_in(
    own: "Codes", other: "Codes", region: "Tensor", offset: tuple[int, int], with_texture: bool
) -> "Codes":
    """Codes of the first image with a part of the second.

    Raises:
        UserError: the part leaves the image.
    """
    from swapae.editing import transplanted

    try:
        return transplanted(own, other, region, offset, with_texture)
    except ValueError as error:
        raise UserError(str(error)) from None
