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


def landscape(width=1024, height=1024, seed=0, falloff=1.25):
    """A picture with the statistics of a photo: gradients, and contrast that falls with frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    planes = []
    for slope in (1.0, 0.6, -0.4):
        spectrum = np.fft.rfft2(rng.standard_normal((height, width))) * frequency**-falloff
        texture = np.fft.irfft2(spectrum, (height, width))
        planes.append(128 + 40 * texture / texture.std() + slope * np.linspace(-50, 50, height)[:, None])
    gray = planes[0]
    mixed = np.stack([gray, 0.7 * gray + 0.3 * planes[1], 0.7 * gray + 0.3 * planes[2]], -1)
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def psnr(a, b):
    """Likeness of two pictures in dB; infinite where they are equal."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    error = np.mean(difference**2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
