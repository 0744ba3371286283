"""`swapae swap`: the main job."""

import math
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions, UsageError


def swap(
    structure: Annotated[Positional[Path], arg(metavar="STRUCTURE")],
    texture: Annotated[Positional[Path], arg(metavar="TEXTURE")],
    *,
    model: Model,
    out: OutFile,
    strength: Annotated[tuple[float, ...], arg(metavar="A …")] = (1.0,),
    common: RunningOptions,
) -> Report:
    """Give one image the texture of another.

    Args:
        structure: The image that keeps its structure; the result has its size.
        texture: The image whose texture it takes.
        out: File to write. Several strengths write one file each: out.png becomes out_0.50.png, out_1.00.png.
        strength: How much texture to take: 0 reconstructs, 1 swaps, beyond exaggerates.
    """
    from swapae.images import check_target, open_image

    if not strength or not all(map(math.isfinite, strength)):
        raise UsageError("--strength must be one or more numbers.")
    files = outputs(out, strength)
    for file in files.values():
        check_target(file, common.force)
    pictures = open_image(structure), open_image(texture)

    from swapae.cli.hybrids import Coder

    coder = Coder.load(model, common.device, common.backend)
    common.note(coder.word_on_size(pictures))
    own, other = (coder.encode(picture) for picture in pictures)
    for amount, file in files.items():
        coder.save(coder.hybrid(own, other, amount), file, common.force)
        common.say(f"wrote {file}")
    return {"outputs": [str(file) for file in files.values()], "strengths": list(files)}


def outputs(out: Path, strengths: tuple[float, ...]) -> dict[float, Path]:
    """The file of each strength: `out` itself where there is one."""
    if len(strengths) == 1:
        return {strengths[0]: out}
    return {a: out.with_name(f"{out.stem}_{_amount(a)}{out.suffix}") for a in strengths}


def _amount(strength: float) -> str:
    """Two digits where they tell the whole number, all of them otherwise."""
    return f"{strength:.2f}" if float(f"{strength:.2f}") == strength else repr(strength)
