"""Colours as the eye spaces them: CIE L*a*b*."""

import torch
from torch import Tensor

# IEC 61966-2-1: linear sRGB to XYZ, and XYZ of its white (D65).
XYZ_OF_RGB = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))


def to_lab(images: Tensor) -> Tensor:
    """Convert sRGB `[B, 3, H, W]` in [-1, 1] to L*a*b* (D65): L* 0 to 100, a* and b* about -100 to 100.

    Values outside [-1, 1] are clamped. One unit is about a just visible difference.
    """
    rgb = (images.clamp(-1, 1) + 1) / 2
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = images.new_tensor(XYZ_OF_RGB)
    white = matrix.sum(1)  # XYZ of R = G = B = 1
    x, y, z = _cube_root(torch.einsum("xc,bchw->bxhw", matrix / white[:, None], linear)).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def _cube_root(t: Tensor) -> Tensor:
    """Compute CIE's f(t): the cube root, and near black a line that meets it."""
    delta = 6 / 29
    return torch.where(t > delta**3, t.clamp(min=delta**3) ** (1 / 3), t / (3 * delta**2) + 4 / 29)


def from_lab(lab: Tensor) -> Tensor:
    """Convert L*a*b* (D65) `[B, 3, H, W]` to sRGB in [-1, 1]; what no screen can show is clamped."""
    y = (lab[:, 0] + 16) / 116
    roots = torch.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], dim=1)
    delta = 6 / 29
    matrix = lab.new_tensor(XYZ_OF_RGB)
    relative = torch.where(roots > delta, roots**3, 3 * delta**2 * (roots - 4 / 29))
    linear = torch.einsum("cx,bxhw->bchw", torch.linalg.inv(matrix / matrix.sum(1, keepdim=True)), relative)
    linear = linear.clamp(0, 1)
    rgb = torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb.clamp(0, 1) * 2 - 1
