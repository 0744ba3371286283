"""The resizing before a feature net, a part of a metric's definition (Parmar et al., 2022, 'clean-fid')."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


def clean_resize(images: Tensor, size: int) -> Tensor:
    """Bring images `[B, 3, H, W]` in [-1, 1] to `[B, 3, size, size]` in 0 … 255, squeezed if not square.

    Values are first rounded to 8 bits, as a saved picture's are. Each channel is then resized as floats by
    Pillow's bicubic filter, which averages where it shrinks (antialiased), clamped, and not rounded again.
    """
    levels = ((images.detach().float().clamp(-1, 1) + 1) * 127.5).round().cpu().numpy()
    resized = np.stack([[_resized(channel, size) for channel in image] for image in levels])
    return torch.from_numpy(resized).to(images.device)


def _resized(channel: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    picture = Image.fromarray(channel).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture).clip(0, 255)
