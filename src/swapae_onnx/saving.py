"""Pictures to files: by the format of the suffix, whole or not at all, without metadata."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from swapae_onnx.errors import UserError
from swapae_onnx.files import check_free, shown, write_bytes

SAVE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".avif": "AVIF"}
SAVE_FORMATS |= {".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".ppm": "PPM"}
FORMATS_WITHOUT_ALPHA = frozenset({"JPEG", "BMP", "PPM"})


def save_image(image: Image.Image, path: str | Path, force: bool = False, quality: int = 95) -> None:
    """Save a picture in the format of the path's suffix, whole or not at all, without any metadata.

    Missing folders are made. `quality` (1 to 100) is for JPEG, WebP and AVIF.

    Raises:
        UserError: the suffix is unknown, the file exists and not `force`, the format cannot hold the
            picture's alpha, or the place cannot be written.
    """
    path = Path(path)
    check_target(path, force)
    format_name = SAVE_FORMATS[path.suffix.lower()]
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA" and format_name in FORMATS_WITHOUT_ALPHA:
        fix = f"save as PNG ({shown(path.with_suffix('.png'))}) instead"
        raise UserError(f"{shown(path)}: {format_name} cannot hold transparency, {fix}.")
    write_bytes(path, encode_image(image, format_name, quality, path))


def check_target(path: str | Path, force: bool = False) -> None:
    """Refuse an output path that `save_image` would refuse, before any work is done for it."""
    path = Path(path)
    if path.suffix.lower() not in SAVE_FORMATS:
        allowed = ", ".join(SAVE_FORMATS)
        raise UserError(f"{shown(path)} must end in a picture format that can be written: {allowed}.")
    check_free(path, force)


def encode_image(image: Image.Image, format_name: str, quality: int, path: str | Path) -> bytes:
    """Encode as `save_image` does, in one of its formats; `path` is what messages call it."""
    clean = image.copy()
    clean.info.clear()  # Pillow would write a colour profile or a comment found there
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": 0 if quality >= 90 else 2},
        "WEBP": {"quality": quality},
        "AVIF": {"quality": quality},
        "TIFF": {"compression": "tiff_deflate"},
    }
    buffer = io.BytesIO()
    try:
        clean.save(buffer, format=format_name, **options.get(format_name, {}))
    except Exception as error:  # mostly a side longer than the format can say
        what = f"{image.width}x{image.height} as {format_name}"
        raise UserError(f"{shown(path)} cannot be written, {what} ({shown(error)}).") from None
    return buffer.getvalue()
