"""The published names of all weights, and ours: a two-way table (model-spec §8.2, appendix A).

Published checkpoint keys exist only here and in the neighbours, `official_shapes.py` and `official.py`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from swapae.model_config import ModelConfig
from swapae.networks import (
    DiscriminatorConfig,
    EncoderConfig,
    GeneratorConfig,
    PatchDiscriminatorConfig,
)

STEPS = "num_discriminator_iters"  # the one tensor that is neither weight nor filter: int64 [1]
Taps = Sequence[float]


class Fir(NamedTuple):
    """A filter that published files store although it is no weight: outer(taps, taps) / sum · gain."""

    taps: Taps
    gain: float = 1.0  # 4 behind a transposed convolution of stride 2


# (published key, our key); filters have no key of ours
Names = Iterator[tuple[str, str | Fir]]


@dataclass(frozen=True)
class Architecture:
    """What a published file holds: encoder and generator, and perhaps discriminators."""

    model: ModelConfig
    discriminator: DiscriminatorConfig | None = None
    patch_discriminator: PatchDiscriminatorConfig | None = None


def names(architecture: Architecture) -> Names:
    """Yield every name but `STEPS`, which comes first in a file, in the published file's order."""
    yield from encoder_names(architecture.model.encoder())
    yield from generator_names(architecture.model.generator())
    if architecture.discriminator is not None:
        yield from discriminator_names(architecture.discriminator)
    if architecture.patch_discriminator is not None:
        yield from patch_discriminator_names(architecture.patch_discriminator)


def encoder_names(config: EncoderConfig) -> Names:
    """Yield the encoder's names; a suffix `ByN` says by how much the layer's input is already smaller."""
    s = config.structure_downsamplings
    blur = encoder_taps(config.use_antialias)
    yield from _conv("E.FromRGB", "encoder.from_rgb")
    for i in range(s):
        yield from _res_block(down_block(i), f"encoder.down_to_structure.{i}", blur)
    yield from _conv("E.ToSpatialCode.0", "encoder.to_structure.0")
    yield "E.ToSpatialCode.1.Conv.weight", "encoder.to_structure.1.conv.weight"
    yield "E.ToSpatialCode.1.Conv.bias", "encoder.to_structure.1.conv.bias"
    for i in range(config.texture_downsamplings):
        yield from _conv(texture_conv(s + i), f"encoder.down_to_texture.{i}", (1,))
    yield from _linear("E.ToGlobalCode.0", "encoder.to_texture")


def generator_names(config: GeneratorConfig) -> Names:
    """Yield the generator's names; a block that keeps its channels has no skip, the head's has no bias."""
    blur = Fir(generator_taps(config.use_antialias), gain=4)
    yield from _linear("G.SpatialCodeModulation.scale", "generator.modulation.scale")
    yield from _linear("G.SpatialCodeModulation.bias", "generator.modulation.bias")
    last = config.structure_channels
    for i, width in enumerate(config.head_widths):
        theirs, ours = head_block(i), f"generator.head.{i}"
        yield from _styled_convs(theirs, ours, None)
        if width != last:
            yield f"{theirs}.skip.Conv.weight", f"{ours}.skip.conv.weight"
        last = width
    for i, width in enumerate(config.widths):
        theirs, ours = up_block(i), f"generator.up.{i}"
        yield from _styled_convs(theirs, ours, blur)
        if width != last:
            yield from _conv(f"{theirs}.skip", f"{ours}.skip")
        last = width
    yield "G.ToRGB.bias", "generator.to_rgb.bias"
    yield "G.ToRGB.upsample.kernel", blur  # stored, never used
    yield from _modulated("G.ToRGB.conv", "generator.to_rgb.conv", None)


def discriminator_names(config: DiscriminatorConfig) -> Names:
    """Yield the image discriminator's names, from the largest map down."""
    theirs, ours = "D.stylegan2_D", "discriminator"
    blur = discriminator_taps(config.use_antialias)
    yield from _conv(f"{theirs}.convs.0", f"{ours}.from_rgb")
    for block, level in enumerate(range(int(math.log2(config.top_size)), 2, -1)):
        yield from _res_block(image_block(level), f"{ours}.blocks.{block}", blur)
    yield from _conv(f"{theirs}.final_conv", f"{ours}.final_conv")
    for i in range(2):
        yield from _linear(f"{theirs}.final_linear.{i}", f"{ours}.final_linear.{i}")


