"""The one border between picture files (8-bit, sRGB) and arrays in [-1, 1].

Nothing else in the project opens, resizes or pads a picture; how one is saved is in `saving.py`, under whose
names it can be had here. Only numpy and Pillow are needed.

Every file is taken for hostile: only `FORMATS` are tried, the size in the header is held against `MAX_PIXELS`
before a pixel is decoded, and whatever goes wrong inside a decoder becomes one `UserError` with the path.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from swapae_onnx.errors import UserError
from swapae_onnx.files import reason, shown
from swapae_onnx.saving import FORMATS_WITHOUT_ALPHA as FORMATS_WITHOUT_ALPHA
from swapae_onnx.saving import SAVE_FORMATS as SAVE_FORMATS
from swapae_onnx.saving import check_target as check_target
from swapae_onnx.saving import encode_image as encode_image
from swapae_onnx.saving import save_image as save_image
from swapae_onnx.sheet import Sheet

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM")
HEIC_SUFFIXES = frozenset({".heic", ".heif"})
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
IMAGE_SUFFIXES = HEIC_SUFFIXES | frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"}
    | {".ppm", ".pgm", ".pbm", ".pnm"}
)
# The most pixels a file may declare: the point where Pillow itself refuses, half a gigabyte as RGB.
MAX_PIXELS = 178_956_970

WHITE = (255, 255, 255)
_SAYS, _SILENT = logging.getLogger("PIL"), logging.NullHandler()

Picture = Image.Image | str | Path
Size = tuple[int, int]  # width, height in pixels
Box = tuple[float, float, float, float]  # left, upper, right, lower in pixels
Rule = Callable[[Size], Size]
N = TypeVar("N", int, float)


# ── opening ──────────────────────────────────────────────────────────────────────────────────────


def open_image(path: str | Path) -> Image.Image:
    """Decode a picture file, upright and in sRGB, as 8-bit RGB, or RGBA where the file has transparency.

    Each kind of picture by one rule:

    - Orientation in EXIF is applied. Of an animation the first frame is taken.
    - 1-bit and grayscale: the value is repeated in red, green and blue.
    - Palette: looked up. A transparent palette entry, or a colour marked transparent, becomes alpha.
    - Grayscale of 16 bits (modes `I;16` and `I`): value / 257, rounded. Values past 65535 are refused.
    - Colour of 16 bits per channel: the upper 8 bits, as Pillow hands them over.
    - Floating point (`F`): 0 is black, 1 is white. Values outside are refused.
    - CMYK: by its embedded profile, without one as plain ink, R = (255 - C)(255 - K) / 255.
    - YCbCr and L*a*b*: converted.
    - Alpha (RGBA, LA): kept. Premultiplied colours are divided by it.
    - An embedded colour profile is converted to sRGB; one that is broken or for other channels is ignored.

    The result carries no metadata.

    Raises:
        UserError: nothing is at the path, or no image, or a damaged one, or one past `MAX_PIXELS`.
    """
    path = Path(path)
    with open_file(path) as file:
        return decode_image(file, path)


def decode_image(file: BinaryIO, name: str | Path) -> Image.Image:
    """Decode an open binary file as `open_image` does; `name` is what messages call it."""
    with opened(file, name) as header:
        return decoded(header, name)


def decode_draft(file: BinaryIO, name: str | Path, least: Rule) -> tuple[Image.Image, Size, Box]:
    """Decode as `decode_image` does, a JPEG at the lowest of 1/1, 1/2, 1/4, 1/8 that is large enough.

    `least` gives, for the size of the whole picture, the one that neither side may fall below, both upright.
    Returned are the picture, the size of the whole, and the box to `resize`: decoding rounds sides up.
    """
    with opened(file, name) as header:
        draft = _set_scale(header, least) if isinstance(header, JpegImageFile) else None
        image = decoded(header, name)
    return image, *(draft or (image.size, (0, 0, *image.size)))


def decoded(image: Image.Image, name: str | Path) -> Image.Image:
    """Decode what `opened` gave, inside its context."""
    image.load()
    profile = image.info.get("icc_profile")
    color, alpha = _split_channels(_to_eight_bits(_upright(image), name))
    rgb = _to_srgb(color, profile)
    rgb.info.clear()
    return put_alpha(rgb, alpha)


def orientation_of(image: Image.Image) -> int:
    """How EXIF says a picture lies: 1 is upright, 5 to 8 on its side. A PNG must have been loaded before."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # as in `_upright`
        return 1


def _set_scale(image: JpegImageFile, least: Rule) -> tuple[Size, Box] | None:
    orientation = orientation_of(image)
    is_turned = orientation in (5, 6, 7, 8)
    whole = _turned(image.size, is_turned)
    scaled = image.draft(None, _turned(least(whole), is_turned))
    if scaled is None:
        return None
    width, height = _turned(image.size, is_turned)
    used_width, used_height = _turned(scaled[1][2:], is_turned)
    left = width - used_width if orientation in (2, 3, 6, 7) else 0  # the margin is stored right and below
    upper = height - used_height if orientation in (3, 4, 7, 8) else 0
    return whole, (left, upper, left + used_width, upper + used_height)


