"""The sample grid of a training: image, structure code as colours, reconstruction, hybrid."""

import torch
from PIL import Image
from torch import Tensor

from swapae.codes import Codes
from swapae.images import grid, to_pil
from swapae.model import SwappingAutoencoder
from swapae.training.objective import swapped


def snapshot(model: SwappingAutoencoder, images: Tensor) -> Image.Image:
    """Draw a row for each of what the model makes of `[B, 3, H, W]`, B even.

    Rows: the images; their structure codes; their reconstructions; hybrids, which keep the structure of the
    image above them and take the texture of its neighbour.
    """
    codes = model.encode(images)
    hybrids = model.decode(Codes(codes.structure, swapped(codes.texture), codes.size))
    size = images.shape[3], images.shape[2]
    colours = pictures(structure_as_rgb(codes.structure))
    structures = [picture.resize(size, Image.Resampling.NEAREST) for picture in colours]
    return grid([pictures(images), structures, pictures(model.decode(codes)), pictures(hybrids)])


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
