"""Cells of sheets of edits: rendered pictures, masks, words above them, how near they are to the truth."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.edit_scenes import SIZE
from swapae.cli.exhibit import enlarged
from swapae.data.synthetic import Structure, Texture, render
from swapae.images import grid, to_pil
from swapae.sheet import captioned

Cells = Sequence[Image.Image]


def photo(structure: Structure, texture: Texture) -> Image.Image:
    """A rendered picture."""
    return Image.fromarray(render(structure, texture, SIZE)[0])


def pil(*images: Tensor) -> list[Image.Image]:
    """Pictures of tensors of one image each."""
    return [to_pil(image[0].float().numpy()) for image in images]


def gray(mask: Tensor) -> Image.Image:
    """A mask as a picture."""
    values = (mask[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    picture = Image.fromarray(values).convert("RGB").resize((SIZE, SIZE), Image.Resampling.NEAREST)
    ImageDraw.Draw(picture).rectangle((0, 0, SIZE - 1, SIZE - 1), outline=(128, 128, 128))
    return picture


def named(cells: Cells, words: Sequence[str]) -> Image.Image:
    """A row with words above each picture."""
    return grid([[captioned(enlarged([[cell]]), word, 11) for cell, word in zip(cells, words, strict=True)]])


def near(made: Cells, true: Cells, plain: Cells) -> str:
    """How near edited pictures are to the true ones, and how near unedited ones, or the one, are."""
    edited = [decibels(a, b) for a, b in zip(made, true, strict=False)]
    left = [decibels(plain[i % len(plain)], b) for i, b in enumerate(true)]
    return f"{np.mean(edited):.1f} dB (unedited {np.mean(left):.1f})"


def decibels(a: Image.Image, b: Image.Image) -> float:
    """Peak signal-to-noise ratio."""
    error = np.square(np.asarray(a, dtype=np.float64) - np.asarray(b)).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def mixed_textures(textures: Sequence[Texture], weights: Sequence[float]) -> Texture:
    """The mean of textures of one material."""
    names = [name for name in vars(textures[0]) if name != "material"]
    shares = np.array(weights, dtype=np.float32) / sum(weights)
    middle = {
        name: sum(share * getattr(one, name) for share, one in zip(shares, textures, strict=True))
        for name in names
    }
    return type(textures[0])(material=textures[0].material, **middle)
