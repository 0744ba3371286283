"""Encoder and generator for inference: the steps of `swapae.networks`, folded (model-spec §3, §4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.layers import ConvLayer, ResBlock, SameSizeBlock, StyledConv
from swapae.layers.blocks import INV_SQRT2
from swapae.networks import Encoder, Generator
from swapae.networks.generator import Gains, HeadBlock, Noise, UpsamplingBlock
from swapae.ops import normalize, upsample2
from swapae.runtime.folded import FoldedConv, FoldedUpConv, folded_layer, folded_styled, style_of


class FoldedEncoder:
    """Encode as `networks.Encoder` does, with the weights it has now."""

    def __init__(self, encoder: Encoder) -> None:
        self.config = encoder.config
        self.min_side = encoder.min_side
        self._from_rgb = folded_layer(encoder.from_rgb)
        self._blocks = [FoldedResBlock(cast(ResBlock, block)) for block in encoder.down_to_structure]
        self._at_structure = [FoldedSameSizeBlock(cast(SameSizeBlock, one)) for one in encoder.at_structure]
        self._to_structure = [folded_layer(cast(ConvLayer, layer)) for layer in encoder.to_structure]
        self._down_to_texture = [cast(ConvLayer, layer) for layer in encoder.down_to_texture]
        self._to_texture = encoder.to_texture

    def middle(self, images: Tensor) -> Tensor:
        """Compute the features both codes are read from, `[B, C, H/2^s, W/2^s]`."""
        x = self._from_rgb(images)
        for block in self._blocks:
            x = block(x)
        return x

    def structure_of(self, middle: Tensor) -> Tensor:
        """Read the structure code off the middle features."""
        x = middle
        for block in self._at_structure:
            x = block(x)
        for layer in self._to_structure:
            x = layer(x)
        return normalize(x)

    def texture_of(self, middle: Tensor) -> Tensor:
        """Read the texture code off the middle features."""
        for layer, conv in zip(self._down_to_texture, self._texture_convs, strict=True):
            assert layer.blur is not None
            has_blur = layer.blur.kernel.numel() > 1 or any(layer.blur.pad)
            middle = conv(layer.blur(middle) if has_blur else middle)
        texture: Tensor = self._to_texture(middle.mean(dim=(2, 3)))
        return normalize(texture)

    @cached_property
    def _texture_convs(self) -> list[FoldedConv]:
        # Their weights are a hundred times the maps that come in.
        return [folded_layer(layer, scales_input=True) for layer in self._down_to_texture]


class FoldedResBlock:
    """A residual block that halves the size (model-spec §2.4)."""

    def __init__(self, block: ResBlock) -> None:
        self._blur, self._skip_blur = block.conv2.blur, block.skip.blur
        self._conv1 = folded_layer(block.conv1)
        self._conv2 = folded_layer(block.conv2, INV_SQRT2)
        self._skip = folded_layer(block.skip, INV_SQRT2)
        self._skip.stride = 1  # its blur keeps only the pixels that it would read

    def __call__(self, x: Tensor) -> Tensor:
        assert self._blur is not None
        assert self._skip_blur is not None
        skip = self._skip(self._skip_blur(x, down=2))
        return self._conv2(self._blur(self._conv1(x)), residual=skip)


class FoldedSameSizeBlock:
    """A residual block that keeps the size."""

    def __init__(self, block: SameSizeBlock) -> None:
        self._conv1, self._conv2 = folded_layer(block.conv1), folded_layer(block.conv2)

    def __call__(self, x: Tensor) -> Tensor:
        # The sum may take its memory, and the middle features are read for the texture as well.
        return self._conv2(self._conv1(x), residual=x.clone())


class FoldedGenerator:
    """Decode as `networks.Generator` does, with the weights it has now.

    Gains of a texture vector come normalised already; those of a map are normalised where they are used.
    """

    def __init__(self, generator: Generator) -> None:
        self.config = generator.config
        self._modulation = generator.modulation
        head = [cast(HeadBlock, block) for block in generator.head]
        up = [cast(UpsamplingBlock, block) for block in generator.up]
        self._head = [FoldedHeadBlock(block) for block in head]
        self._up = [FoldedUpsamplingBlock(block) for block in up]
        self._to_rgb = generator.to_rgb
        self._head_gains = GainsOf([conv for block in head for conv in (block.conv1, block.conv2)])
        self._up_gains = GainsOf([conv for block in up for conv in (block.conv1, block.conv2)])

    def start(self, structure: Tensor, texture: Tensor, noise: Sequence[Noise]) -> Tensor:
        """Modulate the structure and run the head: `[B, C, h, w]`."""
        texture = normalize(texture)
        x: Tensor = self._modulation(normalize(structure), texture)
        gains = self._head_gains(texture)
        for block, first, second, maps in zip(self._head, gains[::2], gains[1::2], noise, strict=True):
            x = block(x, (first, second), maps)
        return x

    def gains_of(self, texture: Tensor) -> list[Gains]:
        """Compute the two gains of each block above the head, then the one of `finish`."""
        texture = normalize(texture)
        gains = self._up_gains(texture)
        last: Tensor = self._to_rgb.conv.modulation(texture)
        return [*zip(gains[::2], gains[1::2], strict=True), (last,)]

    def up_block(self, index: int, x: Tensor, gains: Gains, noise: Noise) -> Tensor:
        """Run one block above the head: `[B, C, 2h, 2w]`."""
        return self._up[index](x, gains, noise)

    def finish(self, x: Tensor, gains: Gains) -> Tensor:
        """Make images `[B, 3, H, W]` of the features of the last block."""
        gain, conv, bias = gains[0], self._to_rgb.conv, self._to_rgb.bias.flatten()
        if gain.ndim == 4:
            return self._to_rgb.under(gain, x)
        # Three outputs are too few for a convolution: a product of pixels [B, H·W, C] and weights [B, C, 3].
        weight = conv.weight[0, :, :, 0, 0] * conv.scale * gain[:, None, :]  # [B, 3, C]
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)
        images = torch.baddbmm(bias, pixels, weight.transpose(1, 2))
        return torch.unflatten(images, 1, x.shape[2:]).permute(0, 3, 1, 2)


class GainsOf:
    """The linear layers that make gains of a texture, as one."""

    def __init__(self, layers: Sequence[StyledConv]) -> None:
        self._linears = [layer.conv.modulation for layer in layers]
        widths = [len(linear.weight) for linear in self._linears]
        self._parts = [slice(a, b) for a, b in pairwise(accumulate(widths, initial=0))]

    def __call__(self, texture: Tensor) -> list[Tensor]:
        """Give gains `[B, C]`, of unit mean square; or maps `[B, C, h', w']`, as they are."""
        if texture.ndim == 4:
            return [linear(texture) for linear in self._linears]
        gains = F.linear(texture, self._weight, self._bias)
        return [style_of(gains[:, part], (1, 1)) for part in self._parts]

    @cached_property
    def _weight(self) -> Tensor:
        return torch.cat([linear.weight.detach() * linear.scale for linear in self._linears])

    @cached_property
    def _bias(self) -> Tensor:
        biases = [cast(Tensor, linear.bias) * linear.lr_mul for linear in self._linears]
        return torch.cat(biases).detach()


class FoldedStyled:
    """A styled convolution of stride 1, and its noise."""

    def __init__(self, layer: StyledConv, gain: float = 1.0) -> None:
        self._noise_weight = float(layer.noise.weight.detach())
        self._conv = folded_styled(layer, gain)

    def __call__(
        self, x: Tensor, gains: Tensor, noise: Tensor | None, residual: Tensor | None = None
    ) -> Tensor:
        size = (x.shape[2], x.shape[3])
        style = gains if gains.ndim == 2 else style_of(gains, size)
        noise = noise_for(noise, size, self._noise_weight)
        return self._conv(x, style=style, noise=noise, noise_weight=self._noise_weight, residual=residual)


class FoldedHeadBlock:
    """A block at the structure code's size."""

    def __init__(self, block: HeadBlock) -> None:
        self._conv1 = FoldedStyled(block.conv1)
        self._conv2 = FoldedStyled(block.conv2, INV_SQRT2)
        self._skip = None if block.skip is None else folded_layer(block.skip, INV_SQRT2)

    def __call__(self, x: Tensor, gains: Gains, noise: Noise) -> Tensor:
        skip = x * INV_SQRT2 if self._skip is None else self._skip(x)
        return self._conv2(self._conv1(x, gains[0], noise[0]), gains[1], noise[1], residual=skip)


