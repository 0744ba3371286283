"""From one video to another: a file, an animation or a folder of pictures, read, edited and written."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from swapae.errors import UserError
from swapae.images import resize
from swapae.model import SwappingAutoencoder
from swapae.video.frames import Facts, Frame, Source, Span
from swapae.video.kinds import DEFAULT_QUALITY, is_video
from swapae.video.look import Look, edited_frames
from swapae.video.pictures import FolderSink, check_output, folder_sink
from swapae.video.sink import FileSink, file_sink
from swapae.video.source import File, open_video

OnFrame = Callable[[int, Frame], object]


@dataclass(frozen=True)
class Done:
    """What was written.

    - num_frames, seconds: of the video.
    - size: width and height in pixels.
    - num_audio: streams of sound that were copied.
    - notes: sentences for its owner.
    """

    num_frames: int
    seconds: float
    size: tuple[int, int]
    num_audio: int
    notes: tuple[str, ...]


def edit_video(
    model: SwappingAutoencoder,
    source: str | Path,
    out: str | Path,
    look: Look,
    *,
    start: float | Fraction = 0,
    end: float | Fraction | None = None,
    max_side: int | None = None,
    quality: int = DEFAULT_QUALITY,
    rate: float | Fraction | None = None,
    force: bool = False,
    on_start: Callable[[int | None], object] = lambda num_frames: None,
    on_frame: OnFrame = lambda number, frame: None,
) -> Done:
    """Edit a video file, an animation or a folder of pictures into another, whole or not at all.

    Times of frames, which may be uneven, the shape of pixels and titles are kept; frames come out upright;
    sound is copied where the kind of file takes it.

    Args:
        model: what encodes and decodes.
        source: to read.
        out: to write: .mp4, .m4v, .mov, .mkv, .webm, .gif, .webp, or else a folder of PNGs.
        look: what becomes of the frames.
        start: second to begin at.
        end: second to end before; None for the end.
        max_side: frames with a longer side than so many pixels are made smaller.
        quality: 1 to 100.
        rate: frames a second, of a source that is a folder.
        force: overwrite.
        on_start: hears how many frames there will be, as far as that is known.
        on_frame: hears of each that is written; it may raise, and nothing is written then.

    Raises:
        UserError: the source cannot be read, has no frames there, or the output cannot be written.
    """
    source, out = Path(source), Path(out)
    check_output(source, out, force)
    span = Span(Fraction(start), None if end is None else Fraction(end))
    with open_video(source, span, None if rate is None else Fraction(rate).limit_denominator(1001)) as opened:
        facts = opened.facts
        _check_span(facts, span)
        on_start(num_frames(facts, span))
        size = fitted(facts.size, max_side)
        return _written(model, opened, out, look, span, replace(facts, size=size), quality, on_frame)


def num_frames(facts: Facts, span: Span) -> int | None:
    """Tell about how many frames a span has."""
    if span == Span():
        return facts.num_frames
    end = span.end if span.end is not None else facts.seconds
    if end is None:
        return None
    end = end if facts.seconds is None else min(end, facts.seconds)
    return max(1, round((end - span.start) * facts.rate))


def fitted(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Tell the size of frames whose longer side is at most `max_side`; smaller ones stay as they are."""
    if max_side is None or max(size) <= max_side:
        return size
    scale = max_side / max(size)
    width, height = (max(2, 2 * round(side * scale / 2)) for side in size)
    return min(width, max_side), min(height, max_side)


def _written(
    model: SwappingAutoencoder,
    opened: Source,
    out: Path,
    look: Look,
    span: Span,
    facts: Facts,
    quality: int,
    on_frame: OnFrame,
) -> Done:
    sounds = opened.audio if isinstance(opened, File) else []
    last, number, rhythm = None, 0, Rhythm(facts.time_base)
    with ExitStack() as stack:
        sink: FileSink | FolderSink
        if is_video(out):
            sink = stack.enter_context(file_sink(out, facts, quality, sounds))
        else:
            sink = stack.enter_context(folder_sink(out))
        pictures = (from_start(frame, span, facts.size) for frame in _pictures(opened, sink, span))
        for number, last in enumerate(edited_frames(model, pictures, look), 1):
            rhythm.hear(last)
            sink.put(last)
            on_frame(number, last)
        if last is None:
            raise UserError(f"{facts.name} has no frames from {float(span.start):g} s on.")
    notes = [*opened.notes, *sink.notes]
    if rhythm.is_uneven:
        fate = "each keeps its time" if is_video(out) else "which pictures in a folder do not tell"
        notes.append(f"{facts.name} has frames at uneven times: {fate}.")
    return Done(number, float(last.time + last.duration), facts.size, sink.num_audio, tuple(notes))


class Rhythm:
    """Listens whether frames come at even times, as far as their unit of time can tell."""

    def __init__(self, time_base: Fraction) -> None:
        self._loose = 2 * time_base
        self._last: Fraction | None = None
        self._shortest: Fraction | None = None
        self._longest = Fraction(0)
        self.is_uneven = False

    def hear(self, frame: Frame) -> None:
        """Hear of the next frame."""
        if self._last is not None and self._last > 0:  # the first may have been cut by where the span begins
            gap = frame.time - self._last
            self._shortest = gap if self._shortest is None else min(self._shortest, gap)
            self._longest = max(self._longest, gap)
            self.is_uneven = self._longest - self._shortest > self._loose
        self._last = frame.time


def from_start(frame: Frame, span: Span, size: tuple[int, int]) -> Frame:
    """Bring a frame to a size, and count its time from where a span begins."""
    end = frame.time + frame.duration
    time = max(frame.time, span.start)
    picture = frame.picture if frame.picture.size == size else resize(frame.picture, size)
    return Frame(picture, time - span.start, max(end - time, Fraction(0)))


def _pictures(opened: Source, sink: FileSink | FolderSink, span: Span) -> Iterator[Frame]:
    """Read frames; the sound that comes between them goes straight to where it is copied."""
    if not isinstance(opened, File) or isinstance(sink, FolderSink):
        yield from opened.frames()
        return
    for part in opened.parts():
        if isinstance(part, Frame):
            yield part
        elif _is_in(part, span, opened.origin):
            sink.put_sound(part, span.start + opened.origin)


def _is_in(packet: Any, span: Span, origin: Fraction) -> bool:
    if packet.pts is None:
        return False
    begins = packet.pts * packet.time_base - origin
    ends = begins + (packet.duration or 0) * packet.time_base
    return bool(ends > span.start or span.start == 0) and (span.end is None or begins < span.end)


def _check_span(facts: Facts, span: Span) -> None:
    """Refuse a span that the video is too short for."""
    if facts.seconds is not None and span.start >= facts.seconds:
        raise UserError(
            f"{facts.name} ends after {float(facts.seconds):.6g} s: nothing is there from "
            f"{float(span.start):g} s on."
        )
