"""Edits: pure functions from codes to codes, each with its source (model-spec §11.3; docs/editing.md)."""

from swapae.editing.directions import Direction, apply, attribute, position, principal
from swapae.editing.files import Directions
from swapae.editing.interpolate import interpolate, lerp, slerp
from swapae.editing.masks import (
    click_mask,
    connected,
    feathered,
    mask_of,
    place_at,
    region_mask,
    resized_mask,
    similarity,
)
from swapae.editing.mix import mix, spherical_mean
from swapae.editing.outside import covered, decoded_inside, kept_outside
from swapae.editing.reach import reach
from swapae.editing.refinement import STEPS, Refined, refine
from swapae.editing.regions import Layer, painted, pushed, within
from swapae.editing.sphere import angle
from swapae.editing.transplant import joined, shifted, transplanted

__all__ = [
    "STEPS",
    "Direction",
    "Directions",
    "Layer",
    "Refined",
    "angle",
    "apply",
    "attribute",
    "click_mask",
    "connected",
    "covered",
    "decoded_inside",
    "feathered",
    "interpolate",
    "joined",
    "kept_outside",
    "lerp",
    "mask_of",
    "mix",
    "painted",
    "place_at",
    "position",
    "principal",
    "pushed",
    "reach",
    "refine",
    "region_mask",
    "resized_mask",
    "shifted",
    "similarity",
    "slerp",
    "spherical_mean",
    "transplanted",
    "within",
]
