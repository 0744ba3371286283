"""What the encoder is shown of an image so that its two codes part: structure without colour, texture moved.

A reconstruction alone teaches nothing of how to part them: either code may carry anything. Here the image x
is put together again from the structure of a recoloured x and from the texture of a moved x,

    x ≈ G(Es(recolored(x)), Et(moved(x))),

so colour has to come through the texture code, and layout through the structure code, by the plain
reconstruction loss and from the first step on. The adversaries' hybrids teach the same, but late, for both
have to be learnt first. Structure and texture that a change leaves alone are free to go either way, as in
the published objective.

- recolored: y = sin(w·(M x + m·p) + φ) at every pixel, M a random 3×3 matrix and p a random pattern (waves,
  checks, blobs), so neither colours, nor their order, nor small patterns last; edges mostly do.
- moved: mirrored, turned, scaled and shifted, reflected at the borders.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NUM_WAVES = 4
_COLOR = {"matrix": 9, "gain": 3, "rate": 3, "phase": 3, "mix": 3}
_PATTERN = {"any": 1, "number": 1, "frequency": 1, "direction": NUM_WAVES, "start": NUM_WAVES, "hard": 1}
_MOVE = {"mirror": 1, "turn": 1, "scale": 1, "shift": 2}
DRAWS = {"recolor?": 1, "move?": 1, **_COLOR, **_PATTERN, **_MOVE}

HIGHEST, LOWEST = 0.2, 0.04  # frequency of patterns, periods a pixel
PLAIN = 0.3  # share of recoloured images without a pattern
TURN, SCALE, SHIFT = 15 / 360, 1.25, 0.125  # most turns, factor, and part of the side


@dataclass(frozen=True)
class ViewsConfig:
    """Views of the images that are reconstructed; all 0 is off, as published."""

    recolor: float = 0.0  # share of images whose structure is read from a recoloured view
    pattern: float = 0.0  # how much patterns change the colours of that view, 0 to 1 or so
    move: float = 0.0  # share of images whose texture is read from a moved view
    whole: bool = False  # the second half of a batch is reconstructed too, from its views, without adversary

    def __post_init__(self) -> None:
        for name in ("recolor", "move"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"views.{name}={getattr(self, name)} must be from 0 to 1.")
        if not self.pattern >= 0:
            raise ValueError(f"views.pattern={self.pattern} must be at least 0.")
        if self.whole and not self.is_on:
            raise ValueError("views.whole=true needs views: set views.recolor or views.move above 0.")

    @property
    def is_on(self) -> bool:
        """Whether anything is shown but the images themselves."""
        return self.recolor > 0 or self.move > 0


def draw_views(config: ViewsConfig, batch: int, generator: torch.Generator) -> Tensor | None:
    """Draw all chances of `batch` images, `[batch, K]` in [0, 1); None when views are off."""
    if not config.is_on:
        return None
    return torch.rand(batch, sum(DRAWS.values()), generator=generator, device=generator.device)


def recolored(config: ViewsConfig, images: Tensor, draws: Tensor) -> Tensor:
    """Recolour the share of images that the config says, each by its row of draws; the others stay.

    Args:
        config: shares and strength.
        images: `[B, 3, H, W]` in [-1, 1].
        draws: `[B, K]` of `draw_views`.

    Returns:
        images of the same shape in [-1, 1].
    """
    u = _named(draws.to(images))
    matrix = _normal(u["matrix"]).view(-1, 3, 3)
    matrix = matrix / matrix.abs().sum(2, keepdim=True) * (0.7 + 0.6 * u["gain"])[..., None]
    mixed = (matrix @ images.flatten(2)).view(images.shape)
    if config.pattern:
        strength = config.pattern * (u["any"] >= PLAIN) * (2 * u["mix"] - 1)
        mixed = mixed + strength[..., None, None] * pattern(u, images.shape[2], images.shape[3])
    rate, phase = 1 + 1.5 * u["rate"], 1.2 * (2 * u["phase"] - 1)
    changed = torch.sin(rate[..., None, None] * mixed + phase[..., None, None])
    return torch.where((u["recolor?"] < config.recolor)[..., None, None], changed, images)


def pattern(u: Mapping[str, Tensor], height: int, width: int) -> Tensor:
    """Add up 1 to 4 waves of one frequency in random directions: stripes, checks, blobs `[B, 1, H, W]`."""
    rows = torch.arange(height, device=u["any"].device, dtype=u["any"].dtype)[:, None]
    columns = torch.arange(width, device=rows.device, dtype=rows.dtype)
    # A direction's cosine and sine, times periods a pixel.
    angle = 2 * math.pi * torch.stack([u["direction"], u["direction"] + 0.25])[..., None, None]
    frequency = (LOWEST + (HIGHEST - LOWEST) * u["frequency"])[..., None, None]
    across, down = frequency * torch.cos(angle)
    waves = torch.sin(2 * math.pi * (across * columns + down * rows + u["start"][..., None, None]))
    number = 1 + (NUM_WAVES * u["number"]).floor()  # [B, 1]
    is_there = torch.arange(NUM_WAVES, device=rows.device) < number
    total = (waves * is_there[..., None, None]).sum(1, keepdim=True) * (2 / number).sqrt()[..., None, None]
    return torch.where((u["hard"] < 0.5)[..., None, None], torch.tanh(4 * total), total)


def moved(config: ViewsConfig, images: Tensor, draws: Tensor) -> Tensor:
    """Mirror, turn, scale and shift the share of images that the config says; the others stay.

    Arguments as for `recolored`.
    """
    u = _named(draws.to(images))
    angle = 2 * math.pi * TURN * (2 * u["turn"][:, 0] - 1)
    scale = SCALE ** (2 * u["scale"][:, 0] - 1)
    mirror = torch.where(u["mirror"][:, 0] < 0.5, -1.0, 1.0).to(images)
    cos, sin, shift = scale * angle.cos(), scale * angle.sin(), 2 * SHIFT * (2 * u["shift"] - 1)
    rows = [
        torch.stack([mirror * cos, -sin, shift[:, 0]], 1),
        torch.stack([mirror * sin, cos, shift[:, 1]], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    changed = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return torch.where((u["move?"] < config.move)[..., None, None], changed, images)


def _named(draws: Tensor) -> dict[str, Tensor]:
    """Part a row of draws by name, each `[B, k]`."""
    parts = torch.split(draws, list(DRAWS.values()), dim=1)
    return dict(zip(DRAWS, parts, strict=True))


def _normal(u: Tensor) -> Tensor:
    """Turn uniform draws in [0, 1) into unit-normal ones."""
    return math.sqrt(2) * torch.erfinv((2 * u - 1).clamp(-1 + 1e-6, 1 - 1e-6))
