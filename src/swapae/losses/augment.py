"""Augmentation of what the discriminators see, for small data sets; gradients pass through it.

A discriminator that sees few images learns them by heart. Here it only ever sees them augmented, real and
made ones alike, in each of its steps, in the generator's and in the gradient penalties, so the generator is
still asked for images as they are.

The image discriminator judges images one by one, and each has draws of its own. The patch discriminator
judges whether patches are of one texture, so all patches of an image share its draws: those of the reference
set, of the positive set and of the hybrid that wears its texture. It is as if image and hybrid had been
augmented alike before patches were cut: no difference between two sets ever comes of the augmentation, and
none is hidden by it.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from swapae.losses import ada, diffaug

Basic = Literal["color", "translation", "cutout"]
Group = Literal["blit", "geometry", "color"]


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of what the discriminators see; of use below some ten thousand images."""

    kind: Literal["none", "diffaug", "ada"] = "none"  # diffaug has a fixed strength, ada finds its own
    diffaug: tuple[Basic, ...] = ("color", "translation", "cutout")  # which transforms, of diffaug
    ada: tuple[Group, ...] = ("blit", "geometry", "color")  # which groups of transforms, of ada
    strength: float = 0.0  # ada: the probability of each transform at the start, from 0 to 1
    target: float = 0.6  # ada: mean sign of logits on real images at which the strength rests
    interval: int = 4  # ada: discriminator steps between two adjustments of the strength
    speed_kimg: float = 500.0  # ada: thousand real images in which it can go from 0 to 1; 0 holds it

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"augment.strength={self.strength} must be from 0 to 1.")
        if not -1 <= self.target <= 1:
            raise ValueError(f"augment.target={self.target} must be from -1 to 1: it is a mean of signs.")
        if self.interval < 1:
            raise ValueError(f"augment.interval={self.interval} must be at least 1.")
        if self.speed_kimg < 0:
            raise ValueError(f"augment.speed_kimg={self.speed_kimg} must be at least 0, where 0 holds still.")


def draw(config: AugmentConfig, batch: int, generator: torch.Generator) -> Tensor | None:
    """Draw all chances of `batch` images, `[batch, K]` in [0, 1); None when nothing is augmented."""
    if config.kind == "none":
        return None
    names = diffaug.DRAWS if config.kind == "diffaug" else ada.DRAWS
    return torch.rand(batch, len(names), generator=generator, device=generator.device)


def augment(config: AugmentConfig, images: Tensor, draws: Tensor | None, strength: Tensor) -> Tensor:
    """Augment every image by its row of draws.

    Args:
        config: the transforms.
        images: `[B, 3, S, S]` in [-1, 1]; gradients of any order pass.
        draws: `[B, K]` of `draw`; None gives the images back.
        strength: of ada, a probability on the images' device.
    """
    if draws is None:
        return images
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"augmentation takes square images, not {list(images.shape[2:])}.")
    dtype = torch.promote_types(images.dtype, torch.float32)  # places of pixels want more than 16 bits
    with torch.autocast(images.device.type, enabled=False):
        return _augmented(config, images.to(dtype), draws.to(images.device), strength).to(images.dtype)


def augment_patches(config: AugmentConfig, patches: Tensor, draws: Tensor | None, strength: Tensor) -> Tensor:
    """Augment all patches `[B, N, 3, p, p]` of an image by its one row of draws `[B, K]`."""
    if draws is None:
        return patches
    number = patches.shape[1]
    flat = augment(config, patches.flatten(0, 1), draws.repeat_interleave(number, 0), strength)
    return torch.unflatten(flat, 0, (-1, number))


def _augmented(config: AugmentConfig, images: Tensor, draws: Tensor, strength: Tensor) -> Tensor:
    if config.kind == "diffaug":
        u = dict(zip(diffaug.DRAWS, draws.unbind(1), strict=True))
        for name, stage in diffaug.STAGES.items():
            images = stage(images, u) if name in config.diffaug else images
        return images
    u = dict(zip(ada.DRAWS, draws.unbind(1), strict=True))
    for name, transform in ada.STAGES.items():
        images = transform(images, u, strength) if name in config.ada else images
    return images
