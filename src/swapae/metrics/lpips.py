"""LPIPS: how different two images look to a network (Zhang et al., 2018, eq. 1), version 0.1.

Both images go through a classifier's trunk. At each of several depths the features of every place are brought
to unit length, and their squared difference, weighted by channel, is averaged over the places.

There are three trunks, and three distances that do not compare: `LPIPS-squeeze` (SqueezeNet 1.1),
`LPIPS-alex` (AlexNet) and `LPIPS-vgg` (VGG-16). The weights of the channels are in the package; a trunk's are
torchvision's file.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.metrics.nets import find_net, read_net
from swapae.weights import load_strict, load_tensors

TrunkName = Literal["squeeze", "alex", "vgg"]

HEADS = Path(__file__).with_name("lpips_heads_v0.1.safetensors")  # of all trunks: TRUNK.NUMBER, [C]

# Colour statistics of the trunks' training images, for [-1, 1].
MEAN = (-0.030, -0.088, -0.188)
STD = (0.458, 0.448, 0.450)


class Trunk(NamedTuple):
    """A classifier of torchvision.

    - model: the function that makes it.
    - filename: of its weights, as torchvision calls them.
    - taps: layers of `features` after which features are compared, and their channels.
    - min_side: in pixels; a shorter side leaves nothing after the last pooling.
    """

    model: str
    filename: str
    taps: dict[int, int]
    min_side: int


TRUNKS: dict[TrunkName, Trunk] = {
    "squeeze": Trunk(
        "squeezenet1_1",
        "squeezenet1_1-b8a52dc0.pth",
        {1: 64, 4: 128, 7: 256, 9: 384, 10: 384, 11: 512, 12: 512},
        17,
    ),
    "alex": Trunk("alexnet", "alexnet-owt-7be5be79.pth", {1: 64, 4: 192, 7: 384, 9: 256, 11: 256}, 31),
    "vgg": Trunk("vgg16", "vgg16-397923af.pth", {3: 64, 8: 128, 15: 256, 22: 512, 29: 512}, 16),
}


# What `swapae metrics fetch` calls the trunks' files.
FETCHED: dict[TrunkName, str] = {"squeeze": "squeeze", "alex": "alex", "vgg": "VGG16"}


def whole_filename(trunk: TrunkName) -> str:
    """The file that holds a trunk and its heads."""
    return f"lpips_{trunk}_v0.1.safetensors"


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

    def __init__(self, trunk: TrunkName = "squeeze") -> None:
        super().__init__()
        self.trunk = TRUNKS[trunk]
        self.name = f"LPIPS-{trunk}"
        with torch.device("meta"):  # draws no random weights only to throw them away
            self.features = make_trunk(self.trunk.model)
            self.heads = nn.ModuleList(nn.Conv2d(c, 1, 1, bias=False) for c in self.trunk.taps.values())
        self.to_empty(device="cpu")
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
        trunk: TrunkName = "squeeze",
    ) -> Self:
        """Make one with its weights, which are found as `find_net` says; it is frozen.

        The file is `lpips_TRUNK_v0.1.safetensors`, or torchvision's of the trunk, which is given its heads.

        Raises:
            UserError: torchvision or the weights are not there, or the file does not fit.
        """
        metric = cls(trunk)
        path = find_net((whole_filename(trunk), TRUNKS[trunk].filename), weights, FETCHED[trunk])
        load_strict(metric, _with_heads(read_net(path), trunk), str(path))
        if torch.device(device).type == "cpu":  # twice as fast there; maps follow the weights' layout
            metric.features.to(memory_format=torch.channels_last)
        return metric.requires_grad_(False).eval().to(device)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Compare images pair by pair: two `[B, 3, H, W]` in [-1, 1] → `[B]`; differentiable in both."""
        if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 3:
            raise ValueError(
                f"LPIPS compares two batches [B, 3, H, W], not {list(a.shape)} and {list(b.shape)}."
            )
        if min(a.shape[2:]) < (least := self.trunk.min_side):
            raise ValueError(f"{self.name} needs images of {least} pixels or more, not {list(a.shape[2:])}.")
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
            if number in self.trunk.taps:
                yield F.normalize(x, dim=1, eps=1e-10)
            if number == max(self.trunk.taps):
                return


def make_trunk(model: str) -> nn.Sequential:
    """Build the convolutions of a classifier of torchvision, without its pretrained weights.

    Raises:
        UserError: torchvision is not there.
    """
    try:
        import torchvision.models as models
    except ImportError as error:
        raise UserError(
            "LPIPS needs torchvision, which is in an extra: pip install 'swapae[metrics]'."
        ) from error
    features = getattr(models, model)(weights=None).features
    assert isinstance(features, nn.Sequential)
    return features


def _with_heads(tensors: dict[str, Tensor], trunk: TrunkName) -> dict[str, Tensor]:
    """Give the tensors our names, leave out a classifier's last layers, and add the heads if they lack."""
    own = {_own_name(name): value for name, value in tensors.items() if not name.startswith("classifier.")}
    if any(name.startswith("heads.") for name in own):
        return own
    heads, _ = load_tensors(HEADS)
    mine = {name.removeprefix(f"{trunk}."): head for name, head in heads.items() if name.startswith(trunk)}
    return own | {f"heads.{number}.weight": head.view(1, -1, 1, 1) for number, head in mine.items()}


def _own_name(name: str) -> str:
    """Turn the name of a head in the file, `heads.lin3.model.1.weight`, into ours, `heads.3.weight`."""
    return re.sub(r"^heads\.lin(\d+)\.model\.1\.", r"heads.\1.", name)
