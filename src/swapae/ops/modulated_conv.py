"""Modulated convolution in this system's own form (model-spec §2.5).

It differs from StyleGAN2's: the *activations* are modulated, by a style of unit mean square, and the
demodulation factor comes from the weight alone. So the weight is the same for every sample, one ordinary
convolution serves a batch of any size, and the style may vary from place to place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from swapae.ops.conv2d import conv2d
from swapae.ops.normalize import EPSILON, rms_normalize
from swapae.ops.upfirdn2d import Padding, upfirdn2d, upfirdn2d_reference


def modulated_conv2d(
    input: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    demodulate: bool = True,
    up: bool = False,
    down: bool = False,
    blur_kernel: Tensor | None = None,
    blur_pad: Padding = (0, 0),
) -> Tensor:
    """Modulate `input` by `style`, then convolve with the (demodulated) `weight`.

    Args:
        input: `[B, I, H, W]`.
        weight: `[O, I, k, k]`, already at its run-time scale.
        style: one gain per channel, `[B, I]`, or per channel and place, `[B, I, H, W]`.
        demodulate: scale style to unit mean square and each output channel's weight to unit length.
        up: transposed convolution of stride 2, then the blur: twice the size.
        down: the blur, then convolution of stride 2: half the size.
        blur_kernel: FIR kernel `[n, n]` of the blur; needed when `up` or `down`.
        blur_pad: `(before, after)` of the blur.

    Returns:
        `[B, O, H', W']`.

    Raises:
        ValueError: when both `up` and `down` are asked for, or one of them without a `blur_kernel`.
    """
    _check(up, down, blur_kernel)
    if style.ndim == 2:
        style = style[:, :, None, None]
    if demodulate:
        style = rms_normalize(style)
        weight = demodulated_weight(weight)
    x = input * style
    if blur_kernel is not None and up:
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return upfirdn2d(x, blur_kernel, pad=blur_pad)
    if blur_kernel is not None and down:
        x = upfirdn2d(x, blur_kernel, pad=blur_pad)
        return F.conv2d(x, weight, stride=2)
    return conv2d(x, weight, padding=weight.shape[-1] // 2)


def demodulated_weight(weight: Tensor) -> Tensor:
    """Scale every output channel of `weight` `[O, I, k, k]` to unit length: it knows nothing of the style."""
    return weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + EPSILON)


def modulated_conv2d_reference(
    input: Tensor,
    weight: Tensor,
    style: Tensor,
    *,
    demodulate: bool = True,
    up: bool = False,
    down: bool = False,
    blur_kernel: Tensor | None = None,
    blur_pad: Padding = (0, 0),
) -> Tensor:
    """Define `modulated_conv2d` for one sample and one output channel at a time."""
    _check(up, down, blur_kernel)
    images = []
    for x, s in zip(input, style, strict=True):  # x [I, H, W], s [I] or [I, H, W]
        s = s if s.ndim == 3 else s[:, None, None]
        if demodulate:
            s = s / torch.sqrt((s**2).mean(dim=0) + EPSILON)
        modulated = (x * s)[None]  # [1, I, H, W]
        if blur_kernel is not None and down:
            modulated = upfirdn2d_reference(modulated, blur_kernel, pad=blur_pad)
        channels = []
        for w in weight:  # [I, k, k]
            if demodulate:
                w = w / torch.sqrt((w**2).sum() + EPSILON)
            channels.append(_correlate_reference(modulated, w, up=up, down=down))
        image = torch.cat(channels, dim=1)  # [1, O, H', W']
        if blur_kernel is not None and up:
            image = upfirdn2d_reference(image, blur_kernel, pad=blur_pad)
        images.append(image)
    return torch.cat(images)


def _correlate_reference(x: Tensor, w: Tensor, *, up: bool, down: bool) -> Tensor:
    """Give one output channel `[1, 1, H', W']` of `x` `[1, I, H, W]` under `w` `[I, k, k]`."""
    k = w.shape[-1]
    out = []
    for i, kernel in enumerate(w):
        channel = x[:, i : i + 1]
        if up:  # a transposed convolution: every pixel spreads the kernel, unflipped
            out.append(upfirdn2d_reference(channel, kernel, up=2, pad=(k - 1, k - 2)))
        elif down:
            out.append(upfirdn2d_reference(channel, kernel.flip(0, 1), down=2))
        else:
            out.append(upfirdn2d_reference(channel, kernel.flip(0, 1), pad=(k // 2, k // 2)))
    return torch.stack(out).sum(dim=0)


def _check(up: bool, down: bool, blur_kernel: Tensor | None) -> None:
    if up and down:
        raise ValueError("a modulated convolution goes up or down, not both.")
    if (up or down) and blur_kernel is None:
        raise ValueError("to go up or down, a modulated convolution needs a blur_kernel; [[1.0]] is no blur.")
