"""What the texture acts through: modulated convolutions, the first modulation (model-spec §2.5–2.7, §4)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swapae.layers.equalized import EqualLinear, FusedLeakyReLU
from swapae.layers.resample import Blur, pad_of_downsampling, pad_of_upsampling
from swapae.ops import modulated_conv2d


class ModulatedConv2d(nn.Module):
    """Convolve `[B, in_channel, H, W]` under a style vector `[B, style_dim]` or map `[B, style_dim, h, w]`.

    Args:
        in_channel: channels of the input.
        out_channel: channels of the output.
        kernel_size: side of the kernel, in pixels.
        style_dim: channels of the style.
        demodulate: scale style and weight to unit size (False in ToRGB alone).
        upsample: transposed convolution of stride 2 and blur: twice the size.
        downsample: blur and convolution of stride 2: half the size.
        blur_kernel: taps of the blur.
    """

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: int,
        style_dim: int,
        demodulate: bool = True,
        upsample: bool = False,
        downsample: bool = False,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, out_channel, in_channel, kernel_size, kernel_size))
        self.modulation = EqualLinear(style_dim, in_channel, bias_init=1.0)
        self.scale = 1 / math.sqrt(in_channel * kernel_size**2)
        self.demodulate = demodulate
        self.upsample = upsample
        self.downsample = downsample
        self.blur: Blur | None = None
        if upsample:
            self.blur = Blur(blur_kernel, pad_of_upsampling(blur_kernel, kernel_size), upsample_factor=2)
        elif downsample:
            self.blur = Blur(blur_kernel, pad_of_downsampling(blur_kernel, kernel_size))

    def forward(self, input: Tensor, style: Tensor) -> Tensor:
        return self.under(self.modulation(style), input)

    def under(self, gains: Tensor, input: Tensor) -> Tensor:
        """Convolve under given gains `[B, in_channel]`, or a map of them of any size."""
        blur = self.blur
        return modulated_conv2d(
            input,
            self.weight[0] * self.scale,
            gains_at(gains, input),
            demodulate=self.demodulate,
            up=self.upsample,
            down=self.downsample,
            blur_kernel=None if blur is None else blur.kernel,
            blur_pad=(0, 0) if blur is None else blur.pad,
        )


def gains_at(gains: Tensor, x: Tensor) -> Tensor:
    """Bring a map of gains `[B, C, h, w]` to the size of `x` bilinearly; a vector `[B, C]` stays as it is.

    Bilinear weights sum to 1, so the linear layer that makes gains of a style may come before: the style's
    many channels need never be resized.
    """
    if gains.ndim == 2 or gains.shape[2:] == x.shape[2:]:
        return gains
    return F.interpolate(gains, size=x.shape[2:], mode="bilinear", align_corners=False)


class NoiseInjection(nn.Module):
    """Add `weight · noise`, one weight for all channels, 0 at first (model-spec §2.6)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor, noise: Tensor | None) -> Tensor:
        """Add noise `[B or 1, 1, h, w]`, brought to the image's size by nearest neighbour; None adds none."""
        if noise is None:
            return image
        if noise.shape[2:] != image.shape[2:]:
            noise = F.interpolate(noise, size=image.shape[2:], mode="nearest")
        return image + self.weight * noise


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU."""

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: int,
        style_dim: int,
        upsample: bool = False,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(
            in_channel, out_channel, kernel_size, style_dim, upsample=upsample, blur_kernel=blur_kernel
        )
        self.noise = NoiseInjection()
        self.activate = FusedLeakyReLU(out_channel)

    def forward(
        self, input: Tensor, style: Tensor, noise: Tensor | None = None, factor: float = 1.0
    ) -> Tensor:
        """Do all three; `factor` is one more on the result."""
        return self.under(self.conv.modulation(style), input, noise, factor)

    def under(self, gains: Tensor, input: Tensor, noise: Tensor | None = None, factor: float = 1.0) -> Tensor:
        """Do so under given gains, as `ModulatedConv2d.under` does; `factor` is one more on the result."""
        x = self.conv.under(gains, input)
        x = self.noise(x, noise)
        out: Tensor = self.activate(x, factor, in_place=True)  # nobody else holds x
        return out


class ToRGB(nn.Module):
    """Modulated 1×1 convolution to three channels, not demodulated, and a bias (model-spec §2.7)."""

    def __init__(self, in_channel: int, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channel, 3, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, input: Tensor, style: Tensor) -> Tensor:
        return self.under(self.conv.modulation(style), input)

    def under(self, gains: Tensor, input: Tensor) -> Tensor:
        """Do so under given gains, as `ModulatedConv2d.under` does."""
        return self.conv.under(gains, input) + self.bias


class SpatialCodeModulation(nn.Module):
    """Scale and shift the structure code by the texture: `x · A(texture) + B(texture)`; no "1 +" (§4)."""

    def __init__(self, structure_channels: int, style_dim: int) -> None:
        super().__init__()
        self.scale = EqualLinear(style_dim, structure_channels)
        self.bias = EqualLinear(style_dim, structure_channels)

    def forward(self, structure: Tensor, style: Tensor) -> Tensor:
        scale = gains_at(self.scale(style), structure)
        bias = gains_at(self.bias(style), structure)
        if scale.ndim == 2:
            scale, bias = scale[:, :, None, None], bias[:, :, None, None]
        return structure * scale + bias
