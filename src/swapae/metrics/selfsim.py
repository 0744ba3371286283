"""The self-similarity distance (Kolkin et al., 2019, STROTSS, eq. 5): do two images have the same layout?

Which places of an image look alike is its layout, whatever they are made of. At N places, the same in both
images, the features of all layers of a net are put together; their cosine distances to one another make an
N × N matrix of each image, and the matrices are compared.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.metrics.exact import exact

NUM_PLACES = 256
_SEED = 0


def places(num: int = NUM_PLACES) -> Tensor:
    """The places [N, 2] in [-1, 1], x right, y down: random, always the same, at least a hundredth inside."""
    draw = torch.Generator().manual_seed(_SEED)
    return (torch.rand(num, 2, generator=draw) * 2 - 1) * 0.99


def columns(layers: list[Tensor], where: Tensor) -> Tensor:
    """Read maps `[B, C, h, w]` at places `[N, 2]`, bilinearly, and put them together: `[B, N, ΣC]`."""
    spots = where.to(layers[0])[None, None].expand(len(layers[0]), -1, -1, -1)
    read = [
        F.grid_sample(layer, spots, padding_mode="border", align_corners=False).squeeze(2) for layer in layers
    ]
    return torch.cat(read, 1).mT


def self_similarity_distance(a: Tensor, b: Tensor) -> Tensor:
    """Compare columns `[B, N, C]` of two batches of images → `[B]`.

    Each matrix of cosine distances is divided by its column sums; the distance is N times the mean of the
    absolute differences of their entries. 0 for the same layout, 2 at most.
    """
    return compare_layouts(layouts(a), layouts(b))


def layouts(features: Tensor) -> Tensor:
    """The matrices of images by their columns: `[B, N, C]` → `[B, N, N]` in float64."""
    rows = F.normalize(exact(features), dim=2)
    distances = (1 - rows @ rows.mT).clamp(min=0)
    return distances / distances.sum(1, keepdim=True).clamp(min=1e-12)


def compare_layouts(a: Tensor, b: Tensor) -> Tensor:
    """Compare matrices `[B, N, N]` → `[B]`."""
    return (a - b).abs().mean((1, 2)) * a.shape[1]
