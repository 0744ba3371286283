"""How far a code is from the one it should be: what an image encoded again gives back."""

import torch
from torch import Tensor


def code_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Compute half the squared distance of unit codes, which is 1 − cosine: 0 for equal ones, at most 2.

    Args:
        found: codes of unit length over their channels, structure `[B, C, h, w]` or texture `[B, C]`.
        wanted: codes of the same shape; they get no gradient, or both would agree on saying nothing.

    Returns:
        `[B]`, the mean over places.
    """
    found = found.to(torch.promote_types(found.dtype, torch.float32))  # small differences, summed
    return (found - wanted.detach()).square().sum(1).reshape(len(found), -1).mean(1) / 2
