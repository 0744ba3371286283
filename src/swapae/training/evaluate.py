"""What is measured at every save, on the images of the snapshots: by it the best checkpoints are told."""

import math

import torch
from torch import Tensor

from swapae.model import SwappingAutoencoder


@torch.no_grad()
def measure(model: SwappingAutoencoder, images: Tensor) -> dict[str, float]:
    """Measure what a model makes of `[B, 3, H, W]` in [-1, 1]: finite numbers, of which less is better."""
    made = model.decode(model.encode(images))
    metrics = {"reconstruction_l1": float((made - images).abs().mean())}
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
