"""The terms of the objective, each a function of tensors; `training.objective` puts them together."""

from swapae.losses.ada import adapted
from swapae.losses.adversarial import fake_loss, real_loss
from swapae.losses.augment import AugmentConfig, augment, augment_patches, draw
from swapae.losses.consistency import code_distance
from swapae.losses.patch_match import draw_places, patch_match
from swapae.losses.patches import Windows, cut, draw_windows, windows_of
from swapae.losses.r1 import squared_gradient
from swapae.losses.reconstruction import l1_gradient_loss, l1_loss
from swapae.losses.views import ViewsConfig, draw_views, moved, recolored

__all__ = [
    "AugmentConfig",
    "ViewsConfig",
    "Windows",
    "adapted",
    "augment",
    "augment_patches",
    "code_distance",
    "cut",
    "draw",
    "draw_places",
    "draw_views",
    "draw_windows",
    "fake_loss",
    "l1_gradient_loss",
    "l1_loss",
    "moved",
    "patch_match",
    "real_loss",
    "recolored",
    "squared_gradient",
    "windows_of",
]
