"""Scenes of the generated domain of which one thing changes: the true answers of edits."""

from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from swapae.data.synthetic import Structure, Texture, render
from swapae.data.synthetic.noise import Array
from swapae.data.synthetic.palette import polar

SIZE = 64  # pixels, those of the model
WARM_HUE, COOL_HUE, MOST_CHROMA = 0.22, 0.71, 0.06  # of the domain's lights
ATTRIBUTES = {"warm": (-1.0, 1.0), "glossy": (0.05, 0.95), "big": (0.7, 1.05)}  # value without, with


def pictures(structure: Structure, texture: Texture) -> Array:
    """Render as `[B, H, W, 3]`."""
    return render(structure, texture, SIZE)


def tensors(rendered: Array) -> Tensor:
    """Bring pictures to what the model takes, `[B, 3, H, W]` in [-1, 1]."""
    return torch.from_numpy(rendered.astype(np.float32).transpose(0, 3, 1, 2)) / 127.5 - 1


def levels(images: Tensor) -> Tensor:
    """Bring images in [-1, 1] to whole levels of 255, as a picture has them."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round()


def warmed(texture: Texture, warmth: float) -> Texture:
    """The same stuff in light from cool (−1) over white (0) to warm (1)."""
    hue = np.array([WARM_HUE if warmth > 0 else COOL_HUE])
    light = polar(np.array([0.97]), np.array([abs(warmth) * MOST_CHROMA]), hue).astype(np.float32)
    return replace(texture, light=np.repeat(light, len(texture), axis=0))


def glossed(texture: Texture, gloss: float) -> Texture:
    """The same stuff from matte (0) to polished (1)."""
    return replace(texture, gloss=np.full(len(texture), gloss, dtype=np.float32))


def grown(structure: Structure, scale: float) -> Structure:
    """The same thing at another size, about where it is."""
    return replace(structure, scale=structure.scale * np.float32(scale))


def lit(structure: Structure, turns: float) -> Structure:
    """The same thing with the lamp carried about it, by turns of the vertical axis."""
    return replace(structure, light=_turned(structure.light, turns))


def spun(structure: Structure, turns: float) -> Structure:
    """The same thing turned about the vertical axis; it stands on the floor as before."""
    columns = np.stack([_turned(structure.rotation[:, :, i], turns) for i in range(3)], axis=2)
    return replace(structure, rotation=columns)


def between(a: Structure, b: Structure, share: float) -> Structure:
    """The way from one place, size and light of a thing to others; its form and pose are those of `a`."""
    moved = {
        f.name: getattr(a, f.name) + (getattr(b, f.name) - getattr(a, f.name)) * np.float32(share)
        for f in fields(a)
        if f.name in ("scale", "place", "light")
    }
    moved["light"] = moved["light"] / np.linalg.norm(moved["light"], axis=1, keepdims=True)
    return replace(a, **moved)


def clothed(own: Texture, stuff: Texture) -> Texture:
    """The stuff of one picture in the light and before the backdrop of another."""
    return replace(stuff, light=own.light, backdrop=own.backdrop)


def with_attribute(
    structure: Structure, texture: Texture, name: str, value: float
) -> tuple[Structure, Texture]:
    """Scenes with one thing set: warmth of the light, gloss, or size."""
    if name == "warm":
        return structure, warmed(texture, value)
    if name == "glossy":
        return structure, glossed(texture, value)
    return grown(structure, value), texture


def _turned(vectors: Array, turns: float) -> Array:
    """Turn vectors `[B, 3]` about the vertical axis."""
    cos, sin = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    x, y, z = vectors.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1).astype(np.float32)
