"""Videos that tests read, written by PyAV itself, and reading back what was written."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BASE = Fraction(1, 600)
TIMES = [25 * i for i in range(12)]  # in BASE: 24 frames a second
UNEVEN = [0, 25, 40, 100, 110, 160, 200, 240, 251, 300, 340, 400]


def picture(number: int, size: tuple[int, int] = (20, 16)) -> np.ndarray:
    """A smooth picture whose corners differ, of a colour that changes with its number."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float64)
    red = 40 + 160 * x / size[0]
    green = 40 + 160 * y / size[1]
    return np.stack([red, green, np.full_like(red, 20 + 12 * number)], -1).astype(np.uint8)


def clip(
    path: Path,
    times: list[int] = TIMES,
    size: tuple[int, int] = (20, 16),
    codec: str = "libx264",
    sound: str | None = None,
    matrix: tuple[int, ...] | None = None,
    title: str | None = None,
    seed: int | None = None,
) -> Path:
    """Write a clip whose frames are `picture(0)`, `picture(1)`, …, or noise of a seed, at times in BASE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = None if seed is None else np.random.default_rng(seed)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=Fraction(24), options={"crf": "4", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = BASE
        stream.codec_context.flags |= av.codec.context.Flags.frame_duration
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if title is not None:
            file.metadata["title"] = title
        beeps = None if sound is None else file.add_stream(sound, rate=16000)
        for number, time in enumerate(times):
            shown = (
                picture(number, size) if noise is None else noise.integers(0, 256, (*size[::-1], 3), np.uint8)
            )
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, BASE
            frame.duration = (times[number + 1] if number + 1 < len(times) else time + 25) - time
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if beeps is not None:
            for number in range(round((times[-1] + 25) * float(BASE) * 10)):
                wave = np.sin(np.arange(1600) / 8 + number)[None]
                kind = beeps.format.name
                wave = wave.astype(np.float32) if kind == "fltp" else (8000 * wave).astype(np.int16)
                heard = av.AudioFrame.from_ndarray(wave, format=kind, layout="mono")
                heard.sample_rate, heard.pts, heard.time_base = 16000, 1600 * number, Fraction(1, 16000)
                file.mux(beeps.encode(heard))
            file.mux(beeps.encode(None))
    return path


def turned(degrees: int, flip: bool = False) -> tuple[int, ...]:
    """The display matrix of a picture to be shown turned clockwise, mirrored left to right before."""
    a, b, c, d = {
        0: (1, 0, 0, 1),
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }[degrees]
    one = 1 << 16
    a, b = (-a, -b) if flip else (a, b)
    return a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30


def frames_of(path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    """The frames of a file by PyAV, and their times in seconds."""
    with av.open(str(path)) as file:
        decoded = list(file.decode(video=0))
        shown = [frame.to_ndarray(format="rgb24") for frame in decoded]
        return shown, [frame.pts * frame.time_base for frame in decoded]


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    """The packets of sound of a file: their times and their bytes."""
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return []
        packets = list(file.demux(audio=0))
        return [(float(p.pts * p.time_base), bytes(p)) for p in packets if p.size]


def facts_of(path: Path) -> dict[str, object]:
    """What a file says of its pictures."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frame = next(file.decode(stream))
        return {
            "rate": stream.average_rate,
            "seconds": float(stream.duration * stream.time_base) if stream.duration else file.duration / 1e6,
            "size": (stream.width, stream.height),
            "title": file.metadata.get("title"),
            "rotation": frame.rotation,
            "colorspace": frame.colorspace,
        }


def unpacked(matrix: bytes) -> tuple[int, ...]:
    """The nine numbers of a display matrix."""
    return struct.unpack("=9i", matrix)
