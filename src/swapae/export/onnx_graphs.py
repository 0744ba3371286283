"""Encoder and generator as two ONNX graphs: any batch, height and width.

They hold convolutions, leaky ReLU, sums, paddings and resizing; scales, gains, blur taps and demodulated
weights are folded (`swapae.export.folded`). They are written from the modules, layer by layer, not traced.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, cast

from torch import nn

from swapae.export.folded import (
    activated,
    conv_layer,
    linear,
    modulated_conv,
    unit_length,
    unit_mean_square,
)
from swapae.export.graph import Dim, Graph
from swapae.layers import (
    ConvLayer,
    EqualLinear,
    ResBlock,
    SameSizeBlock,
    SpatialCodeModulation,
    StyledConv,
    ToRGB,
)
from swapae.networks import Encoder, Generator
from swapae.networks.generator import HeadBlock, UpsamplingBlock

if TYPE_CHECKING:
    from onnx import ModelProto

EncoderOutput = Literal["structure", "texture"]

HALF = 1 / math.sqrt(2)  # what a residual block multiplies its sum by


# ---- the encoder


def encoder_graph(
    encoder: Encoder, outputs: Sequence[EncoderOutput] = ("structure", "texture")
) -> ModelProto:
    """Write the encoder: `images [B, 3, H, W]` → `structure [B, Cs, h, w]`, `texture [B, Ct]`.

    Args:
        encoder: its weights are copied.
        outputs: the codes wanted; what no code needs is left out of the graph.

    Raises:
        ValueError: no output is asked for, or an unknown one.
        UserError: onnx is not installed.
    """
    if not outputs or not set(outputs) <= {"structure", "texture"}:
        raise ValueError(f"outputs={tuple(outputs)} must be of 'structure' and 'texture', one at least.")
    graph, config = Graph(), encoder.config
    middle = _middle(graph, encoder)
    shapes: dict[str, Sequence[Dim]] = {}
    if "structure" in outputs:
        graph.name(_structure_of(graph, encoder, middle), "structure")
        shapes["structure"] = ("batch", config.structure_channels, "structure_height", "structure_width")
    if "texture" in outputs:
        graph.name(_texture_of(graph, encoder, middle), "texture")
        shapes["texture"] = ("batch", config.texture_channels)
    return graph.model("encoder", {"images": ("batch", 3, "height", "width")}, shapes)


def _middle(graph: Graph, encoder: Encoder) -> str:
    x = conv_layer(graph, "images", encoder.from_rgb)
    for block in cast(Iterable[ResBlock], encoder.down_to_structure):
        detail = conv_layer(graph, conv_layer(graph, x, block.conv1), block.conv2, gain=HALF)
        x = graph.add("Add", detail, conv_layer(graph, x, block.skip, gain=HALF))
    return x


def _structure_of(graph: Graph, encoder: Encoder, middle: str) -> str:
    for block in cast(Iterable[SameSizeBlock], encoder.at_structure):
        middle = graph.add(
            "Add", conv_layer(graph, conv_layer(graph, middle, block.conv1), block.conv2), middle
        )
    return unit_length(graph, _in_turn(graph, middle, encoder.to_structure))


def _texture_of(graph: Graph, encoder: Encoder, middle: str) -> str:
    x = graph.add("GlobalAveragePool", _in_turn(graph, middle, encoder.down_to_texture))
    x = linear(graph, x, encoder.to_texture)
    return unit_length(graph, graph.add("Squeeze", x, graph.whole(2, 3)))


def _in_turn(graph: Graph, x: str, layers: nn.Sequential) -> str:
    for layer in cast(Iterable[ConvLayer], layers):
        x = conv_layer(graph, x, layer)
    return x


# ---- the generator


def generator_graph(generator: Generator, *, noise: bool = False) -> ModelProto:
    """Write the generator: `structure [B, Cs, h, w]`, `texture [B, Ct, h', w']` → `images [B, 3, H, W]`.

    A texture vector is a map of 1×1, and costs no more than a vector must.

    Args:
        generator: its weights are copied.
        noise: take noise maps as further inputs, `noise_0`, `noise_1`, … in layer order, `[B or 1, 1, h, w]`
            at the sizes of `Generator.noise_shapes`; a map `[1, 1, 1, 1]` of zero is no noise.

    Raises:
        UserError: onnx is not installed.
    """
    graph, config = Graph(), generator.config
    inputs: dict[str, Sequence[Dim]] = {
        "structure": ("batch", config.structure_channels, "structure_height", "structure_width"),
        "texture": ("batch", config.texture_channels, "texture_height", "texture_width"),
    }
    maps = noise_names(generator) if noise else []
    for name in maps:
        inputs[name] = (f"{name}_batch", 1, f"{name}_height", f"{name}_width")

    graph.name(_images(graph, generator, _Texture(graph), iter(maps)), "images")
    return graph.model("generator", inputs, {"images": ("batch", 3, "height", "width")})


def noise_names(generator: Generator) -> list[str]:
    """List the inputs of a generator's graph that take noise, in layer order."""
    return [f"noise_{i}" for i in range(len(generator.noise_shapes(1, 1)))]