def _turned(size: tuple[N, N], is_turned: bool) -> tuple[N, N]:
    return (size[1], size[0]) if is_turned else size


def image_size(path: str | Path) -> tuple[int, int]:
    """Read (width, height) as stored from the header alone; a bad header is refused as by `open_image`."""
    path = Path(path)
    with open_file(path) as file, opened(file, path) as header:
        return header.size


@contextmanager
def opened(file: BinaryIO, name: str | Path) -> Iterator[Image.Image]:
    """Give a picture of which only the header was read; whatever goes wrong with it becomes a `UserError`.

    Damaged files make decoders raise nearly anything (SyntaxError, KeyError, …), hence `Exception`.
    """
    _SAYS.addHandler(_SILENT)  # what Pillow logs would else be printed beside our sentence; twice is once
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield _read_header(file, name)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(_too_large(name)) from None
    except MemoryError:
        raise UserError(f"{shown(name)} does not fit into memory: make it smaller first.") from None
    except Exception as error:
        why = shown(error) or type(error).__name__
        raise UserError(f"{shown(name)} is damaged or cut short and cannot be decoded ({why}).") from None


def open_file(path: Path) -> BinaryIO:
    """Open a regular file; a pipe or a device could wait or run for ever."""
    try:
        if not path.exists():
            raise UserError(f"{shown(path)} does not exist.")
        if path.is_dir():
            raise UserError(f"{shown(path)} is a folder, not an image.")
        if not path.is_file():
            raise UserError(f"{shown(path)} is not a regular file.")
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UserError(f"{shown(path)} cannot be read ({reason(error)}).") from None


def _read_header(file: BinaryIO, name: str | Path) -> Image.Image:
    start = file.read(16)
    file.seek(0)
    if not start:
        raise UserError(f"{shown(name)} is an empty file, not an image.")
    formats = (*FORMATS, "HEIF") if _is_heic(start, name) else FORMATS
    try:
        image = Image.open(file, formats=formats)
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise UserError(f"{shown(name)} is not an image that can be read ({known}), or is damaged.") from None
    if image.width * image.height > MAX_PIXELS:
        raise UserError(_too_large(name, f", {image.width}x{image.height}"))
    return image


def _is_heic(start: bytes, name: str | Path) -> bool:
    """Whether this is a HEIC file, by its first bytes or suffix; if so, pillow-heif is made to read it."""
    is_heic = start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS
    if not is_heic and Path(name).suffix.lower() not in HEIC_SUFFIXES:
        return False
    try:
        import pillow_heif
    except ImportError:
        fix = "pip install 'swapae[heic]', or pillow-heif"
        raise UserError(f"{shown(name)} is a HEIC picture, which needs an extra: {fix}.") from None
    pillow_heif.register_heif_opener()
    return True


def _too_large(name: str | Path, size: str = "") -> str:
    return f"{shown(name)} has too many pixels to be decoded safely{size} (the limit is {MAX_PIXELS:,})."


def picture_of(image: Picture) -> Image.Image:
    """Take a picture as it is, or open a file.

    Raises:
        ValueError: the picture has more than 8 bits, which Pillow's conversion to RGB would cut off.
        UserError: as `open_image`.
    """
    if isinstance(image, str | Path):
        return open_image(image)
    if image.mode[0] in "IF":
        raise ValueError(f"a picture of mode {image.mode} must be opened by its path, or by `open_image`.")
    return image


# ── every mode to 8-bit colour and alpha ─────────────────────────────────────────────────────────


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # the pixels are sound, only their EXIF block is not: as if there were none
        pass
    return image


def _to_eight_bits(image: Image.Image, name: str | Path) -> Image.Image:
    """Bring `I;16`, `I` and `F` to L, or to LA where one value is marked transparent; leave other modes."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    white = 1 if image.mode == "F" else 65535
    marked = image.info.get("transparency")
    gray = Image.new("LA" if isinstance(marked, int) else "L", image.size)
    for top in range(0, image.height, 256):  # in bands: at the pixel limit all at once would take gigabytes
        box = (0, top, image.width, min(top + 256, image.height))
        values = np.asarray(image.crop(box))
        if not (values.min() >= 0 and values.max() <= white):  # written so that NaN is refused
            fix = "save it with 8 or 16 bits per channel"
            raise UserError(
                f"{shown(name)} holds values outside 0 to {white} that have no known colour: {fix}."
            )
        band = Image.fromarray(np.rint(values * np.float32(255 / white)).astype(np.uint8))
        if gray.mode == "LA":
            band.putalpha(Image.fromarray(np.where(values == marked, 0, 255).astype(np.uint8)))
        gray.paste(band, box)
    return gray


def _split_channels(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Separate colour (mode L, RGB, CMYK or LAB) from alpha (L, or None)."""
    is_gray = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("LA" if is_gray else "RGBA")
        return image.convert("L" if is_gray else "RGB"), image.getchannel("A")
    if image.mode in ("CMYK", "LAB"):
        return image, None
    return image.convert("L" if is_gray else "RGB"), None


