"""The generator: a structure code, modulated by a texture code, becomes an image (model-spec §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from swapae.layers import ConvLayer, SpatialCodeModulation, StyledConv, ToRGB
from swapae.layers.blocks import INV_SQRT2
from swapae.layers.recompute import recomputed
from swapae.ops import normalize, upsample2

Noise = Sequence[Tensor | None]
Gains = tuple[Tensor, ...]  # of a block's modulated convolutions: `[B, C]` each, or a map `[B, C, h', w']`


@dataclass(frozen=True)
class GeneratorConfig:
    """Shape of a generator; the default is the published one for 256² images (25,064,743 parameters).

    `head_widths` are the channels of the blocks at the structure code's size, `widths` those after each
    doubling.
    """

    structure_channels: int = 8
    texture_channels: int = 2048
    use_antialias: bool = True
    use_noise: bool = True  # of the upsampling blocks; the head takes noise always (a trap of model-spec §4)
    head_widths: tuple[int, ...] = (256, 512)
    widths: tuple[int, ...] = (512, 512, 256, 128)

    def __post_init__(self) -> None:
        if not self.head_widths or min((*self.head_widths, *self.widths)) < 1:
            raise ValueError(
                f"generator head_widths {self.head_widths} and widths {self.widths} must be at least 1 each, "
                "with one head block or more."
            )

    def noise_by_block(self, noise: Noise | None) -> list[Noise]:
        """Pair the maps of all layers, one (or None) a styled convolution, into those of each block."""
        num_blocks = len(self.head_widths) + len(self.widths)
        num_taken = 2 * (num_blocks if self.use_noise else len(self.head_widths))
        if noise is not None and len(noise) != num_taken:
            raise ValueError(f"{len(noise)} noise maps were given; this generator takes {num_taken}.")
        maps = [*(noise or ()), *[None] * 2 * num_blocks]
        return [maps[2 * i : 2 * i + 2] for i in range(num_blocks)]


def generator_widths(capacity: float, num_upsamplings: int) -> tuple[int, ...]:
    """Compute the published schedule, `nf(j) = int(min(512, 128·2^(n−j)) · capacity)`, j = 0 … n."""
    n = num_upsamplings
    return tuple(max(1, int(min(512, 128 * 2 ** (n - j)) * capacity)) for j in range(n + 1))


def head_widths(structure_channels: int, width: int, num_blocks: int) -> tuple[int, ...]:
    """Compute the head's schedule, `max(structure_channels, round((i+1)/n · width))`, i = 0 … n−1."""
    return tuple(max(structure_channels, round((i + 1) / num_blocks * width)) for i in range(num_blocks))


class HeadBlock(nn.Module):
    """Compute `(skip(x) + conv2(conv1(x))) / √2` at one size; the skip is linear, without bias."""

    def __init__(self, in_channel: int, out_channel: int, style_dim: int) -> None:
        super().__init__()
        self.conv1 = StyledConv(in_channel, out_channel, 3, style_dim)
        self.conv2 = StyledConv(out_channel, out_channel, 3, style_dim)
        self.skip: ConvLayer | None = None
        if in_channel != out_channel:
            self.skip = ConvLayer(in_channel, out_channel, 1, bias=False, activate=False)

    def forward(self, x: Tensor, style: Tensor, noise: Noise) -> Tensor:
        # 1/√2 is a factor of both parts, and the sum takes the skip's place: no pass over memory for it.
        skip: Tensor = x * INV_SQRT2 if self.skip is None else self.skip(x, INV_SQRT2)
        x = self.conv1(x, style, noise[0])
        return skip.add_(self.conv2(x, style, noise[1], INV_SQRT2))


class UpsamplingBlock(nn.Module):
    """Compute `(bilinear2×(skip(x)) + conv2(conv1(x))) / √2` at twice the size.

    Unlike the head's, its skip has a bias and an activation.
    """

    def __init__(
        self, in_channel: int, out_channel: int, style_dim: int, blur_kernel: Sequence[float]
    ) -> None:
        super().__init__()
        self.conv1 = StyledConv(in_channel, out_channel, 3, style_dim, upsample=True, blur_kernel=blur_kernel)
        self.conv2 = StyledConv(out_channel, out_channel, 3, style_dim)
        self.skip: ConvLayer | None = None
        if in_channel != out_channel:
            self.skip = ConvLayer(in_channel, out_channel, 1)

    def forward(self, x: Tensor, style: Tensor, noise: Noise) -> Tensor:
        return self.under(self.gains_of(style), x, noise)

    def gains_of(self, style: Tensor) -> Gains:
        """Compute the gains of both convolutions, at the style's own size if it is a map."""
        return self.conv1.conv.modulation(style), self.conv2.conv.modulation(style)

    def under(self, gains: Gains, x: Tensor, noise: Noise) -> Tensor:
        """Do so under given gains."""
        skip = x * INV_SQRT2 if self.skip is None else self.skip(x, INV_SQRT2)
        x = self.conv1.under(gains[0], x, noise[0])
        x = self.conv2.under(gains[1], x, noise[1], INV_SQRT2)
        return upsample2(skip).add_(x)