class _Texture:
    """The texture as the layers ask for it: gains `[B, C, h, w]`, with a side of 1 where the map has one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.unit = unit_length(graph, "texture")
        one = graph.whole(1)
        self._sides = graph.add("Shape", "texture", start=2, end=4)
        self._is_one = graph.add("Equal", self._sides, one)

    def gains(self, layer: EqualLinear, x: str, *, demodulate: bool = False) -> str:
        """Give the gains for `x`, of its size along the axes along which the map differs.

        The layer takes the map place by place, then it is resized; resizing is linear and its weights sum to
        1, so the order is free, and gains have fewer channels than the texture. A side of 1 stays, for it
        serves every place as it is.
        """
        graph = self.graph
        size = graph.add("Where", self._is_one, self._sides, graph.add("Shape", x, start=2, end=4))
        gains = graph.add(
            "Resize",
            linear(graph, self.unit, layer),
            "",
            "",
            size,
            axes=[2, 3],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        return unit_mean_square(graph, gains) if demodulate else gains


def _images(graph: Graph, generator: Generator, texture: _Texture, maps: Iterator[str]) -> str:
    """Go through the blocks with a result and the factor it is to be multiplied by.

    The factor goes into the weights of whoever reads the result, so 1/√2 is never computed.
    """
    x, scale = _first_modulation(graph, generator.modulation, texture), 1.0
    for block in (*generator.head, *generator.up):
        x, scale = _block(graph, block, x, scale, texture, maps)
    return _to_rgb(graph, generator.to_rgb, x, scale, texture)


def _first_modulation(graph: Graph, layer: SpatialCodeModulation, texture: _Texture) -> str:
    x = unit_length(graph, "structure")
    scaled = graph.add("Mul", x, texture.gains(layer.scale, x))
    return graph.add("Add", scaled, texture.gains(layer.bias, x))


def _block(
    graph: Graph,
    block: HeadBlock | UpsamplingBlock,
    x: str,
    scale: float,
    texture: _Texture,
    maps: Iterator[str],
) -> tuple[str, float]:
    """Compute `(skip(scale · x) + detail) / √2` as a result and its factor.

    A skip without weights cannot take a gain; then the detail is divided by the factor it shares with it.
    """
    if block.skip is None:
        skip, gain, out_scale = x, 1 / scale, scale * HALF
    else:
        skip = conv_layer(graph, x, block.skip, scale=scale, gain=HALF)
        gain, out_scale = HALF, 1.0
    if isinstance(block, UpsamplingBlock):
        skip = _doubled(graph, skip)
    detail = _styled_conv(graph, block.conv1, x, texture, next(maps, None), scale=scale)
    detail = _styled_conv(graph, block.conv2, detail, texture, next(maps, None), gain=gain)
    return graph.add("Add", skip, detail), out_scale


def _styled_conv(
    graph: Graph,
    layer: StyledConv,
    x: str,
    texture: _Texture,
    noise: str | None,
    *,
    scale: float = 1.0,
    gain: float = 1.0,
) -> str:
    """Compute `gain · layer(scale · x)`."""
    gain *= layer.activate.scale
    gains = texture.gains(layer.conv.modulation, x, demodulate=layer.conv.demodulate)
    x = modulated_conv(graph, x, gains, layer.conv, layer.activate.bias, scale=scale, gain=gain)
    if noise is not None:
        strength = graph.floats(layer.noise.weight.double() * gain, "strength")
        x = graph.add("Add", x, graph.add("Mul", noise, strength))
    return activated(graph, x, layer.activate)


def _to_rgb(graph: Graph, layer: ToRGB, x: str, scale: float, texture: _Texture) -> str:
    gains = texture.gains(layer.conv.modulation, x)
    return modulated_conv(graph, x, gains, layer.conv, layer.bias.flatten(), scale=scale)


def _doubled(graph: Graph, x: str) -> str:
    scales = graph.floats([1.0, 1.0, 2.0, 2.0])
    return graph.add("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel")
