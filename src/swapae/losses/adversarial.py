"""The non-saturating logistic losses (model-spec §9; paper eq. 2, 3)."""

import torch.nn.functional as F
from torch import Tensor


def real_loss(logits: Tensor) -> Tensor:
    """Compute softplus(−logit): low when the discriminator says "real". `[N, 1]` → `[N]`."""
    return F.softplus(-logits).flatten(1).mean(1)


def fake_loss(logits: Tensor) -> Tensor:
    """Compute softplus(logit): low when the discriminator says "fake". `[N, 1]` → `[N]`."""
    return F.softplus(logits).flatten(1).mean(1)
