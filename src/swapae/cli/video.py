"""`swapae video`: a video with another texture, or with its own held still."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from swapae.cli.along import Files, check_fits, load_all, named
from swapae.cli.common import Model, Report, RunningOptions, UsageError
from swapae.cli.frame_count import FrameCount
from swapae.cli.moments import keyframes_of, seconds_of

if TYPE_CHECKING:
    from swapae.editing.temporal import Keyframes


def video(
    source: Annotated[Positional[Path], arg(metavar="IN")],
    *,
    texture: Annotated[
        UseAppendAction[tuple[Path, ...]], arg(metavar="PHOTO", help_behavior_hint="(repeatable)")
    ] = (),
    weights: Annotated[tuple[str, ...], arg(metavar="W …", help_behavior_hint="")] = (),
    strength: Annotated[tuple[str, ...], arg(metavar="A …")] = ("1",),
    along: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="NAME=A", help_behavior_hint="(repeatable)")
    ] = (),
    directions: Files = (),
    smooth: Annotated[float, arg(metavar="SECONDS")] = 0.5,
    window: Literal["gaussian", "exponential"] = "gaussian",
    noise: Annotated[int | None, arg(metavar="SEED", help_behavior_hint="")] = None,
    start: Annotated[str | None, arg(metavar="T", help_behavior_hint="")] = None,
    end: Annotated[str | None, arg(metavar="T", help_behavior_hint="")] = None,
    max_side: Annotated[int | None, arg(metavar="PX", help_behavior_hint="")] = None,
    fps: Annotated[float | None, arg(metavar="N", help_behavior_hint="")] = None,
    quality: Annotated[int, arg(metavar="Q")] = 80,
    model: Model,
    out: Annotated[Path, arg(aliases=["-o"], metavar="OUT")],
    common: RunningOptions,
) -> Report:
    """Give a video the texture of a photo, or hold its own texture still.

    Where a number is taken, so are keyframes, TIME:NUMBER …, in seconds from the first frame written:
    --strength 0:0 3.5:1 begins as it is and has the whole texture after 3.5 seconds.

    Args:
        source: Video, animated GIF or WebP, or folder of pictures.
        texture: Image whose texture the frames take; several are mixed by --weights. None: their own.
        weights: One for each texture; keyframes have all of them, 0:1,0 3:0,1.
        strength: How much of that texture to take: 0 none, 1 all, beyond exaggerates.
        along: Direction that `swapae directions list` names, and how far; keyframes with commas,
            NAME=0:0,3.5:2.
        directions: File that `swapae directions fit` wrote.
        smooth: Seconds over which the frames' own texture is smoothed; 0 takes each as it is.
        window: gaussian looks before and after a frame; exponential only before, and lags.
        noise: Add noise by this seed, the same in every frame; by default there is none.
        start: Moment to begin at, 12.5 or 1:30.
        end: Moment to end before.
        max_side: Make frames smaller whose longer side has more pixels.
        fps: Frames a second, of a folder of pictures; 24 by default.
        quality: From 1 to 100.
        out: Video to write, .mp4, .m4v, .mov, .mkv, .webm, .gif or .webp, or folder for PNGs.
    """
    from swapae.images import open_image
    from swapae.video.pictures import check_output

    check_numbers(smooth, max_side, fps, quality, noise)
    begin = seconds_of("--start", start) if start is not None else 0
    finish = seconds_of("--end", end) if end is not None else None
    if finish is not None and finish <= begin:
        raise UsageError(f"--end must come after --start, and {end} does not come after {start or 0}.")
    ramp = keyframes_of("--strength", strength)
    shares = ramp_of_weights(weights, len(texture))
    moves = [move_of(word) for word in along]
    check_output(source, out, common.force)
    loaded = load_all(directions, model) if moves else []
    chosen = [(named(name, loaded), way) for name, way in moves]
    pictures = [open_image(file) for file in texture]

    from swapae.cli.hybrids import Coder
    from swapae.video import Look, edit_video

    coder = Coder.load(model, common.device, common.backend)
    check_fits(loaded, coder.model, common)
    codes = [coder.encode(picture).codes.texture for picture in pictures]
    look = Look(codes, shares, ramp, chosen, smooth, window, noise)
    with FrameCount(common) as count:
        done = edit_video(
            coder.model,
            source,
            out,
            look,
            start=begin,
            end=finish,
            max_side=max_side,
            quality=quality,
            rate=fps,
            force=common.force,
            on_start=count.start,
            on_frame=count.frame,
        )
    for note in done.notes:
        common.say(note)
    width, height = done.size
    common.say(f"wrote {out}: {done.num_frames} frames of {width}x{height}, {done.seconds:.2f} s")
    return {
        "output": str(out),
        "frames": done.num_frames,
        "seconds": round(done.seconds, 6),
        "size": list(done.size),
        "audio_streams": done.num_audio,
        "notes": list(done.notes),
    }


def check_numbers(
    smooth: float, max_side: int | None, fps: float | None, quality: int, noise: int | None
) -> None:
    """Refuse numbers that are none of theirs.

    Raises:
        UsageError: as said.
    """
    if not 0 <= smooth < math.inf:
        raise UsageError(f"--smooth must be a number of seconds, 0 or more, not {smooth}.")
    if max_side is not None and max_side < 16:
        raise UsageError(f"--max-side must be 16 pixels or more, not {max_side}.")
    if fps is not None and not 0.01 <= fps <= 1000:
        raise UsageError(f"--fps must be from 0.01 to 1000, not {fps}.")
    if not 1 <= quality <= 100:
        raise UsageError(f"--quality must be from 1 to 100, not {quality}.")
    if noise is not None and not 0 <= noise < 2**63:
        raise UsageError(f"--noise takes a seed from 0 on, not {noise}.")


def ramp_of_weights(words: tuple[str, ...], num_textures: int) -> "Keyframes | None":
    """Read `--weights`.

    Raises:
        UsageError: they are not of so many textures, or not weights.
    """
    if not words:
        return None
    if num_textures < 2:
        raise UsageError(f"--weights mix textures, two or more: there {_number(num_textures)}.")
    weights = keyframes_of("--weights", words, num_textures)
    if any(min(value) < 0 or not any(value) for value in weights.values):
        raise UsageError("--weights must be numbers from 0 on, and not all 0.")
    return weights


def move_of(word: str) -> "tuple[str, Keyframes]":
    """Read a word of `--along`: NAME=A, or NAME=T:A,T:A.

    Raises:
        UsageError: it is none.
    """
    name, equals, text = word.rpartition("=")
    if not name or not equals:
        raise UsageError(f"--along takes NAME=STRENGTH, as texture1=+1.5, not '{word}'.")
    return name, keyframes_of("--along", text.split(","))


def _number(num: int) -> str:
    return "is one" if num == 1 else "is none"