class Generator(nn.Module):
    """Decode structure `[B, Cs, h, w]` under texture `[B, Ct]` or `[B, Ct, h', w']` to `[B, 3, h·2ⁿ, w·2ⁿ]`.

    Both codes are normalised again, so edited ones may come in at any length.
    """

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        style_dim = config.texture_channels
        blur_kernel = (1, 3, 3, 1) if config.use_antialias else (1,)

        self.modulation = SpatialCodeModulation(config.structure_channels, style_dim)
        ins = (config.structure_channels, *config.head_widths)
        self.head = nn.ModuleList(HeadBlock(i, o, style_dim) for i, o in pairwise(ins))
        ins = (config.head_widths[-1], *config.widths)
        self.up = nn.ModuleList(UpsamplingBlock(i, o, style_dim, blur_kernel) for i, o in pairwise(ins))
        self.to_rgb = ToRGB(ins[-1], style_dim)

    def noise_shapes(self, height: int, width: int) -> list[tuple[int, int, int, int]]:
        """List the shape of every noise map, in layer order, for a structure code of `height × width`."""
        head = [(1, 1, height, width)] * (2 * len(self.head))
        if not self.config.use_noise:
            return head
        up = [
            (1, 1, height * 2 ** (i + 1), width * 2 ** (i + 1)) for i in range(len(self.up)) for _ in range(2)
        ]
        return head + up

    def forward(self, structure: Tensor, texture: Tensor, noise: Noise | None = None) -> Tensor:
        """Decode; `noise` has one map `[B or 1, 1, h, w]` (or None) a styled convolution, in layer order."""
        by_block = self.config.noise_by_block(noise)
        x = self.start(structure, texture, by_block[: len(self.head)])
        *gains, last = self.gains_of(texture)
        for i, maps in enumerate(by_block[len(self.head) :]):
            x = self.up_block(i, x, gains[i], maps)
        return self.finish(x, last)

    # ---- the steps of it, which `runtime.tiling` takes for a part of the image at a time

    def start(self, structure: Tensor, texture: Tensor, noise: Sequence[Noise]) -> Tensor:
        """Modulate the structure and run the head, one pair of noise maps a block: `[B, C, h, w]`."""
        structure, texture = normalize(structure), normalize(texture)
        x: Tensor = self.modulation(structure, texture)
        for block, maps in zip(self.head, noise, strict=True):
            x = recomputed(block, x, texture, maps)
        return x

    def gains_of(self, texture: Tensor) -> list[Gains]:
        """Compute the two gains of each block above the head, then the one of `finish`.

        For a texture map they are maps of its size; the steps below take them at any size.
        """
        texture = normalize(texture)
        blocks = [block.gains_of(texture) for block in self._up_blocks()]
        return [*blocks, (self.to_rgb.conv.modulation(texture),)]

    def up_block(self, index: int, x: Tensor, gains: Gains, noise: Noise) -> Tensor:
        """Run one block above the head: `[B, C, 2h, 2w]`."""
        return recomputed(self._up_blocks()[index].under, gains, x, noise)

    def finish(self, x: Tensor, gains: Gains) -> Tensor:
        """Make images `[B, 3, H, W]` of the features of the last block."""
        return self.to_rgb.under(gains[0], x)

    def _up_blocks(self) -> list[UpsamplingBlock]:
        return cast(list[UpsamplingBlock], list(self.up))


def random_noise(
    shapes: Sequence[tuple[int, int, int, int]], generator: torch.Generator, batch: int = 1
) -> list[Tensor]:
    """Draw unit-normal maps of `shapes`, `batch` each, on the generator's device."""
    return [torch.randn(batch, *shape[1:], generator=generator, device=generator.device) for shape in shapes]
