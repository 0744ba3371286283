"""A PNG that carries a text, and that text out of any PNG; no picture is decoded to find it."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from swapae.errors import UserError
from swapae.web.library import MEGABYTE

KEYWORD = "swapae-recipe"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_TEXT = 32 * MEGABYTE  # bytes of the text, as UTF-8
MOST_CHUNKS = 100_000

NO_RECIPE = "this picture carries no recipe: only PNG files that the studio saved do, as they were saved."
DAMAGED = "the recipe in this picture is damaged"


def with_text(picture: Image.Image, text: str) -> bytes:
    """Encode a picture as PNG with a text in an iTXt chunk, and with nothing else beside its pixels.

    Raises:
        UserError: the text is too long.
    """
    if len(text.encode()) > MOST_TEXT:
        raise UserError(
            f"the recipe takes {len(text) / MEGABYTE:.0f} MB, and a picture carries at most "
            f"{MOST_TEXT / MEGABYTE:.0f}: take smaller or fewer images."
        )
    info = PngInfo()
    info.add_itxt(KEYWORD, text, zip=True)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def text_of(data: bytes) -> str:
    """Find the text that `with_text` put there, whoever wrote the file since.

    Raises:
        UserError: there is none, or it is damaged or too long.
    """
    if not data.startswith(SIGNATURE):
        raise UserError(NO_RECIPE)
    for kind, body, is_whole in _chunks(data):
        if kind == b"iTXt" and body.startswith(KEYWORD.encode() + b"\0"):
            if not is_whole:
                raise UserError(f"{DAMAGED}: its checksum is wrong.")
            return _decoded(body[len(KEYWORD) + 1 :])
    raise UserError(NO_RECIPE)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Go through the chunks of a file that may end anywhere: type, data, and whether its checksum is right.

    The data of others than texts is not looked at.
    """
    place = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if place + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        if end + 4 > len(data):
            if kind == b"iTXt":
                raise UserError(f"{DAMAGED}: the file is cut short.")
            return
        if kind == b"iTXt":
            body = data[place + 8 : end]
            yield kind, body, struct.unpack_from(">I", data, end)[0] == zlib.crc32(body, zlib.crc32(kind))
        place = end + 4


def _decoded(body: bytes) -> str:
    """Decode what follows the keyword: two flags, language, translated keyword, text."""
    flags, _, rest = body[:2], *body[2:].partition(b"\0")[1:]
    _, _, text = rest.partition(b"\0")
    if flags not in (b"\0\0", b"\1\0"):
        raise UserError(f"{DAMAGED}: it is packed in an unknown way.")
    try:
        if flags[0]:
            text = inflated(text, MOST_TEXT)
        elif len(text) > MOST_TEXT:
            raise ValueError("it is too long")
        return text.decode("utf-8")
    except (ValueError, zlib.error) as error:  # UnicodeDecodeError is a ValueError
        why = "it is no text" if isinstance(error, UnicodeDecodeError) else error
        raise UserError(f"{DAMAGED}: {why}.") from error


def inflated(data: bytes, most: int) -> bytes:
    """Inflate a whole zlib stream of at most so many bytes.

    Raises:
        ValueError: it holds more, ends too early, or is none.
    """
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, most)
    except zlib.error:
        raise ValueError("it cannot be unpacked") from None
    if not inflater.eof:
        raise ValueError("it is cut short" if len(found) < most else f"it holds more than {most:,} bytes")
    return found
