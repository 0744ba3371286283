"""Layers with everything computed once that does not depend on the sample.

Equalized scales, demodulation, the gain √2 of activations and the 1/√2 of residual sums lie in the weights
and in one factor behind each layer. On the CPU weights are kept in the layout that its convolutions read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae import native
from swapae.layers import ConvLayer, FusedLeakyReLU, ModulatedConv2d, ScaledLeakyReLU, StyledConv
from swapae.ops.bias_act import GAIN, fused_leaky_relu
from swapae.ops.conv2d import takes_winograd
from swapae.ops.modulated_conv import demodulated_weight
from swapae.ops.normalize import rms_normalize


class FoldedConv:
    """Convolve, add noise and bias, activate, add a residual: one pass where the compiled kernels are.

    Args:
        weight: gives the run-time weight `[O, I, k, k]`; it is asked at the first use.
        bias: `[O]`, or None.
        stride: 1 or 2.
        padding: pixels on every side.
        reflect: pad by reflection rather than by zeros.
        slope: of the leaky ReLU below zero; 1 is none.
        gain: behind the leaky ReLU.
        in_gain: factor on what comes in. Where maps are smaller than weights it takes what the weight would
            have to be multiplied by, which then needs no copy.
    """

    def __init__(
        self,
        weight: Callable[[], Tensor],
        bias: Tensor | None,
        *,
        stride: int = 1,
        padding: int = 0,
        reflect: bool = False,
        slope: float = 1.0,
        gain: float = 1.0,
        in_gain: float = 1.0,
    ) -> None:
        self._make_weight = weight
        self.bias = bias
        self.stride = stride
        self.padding = padding
        self.reflect = reflect
        self.slope = slope
        self.gain = gain
        self.in_gain = in_gain

    def __call__(
        self,
        x: Tensor,
        *,
        style: Tensor | None = None,
        noise: Tensor | None = None,
        noise_weight: float = 0.0,
        residual: Tensor | None = None,
    ) -> Tensor:
        """Compute `gain · lrelu(weight ∗ (x · style) + noise_weight · noise + bias) + residual`.

        Args:
            x: `[B, I, H, W]`.
            style: `[B, I]`, or `[B, I, H, W]` for one that varies from place to place.
            noise: `[B or 1, 1, H', W']`.
            noise_weight: factor on the noise.
            residual: `[B, O, H', W']`; its memory may be taken for the result.
        """
        if self.in_gain != 1:
            x = x * self.in_gain
        if style is not None and style.ndim == 4:
            x, style = x * style, None
        if self._is_winograd(x):
            return native.conv3x3(
                x,
                self._for_winograd(),
                self.num_out,
                self.padding,
                reflect=self.reflect,
                in_scale=style,
                bias=self.bias,
                noise=noise,
                noise_weight=noise_weight,
                slope=self.slope,
                gain=self.gain,
                residual=residual,
                out=residual,
            )
        if style is not None:
            x = x * style[:, :, None, None]
        y = self._convolved(x)
        if noise is not None:
            y.add_(noise, alpha=noise_weight)
        y = activated_(y, self.bias, self.slope, self.gain)
        return y if residual is None else residual.add_(y)

    def _is_winograd(self, x: Tensor) -> bool:
        return self.stride == 1 and takes_winograd(x, self._shape_like, self.padding, is_packed=True)

    def _convolved(self, x: Tensor) -> Tensor:
        padding = self.padding
        if self.reflect and padding:
            x, padding = F.pad(x, [padding] * 4, mode="reflect"), 0
        if not _has_prepacked(x):
            return F.conv2d(x, self.weight, stride=self.stride, padding=padding)
        x = x.contiguous(memory_format=torch.channels_last)
        if self._direct is None:
            self._direct = torch.ops.mkldnn._reorder_convolution_weight(
                self._make_weight(), [padding] * 2, [self.stride] * 2, [1, 1], 1, list(x.shape)
            )
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self._direct, None, [padding] * 2, [self.stride] * 2, [1, 1], 1, "none", [], ""
        )
        return y

    _direct: Tensor | None = None

    @cached_property
    def weight(self) -> Tensor:
        """The weight as torch takes it."""
        return self._make_weight().contiguous(memory_format=torch.channels_last)

    def _for_winograd(self) -> Tensor:
        """Pack the weight for the kernels in use: those of another instruction set lay it out otherwise."""
        name = native.kernels_name()
        if self._packed is None or self._packed[0] != name:
            self._packed = name, native.pack(self._make_weight())
        return self._packed[1]

    _packed: tuple[str, Tensor] | None = None

    @cached_property
    def _shape_like(self) -> Tensor:
        """A weight without memory, of the shape and kind of ours."""
        weight = self._make_weight()
        return weight.new_empty(1).expand(weight.shape)

    @cached_property
    def num_out(self) -> int:
        """Channels of the output."""
        return self._shape_like.shape[0]


class FoldedUpConv:
    """Transposed convolution of stride 2, blur, noise, bias, activation: twice the size (model-spec §2.5)."""

    def __init__(self, layer: StyledConv) -> None:
        conv = layer.conv
        assert conv.blur is not None
        self.blur = conv.blur
        self.bias = layer.activate.bias.detach()
        self.slope, self.gain = layer.activate.negative_slope, layer.activate.scale
        self._conv = conv

    def __call__(self, x: Tensor, style: Tensor, noise: Tensor | None, noise_weight: float) -> Tensor:
        """Compute it for `x` `[B, I, H, W]` under `style` `[B, I]` or `[B, I, H, W]`."""
        y = self._transposed(x * (style if style.ndim == 4 else style[:, :, None, None]))
        if native.suits(y):
            return self.blur.fused(
                y,
                bias=self.bias,
                noise=noise,
                noise_weight=noise_weight,
                slope=self.slope,
                gain=self.gain,
            )
        y = self.blur(y)
        if noise is not None:
            y.add_(noise, alpha=noise_weight)
        return activated_(y, self.bias, self.slope, self.gain)

    def _transposed(self, x: Tensor) -> Tensor:
        if not _has_prepacked(x):
            return F.conv_transpose2d(x, self.weight, stride=2)
        x = x.contiguous(memory_format=torch.channels_last)
        none, two = [0, 0], [2, 2]
        if self._direct is None:
            self._direct = torch.ops.mkldnn._reorder_convolution_transpose_weight(
                self._made_weight().contiguous(), none, none, two, [1, 1], 1, list(x.shape)
            )
        y: Tensor = torch.ops.mkldnn._convolution_transpose_pointwise(
            x, self._direct, None, none, none, two, [1, 1], 1, "none", [], ""
        )
        return y

    _direct: Tensor | None = None

    @cached_property
    def weight(self) -> Tensor:
        """The weight `[I, O, 3, 3]` of the transposed convolution, as torch takes it."""
        return self._made_weight()

    def _made_weight(self) -> Tensor:
        return modulated_weight(self._conv).transpose(0, 1)


def folded_layer(layer: ConvLayer, gain: float = 1.0, *, scales_input: bool = False) -> FoldedConv:
    """Fold a `ConvLayer`, but for its blur; `gain` is one more factor on its result.

    With `scales_input` the equalized scale acts on what comes in, and the weight is taken as it lies.
    """
    conv, act = layer.conv, layer.act
    slope, factor = 1.0, 1.0
    bias: Tensor | None = conv.bias
    weight_gain = conv.scale
    if isinstance(act, FusedLeakyReLU):
        slope, factor, bias = act.negative_slope, act.scale * gain, act.bias
    elif isinstance(act, ScaledLeakyReLU):
        slope, factor, bias = act.negative_slope, GAIN * gain, None
    else:
        weight_gain *= gain
        bias = None if bias is None else bias * gain
    return FoldedConv(
        lambda: conv.weight.detach() if scales_input else conv.weight.detach() * weight_gain,
        None if bias is None else bias.detach(),
        stride=conv.stride,
        padding=layer.reflection or conv.padding,
        reflect=bool(layer.reflection),
        slope=slope,
        gain=factor,
        in_gain=weight_gain if scales_input else 1.0,
    )


def folded_styled(layer: StyledConv, gain: float = 1.0) -> FoldedConv:
    """Fold a `StyledConv` of stride 1; `gain` is one more factor on its result."""
    conv = layer.conv
    return FoldedConv(
        lambda: modulated_weight(conv),
        layer.activate.bias.detach(),
        padding=conv.weight.shape[-1] // 2,
        slope=layer.activate.negative_slope,
        gain=layer.activate.scale * gain,
    )


def modulated_weight(conv: ModulatedConv2d) -> Tensor:
    """Compute the weight `[O, I, k, k]` of a modulated convolution, which knows nothing of the style."""
    weight = conv.weight.detach()[0] * conv.scale
    return demodulated_weight(weight) if conv.demodulate else weight


def style_of(gains: Tensor, size: tuple[int, int]) -> Tensor:
    """Make the style of a demodulated convolution: of gains `[B, C]`, or a map of them brought to `size`."""
    if gains.ndim == 4 and tuple(gains.shape[2:]) != tuple(size):
        gains = F.interpolate(gains, size=size, mode="bilinear", align_corners=False)
    return rms_normalize(gains)


def activated_(y: Tensor, bias: Tensor | None, slope: float, gain: float) -> Tensor:
    """Compute `gain · lrelu(y + bias)` in place."""
    if slope == 1:
        if bias is not None:
            y.add_(bias[:, None, None])
        return y if gain == 1 else y.mul_(gain)
    return fused_leaky_relu(y, bias, slope, gain, in_place=True)


def _has_prepacked(x: Tensor) -> bool:
    """Whether oneDNN's convolutions with weights in its own layout can be used: float32 on the CPU."""
    return native.suits(x) and _has_mkldnn()


def _has_mkldnn() -> bool:
    names = ["_convolution_pointwise", "_convolution_transpose_pointwise"]
    names += ["_reorder_convolution_weight", "_reorder_convolution_transpose_weight"]
    return bool(torch._C._has_mkldnn) and all(hasattr(torch.ops.mkldnn, name) for name in names)