def _to_srgb(color: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGB, by the embedded profile unless it is broken or for other channels."""
    if not profile:
        return color if color.mode == "RGB" else color.convert("RGB")  # Pillow would copy it
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if color.mode == "L" and source.profile.xcolor_space.strip() == "RGB":
            color = color.convert("RGB")
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(color, source, target, outputMode="RGB") or color
    except Exception:  # a stranger's bytes again, but the pixels are sound
        return color.convert("RGB")


# ── alpha ────────────────────────────────────────────────────────────────────────────────────────


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Separate what a network may see (RGB, transparency laid over white) from the alpha (L, or None)."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB"), None
    image = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, (*WHITE, 255))
    return Image.alpha_composite(paper, image).convert("RGB"), image.getchannel("A")


def put_alpha(rgb: Image.Image, alpha: Image.Image | None) -> Image.Image:
    """Put an alpha channel (L, same size) on an RGB picture; None changes nothing."""
    return rgb if alpha is None else Image.merge("RGBA", (*rgb.split(), alpha))


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────


def to_array(image: Image.Image) -> NDArray[np.float32]:
    """Turn an RGB picture into float32 `[3, H, W]` in [-1, 1], by (v / 255 - 0.5) / 0.5."""
    if image.mode != "RGB":
        raise ValueError(f"expected an RGB picture, not mode {image.mode}; see split_alpha.")
    values = np.asarray(image, dtype=np.float32)
    for step, by in ((np.divide, 255), (np.subtract, 0.5), (np.divide, 0.5)):
        step(values, np.float32(by), out=values)
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def seen(image: Image.Image) -> NDArray[np.float32]:
    """Turn a picture into what a network sees of it, `[3, H, W]` in [-1, 1]: transparency lies over white."""
    return to_array(split_alpha(image)[0])


def to_pil(array: NDArray[np.floating[Any]]) -> Image.Image:
    """Turn `[3, H, W]` in [-1, 1] into an RGB picture: clamped, rounded to the nearest level, NaN black."""
    if array.ndim != 3 or array.shape[0] != 3:
        raise ValueError(f"expected an array [3, H, W], not {list(array.shape)}.")
    values = np.clip(np.nan_to_num(array.astype(np.float32), nan=-1.0), -1, 1)
    levels = np.rint((values + 1) * np.float32(127.5)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))


def reflect_indices(size: int, target: int) -> NDArray[np.int64]:
    """Where each of `target` places looks in a side of `size`, reflected at both ends as often as it takes.

    The edge itself is not repeated (0 1 2 | 1 0 1 2 1 …); a side of 1 has only itself to give.
    """
    if size < 1 or target < 0:
        raise ValueError(f"a side of {size} cannot be reflected to {target}.")
    if size == 1:
        return np.zeros(target, dtype=np.int64)
    period = 2 * (size - 1)
    place = np.arange(target, dtype=np.int64) % period
    return np.minimum(place, period - place)


# ── sizes and sheets ─────────────────────────────────────────────────────────────────────────────


def resize(
    image: Image.Image, size: Size, box: Box | None = None, reducing_gap: float | None = None
) -> Image.Image:
    """Resize (a box of) a picture by Pillow's bicubic filter, which averages where it shrinks (antialiased).

    With `reducing_gap`, blocks of pixels are averaged first while sides stay that many times `size` or more.
    """
    return image.resize(size, Image.Resampling.BICUBIC, box, reducing_gap)


def grid(
    rows: Sequence[Sequence[Image.Image | None]], gap: int = 2, background: tuple[int, int, int] = WHITE
) -> Image.Image:
    """Lay pictures out in rows, each in the middle of its cell; None leaves a cell blank.

    A column is as wide as its widest picture, a row as high as its highest; `gap` is in pixels.
    """
    num_columns = max((len(row) for row in rows), default=0)
    cells = [[*row, *[None] * (num_columns - len(row))] for row in rows]
    if all(cell is None for row in cells for cell in row):
        raise ValueError("a grid needs at least one picture.")
    columns = zip(*cells, strict=True)
    widths = [max(0 if cell is None else cell.width for cell in column) for column in columns]
    heights = [max(0 if cell is None else cell.height for cell in row) for row in cells]
    sheet = Sheet(widths, heights, gap, background)
    for number, row in enumerate(cells):
        sheet.paste_row(number, row)
    return sheet.image
