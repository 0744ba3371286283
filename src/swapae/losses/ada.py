"""Adaptive discriminator augmentation: its transforms and its rule (Karras et al. 2020).

"Training generative adversarial networks with limited data", arXiv:2006.06676, §3 and appendix B. Every
transform happens to an image with probability p, independently of the others; values below are the paper's.
Each image has draws of its own, uniform in [0, 1), of which two or three serve a transform.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from swapae.losses.warp import mirrored, pick, warp

Draws = Mapping[str, Tensor]

# Of every transform: whether it happens, and its value or values.
DRAWS = tuple(
    name
    for transform, values in {
        "flip": 1,
        "turn": 1,
        "shift": 2,
        "scale": 1,
        "rotate": 1,
        "stretch": 1,
        "rotate_again": 1,
        "move": 2,
        "brightness": 1,
        "contrast": 1,
        "luma": 1,
        "hue": 1,
        "saturation": 1,
    }.items()
    for name in (f"{transform}?", *(f"{transform}{i}" for i in range(values)))
)
SHIFT = 0.125  # whole pixels: of the side, at most
MOVE = 0.125  # of the side, standard deviation
SCALE = 0.2  # powers of 2, standard deviation
BRIGHTNESS = 0.2  # of half the range of pixels, standard deviation
CONTRAST = 0.5  # powers of 2, standard deviation
SATURATION = 1.0  # powers of 2, standard deviation


def normal(u: Tensor) -> Tensor:
    """Turn uniform draws in [0, 1) into standard normal ones."""
    return math.sqrt(2) * torch.erfinv(2 * u.clamp(min=2**-25) - 1)


def _power(u: Tensor, deviation: float) -> Tensor:
    """Draw 2ˣ, x normal about 0."""
    return torch.exp2(deviation * normal(u))


# ── pixels as they are ───────────────────────────────────────────────────────────────────────────


def blitted(images: Tensor, u: Draws, p: Tensor) -> Tensor:
    """Mirror, turn by quarters and shift by whole pixels: every pixel is copied as it is."""
    size = images.shape[-1]
    is_flipped = (u["flip?"] < p) & (u["flip0"] < 0.5)
    quarters = torch.where(u["turn?"] < p, (4 * u["turn0"]).floor(), 0)
    line = torch.arange(size, device=images.device)
    rows, columns = (
        mirrored(line - torch.where(u["shift?"] < p, shift, 0).long()[:, None], size)
        for shift in (((2 * u[f"shift{i}"] - 1) * SHIFT * size).round() for i in (1, 0))
    )
    # A turn by a quarter exchanges the axes, then runs one of them backwards; one by half runs both.
    rows = _reversed(rows, (quarters == 1) | (quarters == 2))
    columns = _reversed(columns, (quarters == 2) | (quarters == 3))
    is_odd = (quarters % 2 == 1)[:, None, None, None]
    # Mirrored comes first: the image's columns, which an odd turn has made rows.
    odd = pick(images.transpose(2, 3), _reversed(rows, is_flipped), columns)
    even = pick(images, rows, _reversed(columns, is_flipped))
    return torch.where(is_odd, odd, even)


def _reversed(lines: Tensor, which: Tensor) -> Tensor:
    """Count lines `[B, S]` from the other end where `which` `[B]` says so."""
    return torch.where(which[:, None], lines.shape[1] - 1 - lines, lines)


# ── geometry ─────────────────────────────────────────────────────────────────────────────────────


def warped(images: Tensor, u: Draws, p: Tensor) -> Tensor:
    """Scale, rotate, stretch, rotate and move by any amount; what nothing happens to keeps its bits."""
    inverse, is_moved = inverse_map(u, p)
    return torch.where(is_moved[:, None, None, None], warp(images, inverse), images)


def inverse_map(u: Draws, p: Tensor) -> tuple[Tensor, Tensor]:
    """Compose the maps from the result back to the image: `[B, 2, 3]`, and whether anything happens `[B]`.

    Two rotations happen with 1 − √(1 − p) each, so that one of them at least does with p.
    """
    p_rotate = 1 - torch.sqrt(1 - p)
    gates = {
        "scale": u["scale?"] < p,
        "rotate": u["rotate?"] < p_rotate,
        "stretch": u["stretch?"] < p,
        "rotate_again": u["rotate_again?"] < p_rotate,
        "move": u["move?"] < p,
    }

    def value(name: str, drawn: Tensor, neutral: float) -> Tensor:
        return torch.where(gates[name], drawn, neutral)

    scale = value("scale", _power(u["scale0"], SCALE), 1)
    stretch = value("stretch", _power(u["stretch0"], SCALE), 1)
    angles = (value(name, math.pi * (2 * u[f"{name}0"] - 1), 0) for name in ("rotate", "rotate_again"))
    first, second = (_rotation(-angle) for angle in angles)
    squeeze = torch.diag_embed(torch.stack([1 / (scale * stretch), stretch / scale], dim=1))
    linear = first @ squeeze @ second  # the scale commutes with the first rotation
    moves = [value("move", normal(u[f"move{i}"]) * 2 * MOVE, 0) for i in (0, 1)]
    offset = -linear @ torch.stack(moves, dim=1)[..., None]
    return torch.cat([linear, offset], dim=2), torch.stack(list(gates.values())).any(0)


def _rotation(angle: Tensor) -> Tensor:
    """Rotate by `angle` `[B]`: `[B, 2, 2]`."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)


