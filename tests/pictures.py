"""Pictures that the tests of `images` encode and decode again."""

import io

import numpy as np
from PIL import Image

from swapae.images import decode_image

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM"]


def photo(width=31, height=24):
    """A smooth picture whose corners differ, so that a flip, a turn or swapped channels show."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 8, y * 10, 255 - x * 4 - y * 4], -1).astype(np.uint8))


def encoded(image, format_name, **options):
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def decoded(data, name="photo"):
    return decode_image(io.BytesIO(data), name)
