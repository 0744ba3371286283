"""The reconstruction loss (model-spec §9.3; paper eq. 1)."""

from torch import Tensor


def l1_loss(reconstruction: Tensor, image: Tensor) -> Tensor:
    """Compute the mean absolute difference of each image, in units of the [-1, 1] range. `[B, …]` → `[B]`."""
    return (reconstruction - image).abs().flatten(1).mean(1)
