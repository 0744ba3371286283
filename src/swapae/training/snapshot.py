"""The sample grid of a training: image, structure code as colours, reconstruction, hybrid."""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.images import grid, to_pil
from swapae.model import SwappingAutoencoder
from swapae.training.health import Readings, texture_readings
from swapae.training.making import swapped


@dataclass(frozen=True)
class Look:
    """What a model makes of images: codes, reconstructions, and hybrids with the neighbours' textures."""

    images: Tensor
    codes: Codes
    swapped: Codes
    reconstructions: Tensor
    hybrids: Tensor


def look(model: SwappingAutoencoder, images: Tensor) -> Look:
    """Encode and decode `[B, 3, H, W]`, B even; each hybrid keeps the structure of its image."""
    codes = model.encode(images)
    other = Codes(codes.structure, swapped(codes.texture), codes.size)
    return Look(images, codes, other, model.decode(codes), model.decode(other))


def snapshot(seen: Look) -> Image.Image:
    """Draw a column for each image: the image, its structure code, its reconstruction, its hybrid."""
    size = seen.images.shape[3], seen.images.shape[2]
    colours = pictures(structure_as_rgb(seen.codes.structure))
    structures = [picture.resize(size, Image.Resampling.NEAREST) for picture in colours]
    return grid([pictures(seen.images), structures, pictures(seen.reconstructions), pictures(seen.hybrids)])


def readings(model: SwappingAutoencoder, seen: Look) -> Readings:
    """Measure what the textures do and what the structures keep; for that the hybrids are encoded."""
    again = model.encode(seen.hybrids)
    return texture_readings(seen.codes, seen.swapped, again, seen.reconstructions, seen.hybrids)


def structure_as_rgb(structure: Tensor) -> Tensor:
    """Show structure codes `[B, C, h, w]` as colours `[B, 3, h, w]` in [-1, 1].

    The three principal components over all places of the batch, each stretched from its smallest to its
    largest value (model-spec §11.1).
    """
    places = structure.float().cpu().nan_to_num().permute(0, 2, 3, 1)  # [B, h, w, C]
    centred = places.reshape(-1, places.shape[-1])
    centred = centred - centred.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    # A direction's sign is arbitrary: make its largest entry positive, so that snapshots keep their colours.
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    components = centred @ (directions * largest.sign())[:3].T  # [B·h·w, ≤3]
    components = torch.nn.functional.pad(components, (0, 3 - components.shape[1]))
    low, high = components.amin(dim=0), components.amax(dim=0)
    colours = 2 * (components - low) / (high - low).clamp_min(1e-8) - 1
    return colours.reshape(*places.shape[:3], 3).permute(0, 3, 1, 2)


def pictures(images: Tensor) -> list[Image.Image]:
    """Turn a batch `[B, 3, H, W]` in [-1, 1] into pictures."""
    return [to_pil(image) for image in images.float().cpu().numpy()]
