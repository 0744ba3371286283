"""Videos out: encoded by PyAV, each frame at its time, with the sound of the source where it fits."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from swapae.errors import UserError, WriteError
from swapae.files import shown, written_whole
from swapae.video.frames import Facts, Frame
from swapae.video.kinds import Kind, kind_of, pyav

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.video.frame import VideoFrame

BT709 = 1  # FFmpeg's number of these colours, as matrix, primaries and transfer function
LIMITED = 1  # range 16 to 235
GIF_BASE = Fraction(1, 100)  # seconds


class FileSink:
    """A video file that is being written; `file_sink` makes one.

    - notes: sentences for its owner, of what the kind of file made necessary.
    - num_audio: streams of sound that it takes.
    """

    def __init__(
        self, path: Path, beside: Path, facts: Facts, quality: int, audio: "Sequence[AudioStream]"
    ) -> None:
        av = pyav()
        self._kind = kind = kind_of(path)
        self.notes: list[str] = []
        self._base = GIF_BASE if kind.format == "gif" else facts.time_base
        self._last = -1
        encoder = _encoder(kind, path)
        self._container = av.open(
            f"file:{beside.resolve()}", "w", format=kind.format, container_options=dict(kind.container)
        )
        self._stream = self._container.add_stream(encoder, rate=facts.rate, options=_options(kind, quality))
        self._size = _even(facts.size) if kind.even else facts.size
        if self._size != facts.size:
            self.notes.append(_said_of_size(path, facts.size, self._size))
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = kind.pixels
        context = self._stream.codec_context
        context.time_base = self._base
        context.flags |= av.codec.context.Flags.frame_duration
        if facts.pixel_aspect != 1:
            context.sample_aspect_ratio = facts.pixel_aspect
        if kind.pixels == "yuv420p":
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = LIMITED
        self._sound = self._copies(path, audio)
        self._container.metadata.update(facts.metadata)

    @property
    def num_audio(self) -> int:
        return len(self._sound)

    def put(self, frame: Frame) -> None:
        """Encode a frame; one that falls on the moment of the one before is left out."""
        stamp = round(frame.time / self._base)
        if stamp <= self._last:
            return
        self._last = stamp
        encoded = _encoded(_padded(frame.picture, self._size), self._kind)
        encoded.pts, encoded.time_base = stamp, self._base
        encoded.duration = round((frame.time + frame.duration) / self._base) - stamp
        self._container.mux(self._stream.encode(encoded))

    def put_sound(self, packet: "Packet[Any]", earlier: Fraction) -> None:
        """Copy a packet of sound, so many seconds earlier; of a stream that does not fit, nothing."""
        stream = self._sound.get(packet.stream.index)
        if stream is None or packet.dts is None or packet.pts is None:
            return
        shift = round(earlier / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = stream
        self._container.mux(packet)

    def finish(self) -> None:
        """Write what the encoder holds."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def close(self) -> None:
        """Let go of the file."""
        with suppress(Exception):  # it was not finished, so whatever it says is no news
            self._container.close()

    def _copies(self, path: Path, audio: "Sequence[AudioStream]") -> "dict[int, AudioStream]":
        """Make a stream for each of sound that the container takes."""
        found = {}
        for stream in audio:
            if self._kind.crf is not None and _fits(stream, self._kind):
                found[stream.index] = self._container.add_stream_from_template(stream)
            else:
                name = stream.codec_context.name
                fix = "" if self._kind.format == "matroska" else "; .mkv takes most"
                self.notes.append(f"{shown(path)} has no sound: {name} does not go into {path.suffix}{fix}.")
        return found


@contextmanager
def file_sink(
    path: Path, facts: Facts, quality: int, audio: "Sequence[AudioStream]" = ()
) -> Iterator[FileSink]:
    """Write a video file that appears whole, or not at all.

    Args:
        path: to write; its suffix says what.
        facts: of the frames: their size, their rate and unit of time, what is said of them.
        quality: 1 to 100.
        audio: streams of sound of the source, to be copied.

    Raises:
        UserError: its kind is unknown or cannot be written here, or the place cannot be written to.
    """
    errors = pyav().error
    with written_whole(path) as beside:
        sink = None
        try:
            sink = FileSink(path, beside, facts, quality, audio)
            yield sink
            sink.finish()
        except errors.FFmpegError as error:
            why = shown(getattr(error, "strerror", None) or error)
            raise WriteError(f"{shown(path)} cannot be written ({why}).") from None
        finally:
            if sink is not None:
                sink.close()


def _fits(stream: "AudioStream", kind: Kind) -> bool:
    """Try whether a kind of file takes a stream of sound as it is."""
    av = pyav()
    try:
        with av.open(io.BytesIO(), "w", format=kind.format) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _encoder(kind: Kind, path: Path) -> str:
    """Name an encoder that is there.

    Raises:
        UserError: there is none.
    """
    av = pyav()
    for name in kind.codecs:
        with suppress(av.codec.codec.UnknownCodecError):
            av.Codec(name, "w")
            return name
    raise UserError(f"this PyAV has no encoder for {path.suffix} ({kind.codecs[0]}): take another suffix.")


def _options(kind: Kind, quality: int) -> dict[str, str]:
    options = dict(kind.options)
    if kind.crf is not None:
        worst, best = kind.crf
        options["crf"] = f"{worst + (best - worst) * (quality - 1) / 99:.1f}"
    if kind.format == "webp":
        options["quality"] = str(quality)
    return options


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _said_of_size(path: Path, wanted: tuple[int, int], size: tuple[int, int]) -> str:
    have, makes = ("x".join(map(str, one)) for one in (wanted, size))
    return f"{shown(path)} is {makes}, not {have}: its kind has even sides only, so the edge is repeated."


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Repeat the last column and row up to a size."""
    if picture.size == size:
        return picture
    below, right = size[1] - picture.height, size[0] - picture.width
    return Image.fromarray(np.pad(np.asarray(picture), ((0, below), (0, right), (0, 0)), mode="edge"))


def _encoded(picture: Image.Image, kind: Kind) -> "VideoFrame":
    """Bring an RGB picture to the colours of a kind of file."""
    frame = pyav().VideoFrame
    if kind.pixels == "pal8":
        return frame.from_ndarray(_with_palette(picture), format="pal8")  # type: ignore[no-any-return]
    made = frame.from_ndarray(np.asarray(picture), format="rgb24")
    if kind.pixels != "yuv420p":
        return made.reformat(format=kind.pixels)  # type: ignore[no-any-return]
    made = made.reformat(format=kind.pixels, dst_colorspace="ITU709", dst_color_range="MPEG")
    made.colorspace = made.color_primaries = made.color_trc = BT709
    made.color_range = LIMITED
    return made  # type: ignore[no-any-return]


def _with_palette(picture: Image.Image) -> tuple[Any, Any]:
    """Reduce to 256 colours: places `[H, W]` and the palette `[256, 4]`, alpha first."""
    reduced = picture.quantize(256, method=Image.Quantize.MEDIANCUT)
    colours = np.asarray(reduced.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 4), dtype=np.uint8)
    palette[:, 0] = 255
    palette[: len(colours), 1:] = colours
    return np.asarray(reduced), palette
