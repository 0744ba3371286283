"""Which files are videos, what encodes each kind, and the extra that reads and writes them."""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from swapae.errors import UserError
from swapae.files import shown

DEFAULT_QUALITY = 80  # of 1 to 100


@dataclass(frozen=True)
class Kind:
    """A kind of video file that can be written.

    - format: FFmpeg's name of the container.
    - codecs: encoders of the pictures, the first that is there is taken.
    - pixels: how it stores colours.
    - even: whether sides must be even.
    - crf: the encoder's own number at quality 1 and at quality 100; None where there is no such number.
    - options: further ones of the encoder.
    - container: options of the container.
    """

    format: str
    codecs: tuple[str, ...]
    pixels: str = "yuv420p"
    even: bool = True
    crf: tuple[float, float] | None = (40.0, 12.0)
    options: tuple[tuple[str, str], ...] = ()
    container: tuple[tuple[str, str], ...] = ()


H264 = ("libx264", "h264")
IN_ORDER = (("bf", "0"),)  # with frames out of order, uneven times end in a wrong length of the file
START = (("movflags", "+faststart"),)
KINDS = {
    ".mp4": Kind("mp4", H264, options=IN_ORDER, container=START),
    ".m4v": Kind("mp4", H264, options=IN_ORDER, container=START),
    ".mov": Kind("mov", H264, options=IN_ORDER, container=START),
    ".mkv": Kind("matroska", H264, options=IN_ORDER),
    ".webm": Kind(
        "webm",
        ("libvpx-vp9",),
        even=False,
        crf=(58.0, 15.0),
        options=(("b", "0"), ("deadline", "good"), ("cpu-used", "4"), ("row-mt", "1")),
    ),
    ".gif": Kind("gif", ("gif",), "pal8", even=False, crf=None, container=(("loop", "0"),)),
    ".webp": Kind("webp", ("libwebp_anim",), "bgra", even=False, crf=None, container=(("loop", "0"),)),
}
ANIMATIONS = (".gif", ".webp")  # pictures that move: read by Pillow, with times in milliseconds

# What may be read; lists of other files, by which a video could make its reader fetch them, are not among it.
READ_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,ivf,dv"


def is_video(path: Path) -> bool:
    """Whether a path would be written as a video, not as a folder of pictures."""
    return path.suffix.lower() in KINDS


def kind_of(path: Path) -> Kind:
    """Tell the kind of a file to be written.

    Raises:
        UserError: no such kind can be written.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{shown(path)} must end in a kind of video that can be written: {', '.join(KINDS)}.")
    return kind


def pyav() -> ModuleType:
    """Import PyAV.

    Raises:
        UserError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise UserError("videos need an extra: pip install 'swapae[video]'.") from None
    return av
