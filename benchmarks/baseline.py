"""The published operations, written anew from their description: what this package races against.

One model runs both ways: the functions take the package's own modules and share their parameters. Each does
what the published pure-PyTorch path does at every call, and nothing that would spare it work:

- `upfirdn2d` inserts zeros, pads, convolves all `N·C` planes with a one-channel kernel, and slices;
- a weight is multiplied by its scale, and demodulated, at every call;
- a modulated convolution repeats its weight for every sample and is grouped over the batch;
- bias, leaky ReLU and gain are three passes; tensors are NCHW.

The package never imports this.
"""

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.codes import Codes
from swapae.images import reflect_indices
from swapae.layers import (
    Blur,
    ConvLayer,
    EqualConv2d,
    EqualLinear,
    FusedLeakyReLU,
    ModulatedConv2d,
    ResBlock,
    SpatialCodeModulation,
    StyledConv,
    ToRGB,
)
from swapae.model import SwappingAutoencoder
from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator, random_noise
from swapae.networks.generator import HeadBlock, UpsamplingBlock

EPSILON = 1e-8
Noise = Sequence[Tensor | None]

# ── operations (model-spec §2) ───────────────────────────────────────────────────────────────────


def upfirdn2d(x: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: Sequence[int] = (0, 0)) -> Tensor:
    """Insert zeros, pad or crop, convolve plane by plane, keep every `down`-th pixel."""
    batch, channels, height, width = x.shape
    planes = x.reshape(-1, height, 1, width, 1)
    planes = F.pad(planes, [0, up - 1, 0, 0, 0, up - 1])  # zeros behind every pixel
    planes = planes.reshape(-1, 1, height * up, width * up)
    before, after = pad
    planes = F.pad(planes, [max(before, 0), max(after, 0)] * 2)
    first, below, right = max(-before, 0), *(side - max(-after, 0) for side in planes.shape[2:])
    planes = planes[:, :, first:below, first:right]
    filtered = F.conv2d(planes, kernel.flip(0, 1)[None, None])[:, :, ::down, ::down]
    return filtered.reshape(batch, channels, *filtered.shape[2:])


def blur(layer: Blur, x: Tensor) -> Tensor:
    """Blur at full size."""
    before, after = layer.pad
    if layer.reflection_pad and max(layer.pad) > 0:
        return upfirdn2d(F.pad(x, [before, after, before, after], mode="reflect"), layer.kernel)
    return upfirdn2d(x, layer.kernel, pad=layer.pad)


def bias_act(x: Tensor, bias: Tensor | None) -> Tensor:
    """Add the bias, activate, scale: three passes."""
    if bias is not None:
        x = x + bias.reshape(1, -1, *[1] * (x.ndim - 2))
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def conv(layer: EqualConv2d, x: Tensor) -> Tensor:
    """Scale the weight, convolve."""
    return F.conv2d(x, layer.weight * layer.scale, layer.bias, layer.stride, layer.padding)


def linear(layer: EqualLinear, x: Tensor) -> Tensor:
    """Scale weight and bias, multiply; a map is taken by a 1×1 convolution."""
    weight = layer.weight * layer.scale
    bias = None if layer.bias is None else layer.bias * layer.lr_mul
    own = bias if layer.activation is None else None
    x = F.linear(x, weight, own) if x.ndim == 2 else F.conv2d(x, weight[:, :, None, None], own)
    return x if layer.activation is None else bias_act(x, bias)


def normalize(x: Tensor) -> Tensor:
    """Scale to unit length over channels."""
    return x * torch.rsqrt(torch.sum(x**2, dim=1, keepdim=True) + EPSILON)


def gains_of(layer: EqualLinear, style: Tensor, x: Tensor) -> Tensor:
    """Give the gains of a style, `[B, C, 1, 1]` or `[B, C, H, W]`."""
    if style.ndim == 2:
        return linear(layer, style)[:, :, None, None]
    return linear(layer, F.interpolate(style, size=x.shape[2:], mode="bilinear", align_corners=False))


