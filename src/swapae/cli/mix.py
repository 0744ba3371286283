"""`swapae mix`: from one image to another in steps, or several in one by weights."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFolder, Report, RunningOptions, UsageError, claim_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image

    from swapae.cli.common import Running

Kind = Literal["texture", "structure", "both"]
Way = Literal["line", "sphere"]


def mix(
    a: Annotated[Positional[Path], arg(metavar="A")],
    b: Annotated[Positional[Path], arg(metavar="B")],
    more: Annotated[Positional[tuple[Path, ...]], arg(metavar="IMAGE …", help_behavior_hint="")] = (),
    *,
    model: Model,
    out: OutFolder,
    steps: Annotated[int, arg(metavar="N")] = 8,
    weights: Annotated[tuple[float, ...], arg(metavar="W …", help_behavior_hint="")] = (),
    of: Kind = "texture",
    path: Way = "line",
    fps: Annotated[float, arg(metavar="N")] = 24.0,
    common: RunningOptions,
) -> Report:
    """Take one image's texture to another's, step by step; or mix up to 8 by weights.

    Args:
        a: The image that keeps what is not mixed, and its size; the first step is its reconstruction.
        b: The image whose texture the last step has.
        more: Further images, for --weights.
        out: Folder for the pictures 000.png, 001.png, …, or a video, as morph.mp4; with --weights the picture
            to write.
        steps: Number of pictures, both ends included.
        weights: One for each image, A too, from 0 on: makes one picture of all of them.
        of: What is taken: texture, structure (the images are brought to the size of A), or both.
        path: Straight, as published, or along the sphere, in equal angles.
        fps: Frames a second, of a video.
    """
    from swapae.images import open_image

    files = [a, b, *more]
    check(files, steps, weights, fps)
    names = [f"{step:03}.png" for step in range(steps)]
    claim(out, names if not weights else [], common)
    pictures = [open_image(file) for file in files]
    if of != "texture":
        pictures = [pictures[0], *(at_size(picture, pictures[0].size) for picture in pictures[1:])]

    from swapae.cli.hybrids import Coder
    from swapae.editing import interpolate
    from swapae.editing import mix as mixed
    from swapae.video.kinds import is_video

    coder = Coder.load(model, common.device, common.backend)
    common.note(coder.word_on_size(pictures))
    own, *others = (coder.encode(picture) for picture in pictures)
    if weights:
        parts = [own.codes, *(other.codes for other in others)]
        shares = dict.fromkeys(kinds(of), weights)
        coder.save(coder.edited(own, mixed(parts, **shares, path=path)), out, common.force)
        common.say(f"wrote {out}")
        return {"outputs": [str(out)], "weights": list(weights)}
    still = {"texture": 0.0, "structure": 0.0}
    ways = (still | {kind[:-1]: step / (steps - 1) for kind in kinds(of)} for step in range(steps))
    made = (interpolate(own.codes, others[0].codes, **amounts, path=path) for amounts in ways)
    if is_video(out):
        as_video(map(coder.model.decode_image, made), out, pictures[0].size, fps, common)
        return {"outputs": [str(out)]}
    for name, codes in zip(names, made, strict=True):
        coder.save(coder.edited(own, codes), out / name, common.force)
    common.say(f"wrote {steps} pictures to {out}")
    return {"outputs": [str(out / name) for name in names]}


def as_video(
    pictures: "Iterable[Image]", out: Path, size: tuple[int, int], fps: float, common: "Running"
) -> None:
    """Write pictures as the frames of a video."""
    from fractions import Fraction

    from swapae.video import Facts, Frame, file_sink
    from swapae.video.kinds import DEFAULT_QUALITY

    rate = Fraction(fps).limit_denominator(1001)
    num = 0
    with file_sink(out, Facts(str(out), size, rate, 1 / rate), DEFAULT_QUALITY) as sink:
        for num, picture in enumerate(pictures, 1):
            sink.put(Frame(picture, (num - 1) / rate, 1 / rate))
    for note in sink.notes:
        common.say(note)
    common.say(f"wrote {num} frames to {out}")


def check(files: list[Path], steps: int, weights: tuple[float, ...], fps: float) -> None:
    """Refuse what makes no mix.

    Raises:
        UsageError: as said.
    """
    if not 0.01 <= fps <= 1000:
        raise UsageError(f"--fps must be from 0.01 to 1000, not {fps}.")
    if steps < 2:
        raise UsageError(f"--steps must be 2 or more, for the two ends, not {steps}.")
    if not weights and len(files) > 2:
        raise UsageError(f"steps lead from one image to another; {len(files)} are mixed by --weights.")
    if weights and len(weights) != len(files):
        raise UsageError(f"{len(files)} images need as many --weights, not {len(weights)}.")
    if any(not (math.isfinite(weight) and weight >= 0) for weight in weights) or (
        weights and not any(weights)
    ):
        raise UsageError("--weights must be numbers from 0 on, and not all 0.")
    if len(files) > 2:
        from swapae.editing.mix import MOST

        if len(files) > MOST:
            raise UsageError(f"up to {MOST} images can be mixed, not {len(files)}.")


def claim(out: Path, names: list[str], common: "Running") -> None:
    """Refuse, before the work, a folder or file that cannot be written to."""
    from swapae.files import check_free
    from swapae.images import check_target
    from swapae.video.kinds import is_video

    if names and is_video(out):
        check_free(out, common.force)
    elif names:
        claim_folder(out, names, common.force)
    else:
        check_target(out, common.force)


def at_size(picture: "Image", size: tuple[int, int]) -> "Image":
    """The picture at this size, as structures mix only place by place."""
    from swapae.images import resize

    return picture if picture.size == size else resize(picture, size)


def kinds(of: Kind) -> list[str]:
    """What is mixed, as `swapae.editing.mix` calls it."""
    return ["textures", "structures"] if of == "both" else [f"{of}s"]
