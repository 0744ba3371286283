"""The patch co-occurrence discriminator: do these patches come from one image? (model-spec §6; paper §3.3)"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from swapae.layers import ConvLayer, EqualLinear, ResBlock

SIDE = 2  # of the feature map of a patch


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """Shape of a patch discriminator; the default is the published one for 128² patches."""

    patch_size: int = 128  # side of a patch, in pixels: a power of two
    capacity: float = 4.0  # scales the widths
    max_channels: int = 384  # cap at the two smallest maps
    head_widths: tuple[int, ...] = (2048, 2048, 1024)  # of the pair head
    use_antialias: bool = True  # blur before each halving
    widths: tuple[int, ...] | None = None  # given widths, from the patch's size down to 4²

    def __post_init__(self) -> None:
        if self.patch_size < 16 or self.patch_size & (self.patch_size - 1):
            raise ValueError(f"patch_size={self.patch_size} must be a power of two of at least 16.")
        expected = int(math.log2(self.patch_size)) - 1
        if self.widths is not None and len(self.widths) != expected:
            raise ValueError(
                f"patch discriminator widths {self.widths} are {len(self.widths)} numbers; "
                f"patch_size={self.patch_size} needs {expected}."
            )
        if min((*(self.widths or ()), *self.head_widths), default=1) < 1:
            raise ValueError("the patch discriminator's widths and head_widths must all be at least 1.")

    def channels_at(self, size: int) -> int:
        """Channels at a map of `size`: `1024 · capacity / size`, capped at the maps of 4² and 8² and 16²."""
        if self.widths is not None:
            return self.widths[int(math.log2(self.patch_size // size))]
        width = int(1024 / size * self.capacity)
        return max(1, min(self.max_channels, width) if size <= 16 else width)


class PatchDiscriminator(nn.Module):
    """Compare patches with the reference patches of an image.

    `features` sees patches one by one; `compare` judges pairs of features. `forward` does both.
    """

    def __init__(self, config: PatchDiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PatchDiscriminatorConfig()
        blur_kernel = (1, 3, 3, 1) if config.use_antialias else (1,)
        num_halvings = int(math.log2(config.patch_size)) - 2  # down to 4²
        sizes = [config.patch_size // 2**i for i in range(num_halvings + 1)]
        widths = [config.channels_at(size) for size in sizes]

        self.from_rgb = ConvLayer(3, widths[0], 3)
        self.blocks = nn.Sequential(
            *(ResBlock(i, o, blur_kernel) for i, o in pairwise(widths)),
            ResBlock(widths[-1], 2 * widths[-1], blur_kernel, downsample=False),
        )
        self.to_features = ConvLayer(2 * widths[-1], widths[-1], 3, pad=0)
        ins = (2 * widths[-1] * SIDE**2, *config.head_widths)
        self.head = nn.Sequential(
            *(EqualLinear(i, o, activation="fused_lrelu") for i, o in pairwise(ins)),
            EqualLinear(ins[-1], 1),
        )

    def features(self, patches: Tensor) -> Tensor:
        """Compute features `[B, N, C, 2, 2]` of patches `[B, N, 3, p, p]`."""
        size = self.config.patch_size
        if patches.ndim != 5 or patches.shape[3:] != (size, size):
            raise ValueError(f"patches must be [B, N, 3, {size}, {size}], not {list(patches.shape)}.")
        flat = self.to_features(self.blocks(self.from_rgb(patches.flatten(0, 1))))
        return torch.unflatten(flat, 0, patches.shape[:2])

    def compare(self, reference: Tensor, query: Tensor, use_aggregation: bool = True) -> Tensor:
        """Judge whether query patches come from the image of the reference patches.

        Args:
            reference: features `[B, N, C, 2, 2]`.
            query: features `[B, N, C, 2, 2]`.
            use_aggregation: compare each query with the mean of the image's references; otherwise query n
                with reference n.

        Returns:
            logits `[B·N, 1]`, high for "same image".
        """
        if use_aggregation:
            reference = reference.mean(dim=1, keepdim=True).expand_as(query)
        pairs = torch.cat([reference.flatten(2), query.flatten(2)], dim=2)  # reference first
        logits: Tensor = self.head(pairs.flatten(0, 1))
        return logits

    def forward(self, reference_patches: Tensor, patches: Tensor, use_aggregation: bool = True) -> Tensor:
        return self.compare(self.features(reference_patches), self.features(patches), use_aggregation)
