"""Convolution with blur, padding and activation, and the residual block of it (model-spec §2.3, §2.4)."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from swapae.layers.equalized import EqualConv2d, FusedLeakyReLU, ScaledLeakyReLU
from swapae.layers.recompute import recomputed
from swapae.layers.resample import Blur, pad_of_downsampling
from swapae.ops import conv2d

INV_SQRT2 = 1 / math.sqrt(2)


class ConvLayer(nn.Module):
    """Blur (when downsampling), convolve, activate.

    A side H stays H, or becomes ⌊H/2⌋ when downsampling. `pad` changes that: without downsampling to
    H + 2·pad − kernel_size + 1, with it to ⌊(H + pad − n + 1 − kernel_size)/2⌋ + 1 for n taps.

    Args:
        in_channel: channels of the input `[B, in_channel, H, W]`.
        out_channel: channels of the output.
        kernel_size: side of the kernel, in pixels.
        downsample: blur, then convolve with stride 2 and no padding.
        blur_kernel: taps of that blur; `[1]` is no blur.
        bias: add a bias: inside the activation if there is one, in the convolution if not.
        activate: apply leaky ReLU with gain √2.
        pad: padding in pixels; None keeps or halves the side, as in the table of model-spec §2.3. It is the
            blur's, before and after together, when downsampling, and the convolution's on each side if not.
        reflection_pad: pad by reflection rather than by zeros.
    """

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: int,
        downsample: bool = False,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
        bias: bool = True,
        activate: bool = True,
        pad: int | None = None,
        reflection_pad: bool = False,
    ) -> None:
        super().__init__()
        self.blur: Blur | None = None
        self.reflection = 0
        if downsample:
            blur_pad = pad_of_downsampling(blur_kernel, kernel_size, pad)
            self.blur = Blur(blur_kernel, pad=blur_pad, reflection_pad=reflection_pad)
            stride, padding = 2, 0
        else:
            stride, padding = 1, kernel_size // 2 if pad is None else pad
            if reflection_pad:
                self.reflection, padding = padding, 0
        self.conv = EqualConv2d(
            in_channel, out_channel, kernel_size, stride, padding, bias=bias and not activate
        )
        self.act: nn.Module | None = None
        if activate:
            self.act = FusedLeakyReLU(out_channel) if bias else ScaledLeakyReLU()

    def forward(self, input: Tensor, gain: float = 1.0) -> Tensor:
        """Blur, convolve, activate; `gain` is one more factor on the result of a layer without conv bias."""
        convolution_gain = gain if self.act is None else 1.0
        if self.blur is not None:
            x = self._blurred_and_convolved(input, self.blur, convolution_gain)
        else:
            padded = input
            if self.reflection:
                padded = F.pad(input, [self.reflection] * 4, mode="reflect")
            x = self.conv(padded, convolution_gain)
        return x if self.act is None else self.act(x, gain, in_place=True)  # nobody else holds x

    def _blurred_and_convolved(self, x: Tensor, blur: Blur, gain: float) -> Tensor:
        if self.conv.weight.shape[-1] > 1:
            convolved: Tensor = self.conv(blur(x), gain)
            return convolved
        # A 1×1 convolution of stride 2 reads every second pixel: blur only those.
        return conv2d(blur(x, down=2), self.conv.weight, self.conv.bias, scale=gain * self.conv.scale)


class ResBlock(nn.Module):
    """Compute `(conv2(conv1(x)) + skip(x)) / √2`, at half the size by default.

    `conv1` keeps `in_channel` channels. `reflection_pad` is for `conv1` and `conv2`; the skip's blur always
    pads with zeros, in the encoder too (a trap of model-spec §2.4).

    Args:
        in_channel: channels of the input `[B, in_channel, H, W]`.
        out_channel: channels of the output `[B, out_channel, ⌊H/2⌋, ⌊W/2⌋]`.
        blur_kernel: taps of the blur before each convolution of stride 2.
        reflection_pad: pad the two 3×3 convolutions by reflection.
        downsample: halve the size; if not, nothing is blurred.
    """

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
        reflection_pad: bool = False,
        downsample: bool = True,
    ) -> None:
        super().__init__()
        self.conv1 = ConvLayer(in_channel, in_channel, 3, reflection_pad=reflection_pad)
        self.conv2 = ConvLayer(
            in_channel, out_channel, 3, downsample, blur_kernel, reflection_pad=reflection_pad
        )
        self.skip = ConvLayer(in_channel, out_channel, 1, downsample, blur_kernel, bias=False, activate=False)

    def forward(self, input: Tensor) -> Tensor:
        return recomputed(self._sum, input)

    def _sum(self, input: Tensor) -> Tensor:
        # 1/√2 is a factor of both parts, and the sum takes the skip's place: no pass over memory for it.
        skip: Tensor = self.skip(input, INV_SQRT2)
        return skip.add_(self.conv2(self.conv1(input), INV_SQRT2))


class SameSizeBlock(nn.Module):
    """Compute `x + conv2(conv1(x))` at one size: every place sees 2 further to each side.

    Not of the published system. A new one changes nothing, for `conv2` starts at 0: so it can be put into a
    network that is trained already.

    Args:
        channel: channels of the input `[B, channel, H, W]` and of the output.
    """

    def __init__(self, channel: int) -> None:
        super().__init__()
        self.conv1 = ConvLayer(channel, channel, 3, reflection_pad=True)
        self.conv2 = ConvLayer(channel, channel, 3, activate=False, reflection_pad=True)
        nn.init.zeros_(self.conv2.conv.weight)

    def forward(self, input: Tensor) -> Tensor:
        return recomputed(self._sum, input)

    def _sum(self, input: Tensor) -> Tensor:
        added: Tensor = self.conv2(self.conv1(input))
        return input + added
