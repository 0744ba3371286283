"""The process that decodes strangers' pictures: no network, no model, little memory, little time.

It speaks in bytes, not in objects, so that nothing that takes it over is believed: a request is a letter
(`IMAGE`, `MASK`) and the file; an answer a letter (`DONE`, `REFUSED`, `UNKNOWN`) and pixels or a sentence.
"""

import contextlib
import io
import os
import signal
import struct
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from swapae.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE, MASK = b"i", b"m"
DONE, REFUSED, UNKNOWN = b"+", b"-", b"?"
SHAPE = struct.Struct("<III")  # width, height, whether it was made smaller


@dataclass(frozen=True)
class DecodingLimits:
    """What a decoder may use."""

    pixels: int = 50_000_000  # that a header may declare
    side: int = 1024  # longest side of what comes out, in pixels; larger pictures are made smaller
    seconds: float = 10.0  # of one picture
    memory: int = 1536 * 2**20  # bytes of address space of the process


def decode_all(connection: Connection, limits: DecodingLimits) -> None:
    """Answer requests until the other side has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's affair
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # each thread takes of the memory allowed
        os.environ[name] = "1"
    import swapae.images  # noqa: F401  before the limits

    _limit(limits)
    with contextlib.suppress(EOFError, OSError), connection:
        connection.send_bytes(DONE)
        while True:
            request = connection.recv_bytes()
            _limit_time(limits.seconds)
            connection.send_bytes(_answer(request[:1], request[1:], limits))


def _answer(kind: bytes, data: bytes, limits: DecodingLimits) -> bytes:
    try:
        picture, is_smaller = _decoded(kind, data, limits)
        return DONE + SHAPE.pack(picture.width, picture.height, is_smaller) + picture.tobytes()
    except UserError as error:
        return REFUSED + str(error).encode(errors="replace")
    except NotAPicture:
        kinds = "a PNG" if kind == MASK else "a picture of a kind that is taken (JPEG, PNG, WebP, AVIF, …)"
        return UNKNOWN + f"this is not {kinds}, or its beginning is damaged.".encode()
    except MemoryError:
        return REFUSED + b"the picture does not fit into the memory allowed for it: make it smaller first."


class NotAPicture(Exception):  # noqa: N818  it says what is not
    """No format that is allowed."""


def _decoded(kind: bytes, data: bytes, limits: DecodingLimits) -> "tuple[Image, bool]":
    """Decode a file: upright, in sRGB, laid over white where transparent, no larger than allowed."""
    from swapae.images import decode_draft, decode_image, split_alpha

    name = "the mask" if kind == MASK else "the picture"
    whole = _check_header(data, kind, name, limits)
    if kind == MASK:
        picture = _gray(decode_image(io.BytesIO(data), name))
        box = None
    else:
        least = lambda size: _fitting(size, limits.side)  # noqa: E731
        drafted, whole, box = decode_draft(io.BytesIO(data), name, least)
        picture = split_alpha(drafted)[0]
    size = _fitting(whole, limits.side)
    if size == picture.size:
        return picture, size != whole
    return _resized(picture, size, box), True


def _check_header(data: bytes, kind: bytes, name: str, limits: DecodingLimits) -> tuple[int, int]:
    """Read the size in the header, before a pixel is decoded.

    Raises:
        NotAPicture: as said.
        UserError: it declares more pixels than are allowed, or is damaged.
    """
    from PIL import Image, UnidentifiedImageError

    from swapae.images import FORMATS, opened

    formats = ("PNG",) if kind == MASK else FORMATS
    is_heic = data[4:8] == b"ftyp"  # which `opened` knows, or names the extra that does
    try:
        if not is_heic or kind == MASK:
            Image.open(io.BytesIO(data), formats=formats).close()
    except UnidentifiedImageError:
        raise NotAPicture from None
    except Exception:  # `opened` says it in a sentence
        pass
    with opened(io.BytesIO(data), name) as header:
        width, height = header.size
    if width * height > limits.pixels:
        raise UserError(
            f"{name} has {width} × {height} pixels; at most {limits.pixels:,} are taken: make it smaller."
        )
    return width, height


def _gray(picture: "Image") -> "Image":
    """White is inside; black and what is transparent outside."""
    from PIL import ImageChops

    gray = picture.convert("L")
    if picture.has_transparency_data:
        gray = ImageChops.multiply(gray, picture.convert("RGBA").getchannel("A"))
    return gray


def _fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Bring the longest side down to `side`; smaller pictures stay as they are."""
    scale = min(1.0, side / max(size))
    width, height = (max(1, round(length * scale)) for length in size)
    return width, height


def _resized(
    picture: "Image", size: tuple[int, int], box: tuple[float, float, float, float] | None
) -> "Image":
    from swapae.images import resize

    return resize(picture, size, box, reducing_gap=3.0)


def _limit(limits: DecodingLimits) -> None:
    """Take from this process what decoding does not need; without such limits, time-outs remain."""
    if sys.platform == "win32":
        return
    import resource

    for which, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, 0),  # it writes no files
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(which)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(which, (allowed, allowed))


def _limit_time(seconds: float) -> None:
    """Let the system end this process after so much more computing."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))
