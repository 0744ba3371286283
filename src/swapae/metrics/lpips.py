"""LPIPS: how different two images look to a network (Zhang et al., 2018, eq. 1), version 0.1.

Both images go through a classifier's trunk. At each of several depths the features of every place are brought
to unit length, and their squared difference, weighted by channel, is averaged over the places.

This is `LPIPS-squeeze`, with the trunk of SqueezeNet 1.1; its figures do not compare with other trunks'.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.metrics.nets import find_net
from swapae.weights import load_strict, load_tensors

FILENAME = "lpips_squeeze_v0.1.safetensors"

# Layers of torchvision's `squeezenet1_1().features` after which features are compared, and their channels.
TAPS = {1: 64, 4: 128, 7: 256, 9: 384, 10: 384, 11: 512, 12: 512}

# Colour statistics of the trunk's training images, for [-1, 1].
MEAN = (-0.030, -0.088, -0.188)
STD = (0.458, 0.448, 0.450)

MIN_SIDE = 17  # pixels; a shorter side leaves nothing after the last pooling


class LPIPS(nn.Module):
    """Perceptual distance of image pairs; about 0 to 1, 0 for equal images.

    A new one has undefined weights: use `load`.

    Example:
        >>> lpips = LPIPS.load("weights/lpips_squeeze_v0.1.safetensors")  # doctest: +SKIP
        >>> lpips.distance(photos, reconstructions)  # doctest: +SKIP
        tensor([0.1842, 0.2310])
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        with torch.device("meta"):  # draws no random weights only to throw them away
            self.features = _trunk()
            self.heads = nn.ModuleList(nn.Conv2d(channels, 1, 1, bias=False) for channels in TAPS.values())
        self.to_empty(device="cpu")
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def load(cls, weights: str | Path | None = None, device: str | torch.device = "cpu") -> Self:
        """Make one with its weights, which are found as `find_net` says; it is frozen.

        Raises:
            UserError: torchvision or the weights are not there, or the file does not fit.
        """
        metric = cls()
        path = find_net(FILENAME, weights)
        tensors, _ = load_tensors(path)
        load_strict(metric, {_own_name(name): tensor for name, tensor in tensors.items()}, str(path))
        return metric.requires_grad_(False).eval().to(device)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare images pair by pair: two `[B, 3, H, W]` in [-1, 1] → `[B]`; differentiable in both."""
        if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 3:
            raise ValueError(
                f"LPIPS compares two batches [B, 3, H, W], not {list(a.shape)} and {list(b.shape)}."
            )
        if min(a.shape[2:]) < MIN_SIDE:
            raise ValueError(f"LPIPS needs images of {MIN_SIDE} pixels or more, not {list(a.shape[2:])}.")
        pairs = zip(self.heads, self._taps(a), self._taps(b), strict=True)
        terms = [head((one - other).square()).mean((1, 2, 3)) for head, one, other in pairs]
        return torch.stack(terms).sum(0)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Compute `distance`."""
        return self.distance(a, b)

    def _taps(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the features at each depth, of unit length over channels: `[B, C, h, w]`."""
        x = (images.to(self.mean) - self.mean) / self.std
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in TAPS:
                yield F.normalize(x, dim=1, eps=1e-10)


def _trunk() -> nn.Sequential:
    """Build the trunk of SqueezeNet 1.1, without its pretrained weights."""
    try:
        from torchvision.models import squeezenet1_1
    except ImportError as error:
        raise UserError(
            "LPIPS needs torchvision, which is in an extra: pip install 'swapae[metrics]'."
        ) from error
    features = squeezenet1_1(weights=None).features
    assert isinstance(features, nn.Sequential)
    return features


def _own_name(name: str) -> str:
    """Turn the name of a head in the file, `heads.lin3.model.1.weight`, into ours, `heads.3.weight`."""
    return re.sub(r"^heads\.lin(\d+)\.model\.1\.", r"heads.\1.", name)
