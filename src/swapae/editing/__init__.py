"""Edits: pure functions from codes to codes, each with its source (model-spec §11.3; docs/editing.md)."""

from swapae.editing.directions import Direction, apply, attribute, position, principal
from swapae.editing.files import Directions
from swapae.editing.interpolate import interpolate, lerp, slerp
from swapae.editing.mix import mix, spherical_mean
from swapae.editing.sphere import angle

__all__ = [
    "Direction",
    "Directions",
    "angle",
    "apply",
    "attribute",
    "interpolate",
    "lerp",
    "mix",
    "position",
    "principal",
    "slerp",
    "spherical_mean",
]
