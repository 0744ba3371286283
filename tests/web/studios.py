"""What tests of the studio share: one studio of a shipped model, and pixels."""

import io
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from swapae.codes import Codes
from swapae.web.schemas import Recipe, RenderRequest
from swapae.web.studio import Studio


@cache
def shipped() -> Studio:
    """A studio of the model `synthetic64`; tests may add to it, not take away."""
    return Studio.open("synthetic64", device="cpu")


def photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth noise, as pixels `[H, W, 3]`."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def half(height: int, width: int) -> NDArray[np.uint8]:
    """A mask of the left half."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return mask


def ids(studio: Studio) -> list[str]:
    """The images of the gallery."""
    return [image.id for image in studio.gallery()]


def codes_of(studio: Studio, id: str) -> Codes:
    """An image's codes."""
    return studio.library.image(id).codes


def recipe(structure: str, texture: str | None = None, **more: Any) -> Recipe:
    """A recipe with one structure, and a texture if there is one."""
    textures = [] if texture is None else [{"image": texture}]
    return Recipe.model_validate({"structures": [{"image": structure}], "textures": textures} | more)


def pixels(studio: Studio, of: Recipe, **more: Any) -> NDArray[np.uint8]:
    """What a recipe renders to, losslessly."""
    made = studio.render(RenderRequest(recipe=of, format="png", **more))
    return np.array(Image.open(io.BytesIO(made.data)))


def decoded(studio: Studio, codes: Codes, noise: int | None = None) -> NDArray[np.uint8]:
    """What the model decodes from codes."""
    return np.array(studio.model.decode_image(codes, noise))


def float_photo(array: NDArray[np.uint8]) -> torch.Tensor:
    """Pixels as the network sees them, `[1, 3, H, W]`."""
    from swapae.images import to_array

    return torch.from_numpy(to_array(Image.fromarray(array)))[None]
