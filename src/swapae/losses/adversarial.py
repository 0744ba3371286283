"""The non-saturating logistic losses (model-spec §9; paper eq. 2, 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def real_loss(logits: Tensor) -> Tensor:
    """Compute softplus(−logit): low when the discriminator says "real". `[N, 1]` → `[N]`."""
    return F.softplus(-_full(logits)).flatten(1).mean(1)


def fake_loss(logits: Tensor) -> Tensor:
    """Compute softplus(logit): low when the discriminator says "fake". `[N, 1]` → `[N]`."""
    return F.softplus(_full(logits)).flatten(1).mean(1)


def _full(logits: Tensor) -> Tensor:
    """Bring logits of half precision to float32, for a loss has small differences of large numbers."""
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
