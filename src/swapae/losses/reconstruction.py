"""The reconstruction loss (model-spec §9.3; paper eq. 1), and one of its edges, which is ours."""

from torch import Tensor


def l1_loss(reconstruction: Tensor, image: Tensor) -> Tensor:
    """Compute the mean absolute difference of each image, in units of the [-1, 1] range. `[B, …]` → `[B]`."""
    return (reconstruction - image).abs().flatten(1).mean(1)


def l1_gradient_loss(reconstruction: Tensor, image: Tensor) -> Tensor:
    """Compute the mean absolute difference of the steps between neighbouring pixels, across plus down.

    The plain loss hardly minds a blurred edge; this one does. `[B, C, H, W]` → `[B]`
    """
    difference = reconstruction - image
    across, down = difference.diff(dim=3), difference.diff(dim=2)
    return across.abs().flatten(1).mean(1) + down.abs().flatten(1).mean(1)
