"""Random patches for the co-occurrence discriminator (model-spec §9.5; paper §3.3, appendix B)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Windows(NamedTuple):
    """Where patches are cut, in coordinates that run from −1 to 1 over the image. Last axis is (x, y).

    Attributes:
        flip: −1 mirrors the patch left to right, +1 does not, `[B, N]`.
        scale: size of the window as a fraction of the image's, `[B, N, 2]`.
        offset: centre of the window, `[B, N, 2]`.
    """

    flip: Tensor
    scale: Tensor
    offset: Tensor


def windows_of(
    u_flip: Tensor, u_scale: Tensor, u_offset: Tensor, min_scale: float, max_scale: float
) -> Windows:
    """Turn uniform draws in [0, 1) into windows: sides drawn independently, anywhere inside the image."""
    scale = min_scale + (max_scale - min_scale) * u_scale
    return Windows(2 * torch.round(u_flip) - 1, scale, (2 * u_offset - 1) * (1 - scale))


def draw_windows(
    batch: int, num_patches: int, min_scale: float, max_scale: float, generator: torch.Generator
) -> Windows:
    """Draw windows for `batch` images."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(batch, num_patches, *shape, generator=generator, device=generator.device)

    return windows_of(uniform(), uniform(2), uniform(2), min_scale, max_scale)


def cut(images: Tensor, windows: Windows, patch_size: int) -> Tensor:
    """Sample patches bilinearly.

    The published form is kept exactly: the grid ends on the window's border while `align_corners=False`,
    so a window that touches the image's border blends with zeros in its outermost row.

    Args:
        images: `[B, 3, H, W]`.
        windows: N windows an image.
        patch_size: side p of the patches, in pixels.

    Returns:
        `[B, N, 3, p, p]`.
    """
    num_patches = windows.flip.shape[1]
    line = torch.linspace(-1, 1, patch_size, device=images.device, dtype=images.dtype)
    flip, scale, offset = (part.to(images) for part in windows)
    x = line * (flip * scale[..., 0])[..., None] + offset[..., 0, None]  # [B, N, p]
    y = line * scale[..., 1, None] + offset[..., 1, None]
    grid = torch.stack(
        [x[..., None, :].expand(-1, -1, patch_size, -1), y[..., None].expand(-1, -1, -1, patch_size)], dim=-1
    )  # [B, N, p, p, 2]
    # The patches of an image are stacked downwards, so no image is copied N times.
    patches = F.grid_sample(images, grid.flatten(1, 2), mode="bilinear", align_corners=False)
    return torch.unflatten(patches, 2, (num_patches, patch_size)).transpose(1, 2)