# ── colour ───────────────────────────────────────────────────────────────────────────────────────


def colored(images: Tensor, u: Draws, p: Tensor) -> Tensor:
    """Change brightness, contrast, luma's sign, hue and saturation by one affine map of colours."""
    linear, offset = color_map(u, p)
    moved = linear.to(images) @ images.flatten(2) + offset.to(images)[..., None]
    return moved.view(images.shape)


def color_map(u: Draws, p: Tensor) -> tuple[Tensor, Tensor]:
    """Compose the maps of colours, in the order above: matrices `[B, 3, 3]` and offsets `[B, 3]`.

    Luma is the part of a colour along the gray axis v = (1, 1, 1)/√3; hue turns about v, saturation scales
    what is across it.
    """

    def value(name: str, drawn: Tensor, neutral: float) -> Tensor:
        return torch.where(u[f"{name}?"] < p, drawn, neutral)

    brightness = value("brightness", BRIGHTNESS * normal(u["brightness0"]), 0)
    contrast = value("contrast", _power(u["contrast0"], CONTRAST), 1)
    luma = value("luma", 1 - 2 * (u["luma0"] < 0.5).to(p), 1)
    hue = value("hue", math.pi * (2 * u["hue0"] - 1), 0)
    saturation = value("saturation", _power(u["saturation0"], SATURATION), 1)

    along, across, turned = _forms(p.device, p.dtype)
    parts = zip((luma, saturation * hue.cos(), saturation * hue.sin()), (along, across, turned), strict=True)
    linear = torch.stack([contrast[:, None, None] * part[:, None, None] * form for part, form in parts]).sum(
        0
    )
    return linear, linear.sum(2) * brightness[:, None]


@lru_cache
def _forms(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Make vvᵀ, I - vvᵀ and [v]×: a rotation about v is cos on the plane across it, and sin of the last.

    Kept on their device: to bring them there in a step would make the step wait.
    """
    along = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    turned = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64) / math.sqrt(3)
    forms = along, torch.eye(3, dtype=torch.float64) - along, turned
    return tuple(form.to(device, dtype) for form in forms)  # type: ignore[return-value]


STAGES = {"blit": blitted, "geometry": warped, "color": colored}  # in the published order


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────


def adapted(p: Tensor, mean_sign: Tensor, target: float, step: float) -> Tensor:
    """Move p one step up where the discriminator is too sure of real images, else one step down.

    Args:
        p: strength, from 0 to 1.
        mean_sign: the paper's r_t = E[sign(D(real))]: 0 for one that guesses, 1 for one that knows them all.
        target: r_t at which p rests; the paper's is 0.6.
        step: how far p moves.
    """
    return (p + step * torch.sign(mean_sign - target)).clamp(0, 1)