def patch_discriminator_names(config: PatchDiscriminatorConfig) -> Names:
    """Yield the patch discriminator's names, from the largest map down; the last block does not halve."""
    theirs, ours = "Dpatch", "patch_discriminator"
    blur = discriminator_taps(config.use_antialias)
    yield from _conv(f"{theirs}.convs.0", f"{ours}.from_rgb")
    for block, level in enumerate(range(int(math.log2(config.patch_size)), 1, -1)):
        yield from _res_block(patch_block(level), f"{ours}.blocks.{block}", blur if level > 2 else None)
    yield from _conv(f"{theirs}.convs.6", f"{ours}.to_features")
    for i in range(len(config.head_widths) + 1):
        yield from _linear(f"{theirs}.pairlinear.{i}", f"{ours}.head.{i}")


# ---- names of blocks


def down_block(i: int) -> str:
    """Name the encoder's residual block that makes the i-th halving."""
    return f"E.DownToSpatialCode.ResBlockDownBy{2**i}"


def texture_conv(i: int) -> str:
    """Name the texture branch's convolution that makes the i-th halving, counted from the image."""
    return f"E.DownToGlobalCode.ConvLayerDownBy{2**i}"


def head_block(i: int) -> str:
    """Name the generator's i-th block at the structure code's size."""
    return f"G.HeadResnetBlock{i}"


def up_block(i: int) -> str:
    """Name the generator's i-th doubling: 16, 32, … whatever its true size."""
    return f"G.UpsamplingResBlock{2 ** (4 + i)}"


def image_block(level: int) -> str:
    """Name the image discriminator's block on maps of `2^level`: `9 − level`, above 256² the size."""
    return f"D.stylegan2_D.convs.{9 - level if level <= 8 else f'{2**level}x{2**level}'}"


def patch_block(level: int) -> str:
    """Name the patch discriminator's block on maps of `2^level`: `7 − level`, above 64² the size."""
    return f"Dpatch.convs.{7 - level if level <= 6 else f'{2**level}x{2**level}'}"


# ---- taps of the stored filters (model-spec §3–6); the texture branch has none


def encoder_taps(use_antialias: bool) -> Taps:
    """Give the taps of the encoder's blur."""
    return (1, 2, 1) if use_antialias else (1,)


def generator_taps(use_antialias: bool) -> Taps:
    """Give the taps of the generator's blur."""
    return (1, 3, 3, 1) if use_antialias else (1,)


discriminator_taps = generator_taps


# ---- names inside a block


def _conv(theirs: str, ours: str, blur: Taps | None = None) -> Names:
    if blur is not None:
        yield f"{theirs}.Blur.kernel", Fir(blur)
    yield f"{theirs}.Conv.weight", f"{ours}.conv.weight"
    yield f"{theirs}.Act.bias", f"{ours}.act.bias"


def _res_block(theirs: str, ours: str, blur: Taps | None) -> Names:
    yield from _conv(f"{theirs}.conv1", f"{ours}.conv1")
    yield from _conv(f"{theirs}.conv2", f"{ours}.conv2", blur)
    if blur is not None:
        yield f"{theirs}.skip.Blur.kernel", Fir(blur)
    yield f"{theirs}.skip.Conv.weight", f"{ours}.skip.conv.weight"


def _styled_convs(theirs: str, ours: str, blur: Fir | None) -> Names:
    for conv in ("conv1", "conv2"):
        yield from _modulated(
            f"{theirs}.{conv}.conv", f"{ours}.{conv}.conv", blur if conv == "conv1" else None
        )
        yield f"{theirs}.{conv}.noise.weight", f"{ours}.{conv}.noise.weight"
        yield f"{theirs}.{conv}.activate.bias", f"{ours}.{conv}.activate.bias"


def _modulated(theirs: str, ours: str, blur: Fir | None) -> Names:
    yield f"{theirs}.weight", f"{ours}.weight"
    if blur is not None:
        yield f"{theirs}.blur.kernel", blur
    yield from _linear(f"{theirs}.modulation", f"{ours}.modulation")


def _linear(theirs: str, ours: str) -> Names:
    yield f"{theirs}.weight", f"{ours}.weight"
    yield f"{theirs}.bias", f"{ours}.bias"