class FoldedUpsamplingBlock:
    """A block that doubles the size."""

    def __init__(self, block: UpsamplingBlock) -> None:
        self._noise_weight = float(block.conv1.noise.weight.detach())
        self._conv1 = FoldedUpConv(block.conv1)
        self._conv2 = FoldedStyled(block.conv2, INV_SQRT2)
        self._skip = None if block.skip is None else folded_layer(block.skip, INV_SQRT2)

    def __call__(self, x: Tensor, gains: Gains, noise: Noise) -> Tensor:
        size = (x.shape[2], x.shape[3])
        style = gains[0] if gains[0].ndim == 2 else style_of(gains[0], size)
        doubled = noise_for(noise[0], (2 * size[0], 2 * size[1]), self._noise_weight)
        inner = self._conv1(x, style, doubled, self._noise_weight)
        skip = upsample2(x * INV_SQRT2 if self._skip is None else self._skip(x))
        return self._conv2(inner, gains[1], noise[1], residual=skip)


def noise_for(noise: Tensor | None, size: tuple[int, int], weight: float) -> Tensor | None:
    """Bring a noise map to `size` by nearest neighbour; None where it is none or has no weight."""
    if noise is None or weight == 0:
        return None
    return noise if tuple(noise.shape[2:]) == size else F.interpolate(noise, size=size, mode="nearest")
