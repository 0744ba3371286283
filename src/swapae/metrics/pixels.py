"""Distances of images pixel by pixel: L1, PSNR and MS-SSIM."""

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_PSNR = 100.0  # decibels: what equal images get, so that a mean over images is a number

# Wang et al., 2003: weights of the scales, finest first; window of 11 pixels, σ = 1.5.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference in [-1, 1]: two `[B, 3, H, W]` → `[B]`."""
    return (a.clamp(-1, 1) - b.clamp(-1, 1)).abs().mean((1, 2, 3))


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in decibels, 100 at most: two `[B, 3, H, W]` in [-1, 1] → `[B]`."""
    error = ((a.clamp(-1, 1) - b.clamp(-1, 1)) / 2).square().mean((1, 2, 3))
    return (-10 * error.clamp(min=1e-30).log10()).clamp(max=MAX_PSNR)


def num_scales(height: int, width: int) -> int:
    """How many of the five scales fit: after all halvings the window must lie inside the image.

    Raises:
        ValueError: not even one fits.
    """
    fitting = [n for n in range(1, 6) if min(height, width) // 2 ** (n - 1) >= WINDOW]
    if not fitting:
        raise ValueError(f"MS-SSIM needs images of {WINDOW} pixels or more, not {height}×{width}.")
    return fitting[-1]


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale structural similarity, 1 for equal images: two `[B, 3, H, W]` in [-1, 1] → `[B]`.

    All five scales need 176 pixels a side. Of smaller images as many are used as fit, their weights
    brought to a sum of 1: another figure, so `ms_ssim_name` calls it otherwise.
    """
    weights = a.new_tensor(SCALE_WEIGHTS[: num_scales(*a.shape[2:])])
    weights = weights / weights.sum()
    a, b = (a.clamp(-1, 1) + 1) / 2, (b.clamp(-1, 1) + 1) / 2
    product = a.new_ones(len(a))
    for number, weight in enumerate(weights):
        similarity, contrast = _ssim(a, b)
        is_last = number == len(weights) - 1
        product = product * (similarity if is_last else contrast).clamp(min=0) ** weight
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return product


def ms_ssim_name(height: int, width: int) -> str:
    """`MS-SSIM` where five scales fit, else with their number: `MS-SSIM-3`."""
    scales = num_scales(height, width)
    return "MS-SSIM" if scales == len(SCALE_WEIGHTS) else f"MS-SSIM-{scales}"


def _ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure factor, averaged over channels and places [B]; images in [0, 1]."""
    mean_a, mean_b = _blurred(a), _blurred(b)
    var_a = _blurred(a * a) - mean_a**2
    var_b = _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    contrast = (2 * covariance + K2**2) / (var_a + var_b + K2**2)
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _blurred(images: Tensor) -> Tensor:
    """Weighted means over all windows that lie inside the image."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    bell = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    bell = (bell / bell.sum()).repeat(images.shape[1], 1)
    across = F.conv2d(images, bell[:, None, None, :], groups=images.shape[1])
    return F.conv2d(across, bell[:, None, :, None], groups=images.shape[1])
