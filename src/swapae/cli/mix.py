"""`swapae mix`: from one texture to another, in steps."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFolder, Report, RunningOptions, UsageError, claim_folder


def mix(
    a: Annotated[Positional[Path], arg(metavar="A")],
    b: Annotated[Positional[Path], arg(metavar="B")],
    *,
    model: Model,
    out: OutFolder,
    steps: Annotated[int, arg(metavar="N")] = 8,
    common: RunningOptions,
) -> Report:
    """Take one image's texture to another's, step by step.

    Args:
        a: The image that keeps its structure; the first step is its reconstruction.
        b: The image whose texture the last step has.
        out: Folder for the pictures 000.png, 001.png, …
        steps: Number of pictures, both ends included.
    """
    from swapae.images import open_image

    if steps < 2:
        raise UsageError(f"--steps must be 2 or more, for the two ends, not {steps}.")
    names = [f"{step:03}.png" for step in range(steps)]
    claim_folder(out, names, common.force)
    pictures = open_image(a), open_image(b)

    from swapae.cli.hybrids import Coder

    coder = Coder.load(model, common.device, common.backend)
    own, other = (coder.encode(picture) for picture in pictures)
    for step, name in enumerate(names):
        coder.save(coder.hybrid(own, other, step / (steps - 1)), out / name, common.force)
    common.say(f"wrote {steps} pictures to {out}")
    return {"outputs": [str(out / name) for name in names]}
