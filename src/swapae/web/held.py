"""From a picture, or a sample of a gallery, to what the library holds of it, and what a page is told."""

import io

import numpy as np
from PIL import Image

from swapae.codes import Codes
from swapae.galleries import Sample
from swapae.images import split_alpha
from swapae.model import SwappingAutoencoder
from swapae.web.carried import THUMBNAIL_SIDE
from swapae.web.library import Held
from swapae.web.render import WEBP, fitted
from swapae.web.schemas import ImageInfo


def held_picture(
    model: SwappingAutoencoder, picture: Image.Image, title: str = "", shrunk: bool = False
) -> Held:
    """Encode a picture, upright and without transparency."""
    codes = model.encode_image(picture)
    codes = Codes(codes.structure.float().cpu(), codes.texture.float().cpu(), codes.size)
    return Held(codes, _thumbnail(picture), np.array(picture), title, shrunk)


def held_sample(model: SwappingAutoencoder, sample: Sample) -> Held:
    """Encode a sample of the model's gallery, or decode one of which there are only codes; it stays."""
    if sample.picture is not None:
        held = held_picture(model, split_alpha(sample.picture)[0], title=sample.about)
    else:
        codes = sample.codes(model)
        held = Held(codes.to("cpu"), _thumbnail(model.decode_image(codes)), title=sample.about)
    held.stays = True
    return held


def image_info(id: str, held: Held) -> ImageInfo:
    """Tell of an image that is known by an id, the hash of its codes."""
    height, width = held.codes.size
    return ImageInfo(
        id=id,
        width=width,
        height=height,
        sha256=id,
        title=held.title,
        shrunk=held.shrunk,
        has_photo=held.photo is not None,
    )


def _thumbnail(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    fitted(picture, THUMBNAIL_SIDE).convert("RGB").save(buffer, "WEBP", **WEBP)
    return buffer.getvalue()
