"""VGG-16 (Simonyan and Zisserman, 2015), whose layers STROTSS compares: `VGG16`."""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from swapae.metrics.efflite import MEAN, STD
from swapae.metrics.lpips import TRUNKS, make_trunk
from swapae.metrics.nets import find_net, read_net
from swapae.metrics.passes import in_parts
from swapae.metrics.selfsim import columns, places
from swapae.weights import load_strict

LAYERS = (1, 3, 6, 8, 11, 13, 15, 22, 29)  # of torchvision's `features`: STROTSS's choice


class VGG16:
    """The frozen trunk; images are `[B, 3, H, W]` in [-1, 1]."""

    name = "VGG16"

    def __init__(self, features: nn.Sequential, device: str | torch.device = "cpu") -> None:
        self.features = features.requires_grad_(False).eval().to(device)
        self.mean, self.std = (torch.tensor(c, device=device).view(1, 3, 1, 1) for c in (MEAN, STD))

    @classmethod
    def load(cls, weights: str | Path | None = None, device: str | torch.device = "cpu") -> Self:
        """Make it with torchvision's weights, which are found as `find_net` says.

        Raises:
            UserError: torchvision or the weights are not there, or the file does not fit.
        """
        with torch.device("meta"):
            features = make_trunk(TRUNKS["vgg"].model)
        path = find_net(TRUNKS["vgg"].filename, weights, "VGG16")
        tensors = {name: t for name, t in read_net(path).items() if not name.startswith("classifier.")}
        holder = nn.ModuleDict({"features": features}).to_empty(device="cpu")
        load_strict(holder, tensors, str(path))
        return cls(features, device)

    @torch.no_grad()
    def layers(self, images: Tensor) -> list[Tensor]:
        """What a place looks like at growing scales, the colours first, at the images' own size.

        Raises:
            ValueError: a side is shorter than 16 pixels.
        """
        if min(images.shape[2:]) < TRUNKS["vgg"].min_side:
            raise ValueError(f"VGG16 needs images of 16 pixels or more, not {list(images.shape[2:])}.")
        x = ((images.to(self.mean).clamp(-1, 1) + 1) / 2 - self.mean) / self.std
        maps = [x]
        for number, layer in enumerate(self.features[: LAYERS[-1] + 1]):
            x = layer(x)
            if number in LAYERS:
                maps.append(x.clone())  # the next activation may be in place
        return maps

    def look(self, images: Tensor) -> dict[str, Tensor]:
        """All that metrics ask: the `columns` of `layers`."""
        read = in_parts(lambda image: [columns(self.layers(image), places())], images, self.mean.device)
        return {"columns": read[0]}
