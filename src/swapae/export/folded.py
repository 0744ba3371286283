"""Layers as ONNX operations, with all that does not depend on the sample computed beforehand.

Scales and gains are multiplied into weights: `g · lrelu(x) = lrelu(g · x)` for every g > 0. What is folded is
computed in float64.
"""

from torch import Tensor

from swapae.export.graph import NO_PADS, Graph, Pads
from swapae.layers import Blur, ConvLayer, EqualConv2d, EqualLinear, FusedLeakyReLU, ModulatedConv2d
from swapae.ops.modulated_conv import demodulated_weight
from swapae.ops.normalize import EPSILON


def unit_length(graph: Graph, x: str) -> str:
    """Scale to unit length over channels (`swapae.ops.normalize`)."""
    squares = graph.add("ReduceSumSquare", x, graph.whole(1), keepdims=1)
    return _over_root(graph, x, squares)


def unit_mean_square(graph: Graph, x: str) -> str:
    """Scale to unit mean square over channels (`swapae.ops.normalize.rms_normalize`)."""
    squares = graph.add("ReduceMean", graph.add("Mul", x, x), graph.whole(1), keepdims=1)
    return _over_root(graph, x, squares)


def linear(graph: Graph, x: str, layer: EqualLinear) -> str:
    """Apply a linear layer to `[B, C, h, w]`, place by place."""
    weight = _exact(layer.weight) * layer.scale
    bias = None if layer.bias is None else _exact(layer.bias) * layer.lr_mul
    return graph.conv(x, weight[:, :, None, None], bias)


def conv_layer(graph: Graph, x: str, layer: ConvLayer, *, scale: float = 1.0, gain: float = 1.0) -> str:
    """Compute `gain · layer(scale · x)`."""
    weight = equalized(layer.conv) * (scale * gain)
    bias: Tensor | None = layer.conv.bias
    if layer.act is not None:
        assert isinstance(layer.act, FusedLeakyReLU)  # ours never activate without a bias
        weight, bias = weight * layer.act.scale, layer.act.bias
        gain *= layer.act.scale
    bias = None if bias is None else _exact(bias) * gain
    if layer.blur is not None:
        x = _halved(graph, x, layer.blur, weight, bias)
    elif layer.reflection:
        x = graph.conv(graph.pad(x, _around(layer.reflection), reflect=True), weight, bias)
    else:
        x = graph.conv(x, weight, bias, stride=layer.conv.stride, pads=_around(layer.conv.padding))
    return x if layer.act is None else activated(graph, x, layer.act)


def _halved(graph: Graph, x: str, blur: Blur, weight: Tensor, bias: Tensor | None) -> str:
    """Blur, then convolve with stride 2; before a 1×1 convolution only what it reads is blurred."""
    channels, kernel_size = weight.shape[1], weight.shape[-1]
    pads = _pads(blur)
    if blur.kernel.numel() == 1:
        weight = weight * blur.kernel.item()
        return graph.conv(graph.pad(x, pads, reflect=blur.reflection_pad), weight, bias, stride=2)
    if blur.reflection_pad:
        x, pads = graph.pad(x, pads, reflect=True), NO_PADS
    first, second = (2, 1) if kernel_size == 1 else (1, 2)
    x = graph.conv(x, fir(blur, channels), stride=first, pads=pads, groups=channels)
    return graph.conv(x, weight, bias, stride=second)


def modulated_conv(
    graph: Graph, x: str, gains: str, layer: ModulatedConv2d, bias: Tensor, *, scale: float, gain: float = 1.0
) -> str:
    """Compute `gain · (layer(scale · x) + bias)` under gains that are normalised already.

    Going up, weight and blur share the work: the transposed convolution, then the blur with the bias.
    """
    weight = _exact(layer.weight[0]) * layer.scale
    if layer.demodulate:
        weight = demodulated_weight(weight)
    weight, bias = weight * (scale * gain), _exact(bias) * gain
    x = graph.add("Mul", x, gains)
    if not layer.upsample:
        return graph.conv(x, weight, bias, pads=_around(weight.shape[-1] // 2))
    assert layer.blur is not None
    blur, channels = layer.blur, weight.shape[0]
    pads, weight = _pads(blur), weight.transpose(0, 1)
    if blur.kernel.numel() == 1:
        top, left, bottom, right = (-p for p in pads)
        return graph.conv_transpose(x, weight * blur.kernel.item(), bias, crop=(top, left, bottom, right))
    x = graph.conv_transpose(x, weight)
    return graph.conv(x, fir(blur, channels), bias, pads=pads, groups=channels)


def activated(graph: Graph, x: str, layer: FusedLeakyReLU) -> str:
    """Apply the leaky ReLU alone: bias and gain lie in the convolution before it."""
    return graph.add("LeakyRelu", x, alpha=layer.negative_slope)


def equalized(layer: EqualConv2d) -> Tensor:
    """Give the weight that the layer uses."""
    return _exact(layer.weight) * layer.scale


def fir(blur: Blur, channels: int) -> Tensor:
    """Give the blur's kernel as the weight `[C, 1, k, k]` of a depthwise convolution."""
    return _exact(blur.kernel).flip(0, 1).expand(channels, 1, -1, -1)


def _over_root(graph: Graph, x: str, squares: str) -> str:
    return graph.add("Div", x, graph.add("Sqrt", graph.add("Add", squares, graph.floats([EPSILON]))))


def _exact(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().double()


def _pads(blur: Blur) -> Pads:
    before, after = blur.pad
    return before, before, after, after


def _around(pad: int) -> Pads:
    return pad, pad, pad, pad
