"""Videos in: decoded by PyAV, frame by frame, upright, with exact times.

Every file is taken for hostile: only containers of `READ_FORMATS` are tried, none of which names other files,
the file is handed to FFmpeg as open bytes, and pixels are counted before any is decoded.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from swapae.errors import UserError
from swapae.files import shown
from swapae.images import IMAGE_SUFFIXES, MAX_PIXELS, open_file, split_alpha
from swapae.video.frames import DEFAULT_RATE, Closing, Facts, Frame, Source, Span
from swapae.video.kinds import ANIMATIONS, READ_FORMATS, pyav
from swapae.video.pictures import Animation, Folder

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

HD = 720  # lines from which on colours that nobody named are those of BT.709, as players take them
UNNAMED = 2
HDR = {16: "PQ", 18: "HLG"}  # transfer functions
CUT_SHORT = Fraction(1, 4)  # seconds that may be missing at the end, for containers round and pad
T = Image.Transpose


def open_video(path: str | Path, span: Span = Span(), rate: Fraction | None = None) -> Source:  # noqa: B008
    """Open a video file, an animated GIF or WebP, or a folder of pictures in the order of their names.

    Args:
        path: of it.
        span: the part whose frames are wanted; times stay those of the whole video.
        rate: frames a second of a folder.

    Raises:
        UserError: nothing is there, or no video, or a damaged one.
    """
    path = Path(path)
    if path.is_dir():
        return Folder(path, span, rate or DEFAULT_RATE)
    if rate is not None:
        raise UserError(f"{shown(path)} has a frame rate of its own; one is given to a folder of pictures.")
    suffix = path.suffix.lower()
    if suffix in ANIMATIONS:
        return Animation(path, span)
    if suffix in IMAGE_SUFFIXES:
        raise UserError(f"{shown(path)} is a picture, not a video: `swapae swap` and `swapae edit` take it.")
    return File(path, span)


class File(Closing):
    """A video file.

    - facts: of the pictures.
    - container, stream: PyAV's own.
    - audio: streams of sound.
    - notes: sentences for its owner, of what is taken otherwise than it might be meant.
    """

    def __init__(self, path: Path, span: Span) -> None:
        self._name, self._span = shown(path), span
        self.notes: Sequence[str] = []
        pyav()
        self._file = open_file(path)
        try:
            if not self._file.read(1):
                raise UserError(f"{self._name} is an empty file, not a video.")
            self._open()
            first = self._first()
            self._turn = self._turn_of(first) or UPRIGHT
            self.facts = self._facts(first)
            self._note(first)
            self._seek(span.start)
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> None:
        """Begin at the start of the file."""
        self._file.seek(0)
        with self._explained():
            options = {"format_whitelist": READ_FORMATS, "protocol_whitelist": "none"}
            self.container: InputContainer = pyav().open(
                self._file, "r", options=options, metadata_errors="replace"
            )
        self.stream = self._pictures()
        self.audio = [one for one in self.container.streams.audio if one.codec_context is not None]

    def close(self) -> None:
        """Give the file back."""
        self.container.close()
        self._file.close()

    def frames(self) -> Iterator[Frame]:
        """Read the frames of the span."""
        for thing in self.parts():
            if isinstance(thing, Frame):
                yield thing

    def parts(self) -> "Iterator[Frame | Packet[Any]]":
        """Read the frames of the span, and packets of sound, as they come in the file.

        Raises:
            UserError: the file is damaged or cut short.
        """
        reached, is_over = Fraction(0), False
        with self._explained(lambda: reached):
            for packet in self.container.demux(self.stream, *self.audio):
                if packet.stream.type == "audio":
                    if packet.size:
                        yield packet
                    continue
                for decoded in () if is_over else self.stream.decode(packet):
                    frame = self._frame(decoded, reached)
                    is_over = self._span.end is not None and frame.time >= self._span.end
                    if is_over:
                        break
                    reached = frame.time + frame.duration
                    # Those between a key frame and the start may lack what was before: nobody asks for them.
                    if self._span.holds(frame):
                        self._check_whole(decoded, frame)
                        yield frame
                if is_over and not self._sound_goes_on(packet):
                    return
        self._check_end(reached)

    # ---- inside

    @contextmanager
    def _explained(self, reached: Any = None) -> Iterator[None]:
        """Turn errors of FFmpeg into one sentence."""
        av = pyav()
        try:
            yield
        except (av.error.FFmpegError, OSError, UnicodeError) as error:
            if reached is None:
                raise UserError(
                    f"{self._name} is not a video that can be read, or is damaged ({_reason(error)})."
                ) from None
            raise UserError(self._damaged(reached(), _reason(error))) from None

    def _damaged(self, reached: Fraction, why: str) -> str:
        if reached <= self._span.start:
            return f"{self._name} is damaged and cannot be decoded ({why})."
        fix = f"--end {float(reached):.6g} takes what comes before"
        return f"{self._name} is damaged or cut short at {float(reached):.6g} s ({why}): {fix}."

    def _pictures(self) -> "VideoStream":
        moving = [one for one in self.container.streams.video if not _is_cover(one)]
        if not moving:
            raise UserError(f"{self._name} has no moving pictures in it, only {self._others()}.")
        from av.codec.context import ThreadType

        stream = moving[0]
        if stream.codec_context is None:
            raise UserError(f"{self._name} holds pictures of a kind that PyAV cannot decode.")
        stream.thread_type = ThreadType.AUTO
        if stream.width * stream.height > MAX_PIXELS:
            size = f"{stream.width}x{stream.height}"
            raise UserError(f"{self._name} has too many pixels to be decoded safely, {size}.")
        return stream

    def _others(self) -> str:
        kinds = sorted(
            {"a cover picture" if one.type == "video" else one.type for one in self.container.streams}
        )
        return " and ".join(kinds) or "nothing"

    def _first(self) -> "VideoFrame":
        """Decode one frame, which alone knows how the pictures lie; the file is at its start again after."""
        with self._explained(lambda: Fraction(0)):
            for packet in self.container.demux(self.stream):
                for frame in self.stream.decode(packet):
                    return frame
        raise UserError(f"{self._name} is damaged: not one of its frames can be decoded.")

    def _facts(self, first: "VideoFrame") -> Facts:
        stream = self.stream
        rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
        turned = _is_sideways(self._turn)
        width, height = (first.height, first.width) if turned else (first.width, first.height)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        seconds = self._length()
        num = stream.frames or (round(seconds * rate) if seconds else None)
        return Facts(
            name=self._name,
            size=(width, height),
            rate=Fraction(rate),
            time_base=Fraction(stream.time_base or 1 / rate),
            seconds=seconds,
            num_frames=num,
            pixel_aspect=1 / aspect if turned else aspect,
            metadata={key: self.container.metadata[key] for key in KEPT if key in self.container.metadata},
        )

    def _length(self) -> Fraction | None:
        """Tell how long the pictures go on, by what the file promises of them."""
        stream = self.stream
        if stream.duration is not None and stream.time_base is not None:
            return Fraction(stream.duration * stream.time_base)
        if (said := _clock(stream.metadata.get("DURATION", ""))) is not None:
            return said
        if self.container.duration is None or len(self.container.streams) > 1:
            return None
        return Fraction(self.container.duration, 1_000_000)

    def _note(self, first: "VideoFrame") -> None:
        if (kind := HDR.get(first.color_trc)) is not None:
            self.notes = [f"{self._name} is HDR ({kind}): its colours are taken for ordinary ones."]

    def _seek(self, seconds: Fraction) -> None:
        """Go to the last key frame before a moment; where a file has no way there, to its start."""
        if seconds:
            base = self.stream.time_base or Fraction(1, 1000)
            with suppress(pyav().error.FFmpegError):
                self.container.seek(int((seconds + self.origin) / base), stream=self.stream)
                return
        self.container.close()
        self._open()  # a seek to the start would leave out the first packet of sound

    @property
    def origin(self) -> Fraction:
        """Seconds at which the file has its first picture, where frames say 0."""
        return Fraction((self.stream.start_time or 0) * (self.stream.time_base or 0))

    def _frame(self, decoded: "VideoFrame", reached: Fraction) -> Frame:
        base = decoded.time_base or self.facts.time_base
        stamp = decoded.pts if decoded.pts is not None else decoded.dts
        time = reached if stamp is None else stamp * base - self.origin
        length = Fraction(decoded.duration * base) or 1 / self.facts.rate
        return Frame(upright(picture_of(decoded), self._turn), max(time, Fraction(0)), length)

    def _check_whole(self, decoded: "VideoFrame", frame: Frame) -> None:
        if decoded.is_corrupt:
            raise UserError(self._damaged(frame.time, "parts of a frame are missing"))
        if self._turned(decoded) != self.facts.size:
            raise UserError(
                f"{self._name} changes its size at {float(frame.time):.6g} s: cut it there with --end."
            )
        if (self._turn_of(decoded) or self._turn) != self._turn:
            begins = f"{float(frame.time):.6g} s"
            raise UserError(f"{self._name} is turned another way from {begins} on: cut it there with --end.")

    def _turn_of(self, decoded: "VideoFrame") -> "Turn | None":
        try:
            return turn_of(decoded)
        except ValueError as error:
            raise UserError(f"{self._name} {error}: turn it upright first.") from None

    def _turned(self, decoded: "VideoFrame") -> tuple[int, int]:
        size = decoded.width, decoded.height
        return size[::-1] if _is_sideways(self._turn) else size

    def _sound_goes_on(self, packet: "Packet[Any]") -> bool:
        """Whether sound of the span may still come after the last picture: files keep both about together."""
        end, stamp = self._span.end, packet.dts if packet.dts is not None else packet.pts
        if not self.audio or end is None or stamp is None or packet.time_base is None:
            return False
        return stamp * packet.time_base - self.origin < end + 1

    def _check_end(self, reached: Fraction) -> None:
        """Refuse a file that ends before what it promises."""
        wanted = self.facts.seconds
        if wanted is None or (self._span.end is not None and reached >= self._span.end):
            return
        wanted = wanted if self._span.end is None else min(wanted, self._span.end)
        if wanted - reached > max(CUT_SHORT, wanted / 50, 3 / self.facts.rate):
            why = f"it should go on to {float(wanted):.6g} s"
            raise UserError(self._damaged(reached, why))


KEPT = ("title", "artist", "album", "date", "comment", "description", "copyright", "genre", "creation_time")


def picture_of(decoded: "VideoFrame") -> Image.Image:
    """Turn a decoded frame into an RGB picture; what is transparent is seen over white."""
    if any(component.is_alpha for component in decoded.format.components) or decoded.format.has_palette:
        rgba = Image.fromarray(decoded.to_ndarray(format="rgba"), "RGBA")
        return split_alpha(rgba)[0]
    is_hd = decoded.colorspace == UNNAMED and decoded.height >= HD and not decoded.format.is_rgb
    named = "ITU709" if is_hd else None
    return Image.fromarray(decoded.to_ndarray(format="rgb24", src_colorspace=named))


Turn = tuple[bool, bool, bool]  # exchange of the sides, then mirrored left to right, and top to bottom
UPRIGHT: Turn = False, False, False
SLANT = 0.02  # sine of the angle beyond a quarter turn that is taken for rounding


def turn_of(decoded: "VideoFrame") -> Turn | None:
    """Read from a frame's display matrix how it is to be turned to stand upright; None if it has none.

    Raises:
        ValueError: it is to be shown at a slant.
    """
    from av.sidedata.sidedata import Type

    try:
        matrix = bytes(decoded.side_data[Type.DISPLAYMATRIX])  # type: ignore[typeddict-item]
    except KeyError:
        return None
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    straight, across = abs(a) + abs(d), abs(b) + abs(c)
    if min(straight, across) > SLANT * max(straight, across):
        raise ValueError(f"is to be shown at a slant of {math.degrees(math.atan2(b, a)):.0f}°")
    return (False, a < 0, d < 0) if straight >= across else (True, c < 0, b < 0)


def upright(picture: Image.Image, turn: Turn) -> Image.Image:
    """Turn a picture."""
    for is_wanted, method in zip(turn, (T.TRANSPOSE, T.FLIP_LEFT_RIGHT, T.FLIP_TOP_BOTTOM), strict=True):
        picture = picture.transpose(method) if is_wanted else picture
    return picture


def _is_sideways(turn: Turn) -> bool:
    return turn[0]


def _is_cover(stream: "VideoStream") -> bool:
    """Whether it is a still picture for the lid of an album."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _clock(text: str) -> Fraction | None:
    """Read 00:00:01.250000000, as Matroska notes it."""
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    except ValueError:
        return None


def _reason(error: BaseException) -> str:
    return shown(getattr(error, "strerror", None) or error).rstrip(".")
