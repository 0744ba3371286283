"""`swapae refine`: codes that decode to a photo more exactly than the encoder's."""

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.common import Common, Model, OutFile, Report, RunningOptions, UsageError

EVERY = 10.0  # seconds between lines about the work


def refine(
    image: Annotated[Positional[Path], arg(metavar="IMAGE")],
    *,
    model: Model,
    out: OutFile,
    codes: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    quality: Annotated[Literal["draft", "normal", "best"] | None, arg(help_behavior_hint="")] = None,
    common: RunningOptions,
) -> Report:
    """Fit the codes of an image the encoder misses, by optimisation.

    Gradients are torch's under any --backend, which runs what needs none: the first codes, the last picture.

    Args:
        image: The image to fit.
        out: Picture to write: what the fitted codes decode to.
        codes: File to write the codes to as well, for decode, in the safetensors format.
        steps: Most steps to take, of about three decodings each; the default is as --quality says.
        quality: draft takes 20 steps, normal, which is the default, 100, best 400; it ends earlier where it
            gains no more.
    """
    from swapae.files import check_free
    from swapae.images import check_target, open_image

    if steps is not None and (steps < 1 or quality is not None):
        raise UsageError(
            f"--steps must be 1 or more, and stands in place of --quality, not beside it ({steps})."
        )
    check_target(out, common.force)
    if codes is not None:
        check_free(codes, common.force)
        if codes.resolve() == out.resolve():
            raise UsageError(f"{out} cannot be both the picture and the codes: give --codes another name.")
    picture = open_image(image)

    import torch

    from swapae.cli.hybrids import Coder
    from swapae.editing import refine as fit
    from swapae.images import put_alpha, split_alpha, to_array

    coder = Coder.load(model, common.device, common.backend)
    color, alpha = split_alpha(picture)
    pixels = torch.from_numpy(to_array(color))[None]
    found = fit(coder.model, pixels, steps=steps, quality=quality or "normal", on_step=Told(common))
    result = put_alpha(coder.model.decode_image(found.codes), alpha)
    if codes is not None:
        found.codes.save(codes, force=common.force)
    coder.save(result, out, common.force)
    start, error = found.start.item(), found.error.item()
    common.say(f"wrote {out}: error {start:.4f} → {error:.4f} in {found.num_steps} steps")
    written = {} if codes is None else {"codes": str(codes)}
    return {"output": str(out), **written, "start": start, "error": error, "steps": found.num_steps}


class Told:
    """Says on standard error, now and then, how a long refinement goes."""

    def __init__(self, common: Common) -> None:
        self._is_quiet = common.quiet
        self._last = time.monotonic()

    def __call__(self, step: int, steps: int, error: float) -> None:
        """Hear of a step."""
        now = time.monotonic()
        if not self._is_quiet and now - self._last >= EVERY:
            self._last = now
            sys.stderr.write(f"step {step} of at most {steps}, error {error:.4f}\n")
