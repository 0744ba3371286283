"""The Inception network of FID in articles (Szegedy et al., 2016): `Inception`.

It is torchvision's Inception v3 but for three details of TensorFlow's graph of December 2015: averages near
borders count only what lies inside the image, the last block pools by maximum, and there are 1008 classes.
The weights are the file that pytorch-fid and torch-fidelity share.
"""

from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.metrics.nets import find_net, read_net
from swapae.metrics.passes import in_parts
from swapae.metrics.resize import clean_resize
from swapae.weights import load_strict

FILENAMES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")
SIDE = 299  # pixels


class Inception:
    """The frozen net; images are `[B, 3, H, W]` in [-1, 1]."""

    name = "Inception"

    def __init__(self, net: nn.Module, device: str | torch.device = "cpu") -> None:
        self.net: Any = net.requires_grad_(False).eval().to(device)
        self.device = device

    @classmethod
    def load(cls, weights: str | Path | None = None, device: str | torch.device = "cpu") -> Self:
        """Make it with its weights, which are found as `find_net` says.

        Raises:
            UserError: torchvision or the weights are not there, or the file does not fit.
        """
        net = empty_net()
        path = find_net(FILENAMES, weights, "Inception")
        tensors = read_net(path)
        counters = {n: t for n, t in net.state_dict().items() if n.endswith(".num_batches_tracked")}
        load_strict(net, counters | tensors, str(path))  # older files lack the counters, which do nothing
        return cls(net, device)

    @torch.no_grad()
    def pooled(self, images: Tensor) -> Tensor:
        """Features of whole images, resized to 299² as `clean_resize` says: `[B, 2048]`."""
        return in_parts(lambda image: [self._pooled(image)], images, self.device)[0]

    def _pooled(self, images: Tensor) -> Tensor:
        x = self._stem((clean_resize(images, SIDE).to(self.device) - 128) / 128)[1]
        x = F.max_pool2d(x, 3, 2)
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = _block_a(getattr(self.net, name), x)
        x = self.net.Mixed_6a(x)
        for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = _block_c(getattr(self.net, name), x)
        x = _block_e(self.net.Mixed_7b, self.net.Mixed_7a(x), _inner_average)
        x = _block_e(self.net.Mixed_7c, x, lambda y: F.max_pool2d(y, 3, 1, 1))
        return x.mean((2, 3))

    def look(self, images: Tensor) -> dict[str, Tensor]:
        """All that metrics ask of images at 299²: `pooled`."""
        return {"pooled": self.pooled(images)}

    @torch.no_grad()
    def early(self, images: Tensor) -> dict[str, Tensor]:
        """Maps just before the first and the second pooling, of images of their own size: `[B, C, h, w]`.

        Raises:
            ValueError: a side is shorter than 23 pixels.
        """
        if min(images.shape[2:]) < 23:
            raise ValueError(f"Inception needs images of 23 pixels or more, not {list(images.shape[2:])}.")
        levels = ((images.float().clamp(-1, 1) + 1) * 127.5).to(self.device)
        first, second = self._stem((levels - 128) / 128)
        return {"64": first, "192": second}

    def _stem(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The maps before the first two poolings: 64 and 192 channels."""
        first = self.net.Conv2d_2b_3x3(self.net.Conv2d_2a_3x3(self.net.Conv2d_1a_3x3(x)))
        second = self.net.Conv2d_4a_3x3(self.net.Conv2d_3b_1x1(F.max_pool2d(first, 3, 2)))
        return first, second


def empty_net() -> nn.Module:
    """Build torchvision's network with the old number of classes; weights are undefined.

    Raises:
        UserError: torchvision is not there.
    """
    try:
        from torchvision.models import Inception3
    except ImportError as error:
        raise UserError(
            "Inception needs torchvision, which is in an extra: pip install 'swapae[metrics]'."
        ) from error
    with torch.device("meta"):
        net = Inception3(num_classes=1008, aux_logits=False, init_weights=False)
    assert isinstance(net, nn.Module)
    net = net.to_empty(device="cpu")
    for name, counter in net.named_buffers():
        if name.endswith(".num_batches_tracked"):
            counter.zero_()
    return net


def _inner_average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _block_a(block: Any, x: Tensor) -> Tensor:
    wide = block.branch5x5_2(block.branch5x5_1(x))
    double = block.branch3x3dbl_3(block.branch3x3dbl_2(block.branch3x3dbl_1(x)))
    return torch.cat([block.branch1x1(x), wide, double, block.branch_pool(_inner_average(x))], 1)


def _block_c(block: Any, x: Tensor) -> Tensor:
    wide = block.branch7x7_3(block.branch7x7_2(block.branch7x7_1(x)))
    double = block.branch7x7dbl_1(x)
    for number in (2, 3, 4, 5):
        double = getattr(block, f"branch7x7dbl_{number}")(double)
    return torch.cat([block.branch1x1(x), wide, double, block.branch_pool(_inner_average(x))], 1)


def _block_e(block: Any, x: Tensor, pool: Any) -> Tensor:
    wide = block.branch3x3_1(x)
    double = block.branch3x3dbl_2(block.branch3x3dbl_1(x))
    split = [block.branch3x3_2a(wide), block.branch3x3_2b(wide)]
    split += [block.branch3x3dbl_3a(double), block.branch3x3dbl_3b(double)]
    return torch.cat([block.branch1x1(x), *split, block.branch_pool(pool(x))], 1)