def modulated_conv(layer: ModulatedConv2d, x: Tensor, style: Tensor) -> Tensor:
    """Modulate activations, demodulate, repeat the weight for each sample, convolve in groups (§2.5)."""
    gains = gains_of(layer.modulation, style, x)
    weight = layer.weight * layer.scale  # [1, O, I, k, k]
    if layer.demodulate:
        gains = gains * torch.rsqrt(torch.mean(gains**2, dim=1, keepdim=True) + EPSILON)
        weight = weight * torch.rsqrt(torch.sum(weight**2, dim=(2, 3, 4), keepdim=True) + EPSILON)
    batch, inside, height, width = x.shape
    _, outside, _, k, _ = weight.shape
    weight = weight.repeat(batch, 1, 1, 1, 1)  # [B, O, I, k, k]
    x = (x * gains).reshape(1, batch * inside, height, width)
    if layer.upsample:
        assert layer.blur is not None
        weight = weight.transpose(1, 2).reshape(batch * inside, outside, k, k)
        x = F.conv_transpose2d(x, weight, stride=2, groups=batch)
        return blur(layer.blur, x.reshape(batch, outside, *x.shape[2:]))
    weight = weight.reshape(batch * outside, inside, k, k)
    x = F.conv2d(x, weight, padding=k // 2, groups=batch)
    return x.reshape(batch, outside, height, width)


# ── blocks (§2.3–2.7, §4) ────────────────────────────────────────────────────────────────────────


def conv_layer(layer: ConvLayer, x: Tensor) -> Tensor:
    """Blur or pad, convolve, activate."""
    if layer.blur is not None:
        x = blur(layer.blur, x)
    elif layer.reflection:
        x = F.pad(x, [layer.reflection] * 4, mode="reflect")
    x = conv(layer.conv, x)
    if layer.act is None:
        return x
    return bias_act(x, layer.act.bias if isinstance(layer.act, FusedLeakyReLU) else None)


def res_block(block: ResBlock, x: Tensor) -> Tensor:
    """Compute `(conv2(conv1(x)) + skip(x)) / √2`."""
    out = conv_layer(block.conv2, conv_layer(block.conv1, x))
    return (out + conv_layer(block.skip, x)) / math.sqrt(2)


def styled_conv(layer: StyledConv, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
    """Modulated convolution, noise, bias, activation."""
    x = modulated_conv(layer.conv, x, style)
    if noise is not None:
        x = x + layer.noise.weight * noise
    return bias_act(x, layer.activate.bias)


def generator_block(block: HeadBlock | UpsamplingBlock, x: Tensor, style: Tensor, noise: Noise) -> Tensor:
    """Compute a block of the head, or one that doubles the size."""
    skip = x if block.skip is None else conv_layer(block.skip, x)
    if isinstance(block, UpsamplingBlock):
        skip = F.interpolate(skip, scale_factor=2, mode="bilinear", align_corners=False)
    x = styled_conv(block.conv1, x, style, noise[0])
    x = styled_conv(block.conv2, x, style, noise[1])
    return (skip + x) / math.sqrt(2)


def spatial_code_modulation(layer: SpatialCodeModulation, x: Tensor, style: Tensor) -> Tensor:
    """Scale and shift the structure code by the texture."""
    return x * gains_of(layer.scale, style, x) + gains_of(layer.bias, style, x)


def to_rgb(layer: ToRGB, x: Tensor, style: Tensor) -> Tensor:
    """Make three channels."""
    return modulated_conv(layer.conv, x, style) + layer.bias


def sequence(layers: nn.Module, x: Tensor) -> Tensor:
    """Run layers of any of these kinds one after another."""
    bodies = {ConvLayer: conv_layer, ResBlock: res_block, EqualLinear: linear}
    for layer in layers.children():
        x = bodies[type(layer)](layer, x)  # type: ignore[operator]
    return x


# ── networks (§3–§6) ─────────────────────────────────────────────────────────────────────────────


def encode(net: Encoder, images: Tensor) -> tuple[Tensor, Tensor]:
    """Compute both codes."""
    middle = sequence(net.down_to_structure, conv_layer(net.from_rgb, images))
    structure = sequence(net.to_structure, middle)
    texture = linear(net.to_texture, sequence(net.down_to_texture, middle).mean(dim=(2, 3)))
    return normalize(structure), normalize(texture)


def decode(net: Generator, structure: Tensor, texture: Tensor, noise: Noise) -> Tensor:
    """Make images; `noise` has a map for each styled convolution that takes one, in layer order."""
    structure, texture = normalize(structure), normalize(texture)
    blocks = [*net.head, *net.up]
    maps: Iterator[Tensor | None] = iter([*noise, *[None] * (2 * len(blocks))])
    x = spatial_code_modulation(net.modulation, structure, texture)
    for block in blocks:
        x = generator_block(block, x, texture, (next(maps), next(maps)))  # type: ignore[arg-type]
    return to_rgb(net.to_rgb, x, texture)


def discriminate(net: Discriminator, images: Tensor) -> Tensor:
    """Compute logits of images."""
    x = conv_layer(net.final_conv, sequence(net.blocks, conv_layer(net.from_rgb, images)))
    return sequence(net.final_linear, x.flatten(1))


def patch_features(net: PatchDiscriminator, patches: Tensor) -> Tensor:
    """Compute features `[B, N, C, 2, 2]` of patches `[B, N, 3, p, p]`."""
    x = sequence(net.blocks, conv_layer(net.from_rgb, patches.flatten(0, 1)))
    return conv_layer(net.to_features, x).unflatten(0, patches.shape[:2])


def compare_patches(net: PatchDiscriminator, reference: Tensor, query: Tensor, aggregate: bool) -> Tensor:
    """Compute logits `[B·N, 1]` of features, reference first."""
    if aggregate:
        reference = reference.mean(dim=1, keepdim=True).repeat(1, query.shape[1], 1, 1, 1)
    return sequence(net.head, torch.cat([reference, query], dim=2).flatten(0, 1).flatten(1))


# ── what the published evaluators call ───────────────────────────────────────────────────────────


class BaselineModel:
    """The inference of a model of the package, by the published operations, with the model's own weights."""

    def __init__(self, model: SwappingAutoencoder) -> None:
        self.model = model

    @torch.no_grad()
    def encode(self, images: Tensor) -> Codes:
        """Encode; images too small or of an odd size are padded as the package pads them."""
        config = self.model.config
        rows, columns = (
            torch.from_numpy(
                reflect_indices(side, max(-(-side // config.stride) * config.stride, config.min_side))
            )
            for side in images.shape[2:]
        )
        size = (images.shape[2], images.shape[3])
        if (len(rows), len(columns)) != size:
            images = images[:, :, rows][:, :, :, columns]
        return Codes(*encode(self.model.encoder, images), size)

    @torch.no_grad()
    def decode(self, codes: Codes, noise: Noise | None = None) -> Tensor:
        """Decode under noise: the maps given, or new ones."""
        net = self.model.generator
        if noise is None:
            shapes = net.noise_shapes(*codes.structure.shape[2:])
            noise = random_noise(shapes, torch.Generator(), len(codes.structure))
        height, width = codes.size
        return decode(net, codes.structure, codes.texture, noise)[:, :, :height, :width]

    def swap(self, structure_images: Tensor, texture_images: Tensor, noise: Noise | None = None) -> Tensor:
        """Encode both fully, take the second's texture, decode."""
        own, other = self.encode(structure_images), self.encode(texture_images)
        texture = 0.0 * own.texture + 1.0 * other.texture
        return self.decode(Codes(own.structure, texture, own.size), noise)

    def grid(
        self, structures: Sequence[Tensor], textures: Sequence[Tensor], noise: Noise | None = None
    ) -> Iterator[Tensor]:
        """Decode every pair; every image is encoded twice, as the published evaluator does."""
        for _ in range(2):
            own = [self.encode(image) for image in structures]
            others = [self.encode(image) for image in textures]
        for one in own:
            for other in others:
                yield self.decode(Codes(one.structure, other.texture, one.size), noise)
