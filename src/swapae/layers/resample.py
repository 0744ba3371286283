"""Blur with the paddings that go with it (model-spec §2.2, §2.3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from swapae import native
from swapae.ops import make_kernel, reflected_fir, upfirdn2d
from swapae.ops.upfirdn2d import fir_axes

__all__ = ["Blur", "make_kernel"]


class Blur(nn.Module):
    """Filter `[B, C, H, W]` with a FIR kernel that sums to 1 (to `upsample_factor²` after zero insertion).

    The kernel is no parameter and is not saved: it follows from the constructor's arguments.

    Args:
        kernel: taps of the filter, `[1, 3, 3, 1]` say.
        pad: `(before, after)` of both axes, in pixels; negative crops.
        upsample_factor: factor by which zeros were inserted before; the kernel is multiplied by its square.
        reflection_pad: pad by reflection rather than by zeros.
    """

    kernel: Tensor

    def __init__(
        self,
        kernel: Sequence[float],
        pad: tuple[int, int] = (0, 0),
        upsample_factor: int = 1,
        reflection_pad: bool = False,
    ) -> None:
        super().__init__()
        self.taps = tuple(kernel)
        self.pad = pad
        self.upsample_factor = upsample_factor
        self.reflection_pad = reflection_pad
        self.register_buffer("kernel", torch.empty(len(self.taps), len(self.taps)), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Compute the kernel again, on the device it is on (a module built on "meta" needs it)."""
        kernel = make_kernel(self.taps) * self.upsample_factor**2
        self.kernel = kernel.to(self.kernel)

    def forward(self, input: Tensor, down: int = 1) -> Tensor:
        """Blur, and keep every `down`-th pixel."""
        if self.reflection_pad and max(self.pad) > 0:
            return reflected_fir(input, self.kernel, down, self.pad)
        return upfirdn2d(input, self.kernel, down=down, pad=self.pad)

    def fused(
        self,
        input: Tensor,
        *,
        bias: Tensor,
        noise: Tensor | None,
        noise_weight: float,
        slope: float,
        gain: float,
    ) -> Tensor:
        """Blur, then `gain · lrelu(· + noise_weight · noise + bias)` in the same pass; without gradients.

        For tensors that the compiled kernels take, and zero padding.
        """
        vertical, horizontal = fir_axes(input, self.kernel, pad=self.pad)
        return native.resample(
            input,
            vertical,
            horizontal,
            bias=bias,
            noise=noise,
            noise_weight=noise_weight,
            slope=slope,
            gain=gain,
        )

    def extra_repr(self) -> str:
        reflected = ", reflection_pad" if self.reflection_pad else ""
        return f"{'×'.join(map(str, self.kernel.shape))}, pad={self.pad}{reflected}"


def pad_of_downsampling(kernel: Sequence[float], kernel_size: int, pad: int | None = None) -> tuple[int, int]:
    """Give the blur's `(before, after)` ahead of a convolution of stride 2 (table of model-spec §2.3)."""
    p = len(kernel) - 2 + kernel_size - 1 if pad is None else pad
    return -(-p // 2), p // 2  # ceil, floor


def pad_of_upsampling(kernel: Sequence[float], kernel_size: int) -> tuple[int, int]:
    """Give the blur's `(before, after)` behind a transposed convolution of stride 2 (model-spec §2.5)."""
    p = len(kernel) - 2 - (kernel_size - 1)
    return -(-p // 2) + 1, p // 2 + 1
