"""The terms of the objective, each a function of tensors; `training.objective` puts them together."""

from swapae.losses.ada import adapted
from swapae.losses.adversarial import fake_loss, real_loss
from swapae.losses.augment import AugmentConfig, augment, augment_patches, draw
from swapae.losses.consistency import code_distance
from swapae.losses.patches import Windows, cut, draw_windows, windows_of
from swapae.losses.r1 import squared_gradient
from swapae.losses.reconstruction import l1_loss

__all__ = [
    "AugmentConfig",
    "Windows",
    "adapted",
    "augment",
    "augment_patches",
    "code_distance",
    "cut",
    "draw",
    "draw_windows",
    "fake_loss",
    "l1_loss",
    "real_loss",
    "squared_gradient",
    "windows_of",
]
