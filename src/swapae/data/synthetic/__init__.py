"""The synthetic domain: forms × materials, rendered, so that the true swap is known.

>>> from swapae.data.synthetic import render, sample_scenes, structure_of, texture_of
>>> a, b = sample_scenes(seed=0, indices=[0]), sample_scenes(seed=0, indices=[1])
>>> true_swap = render(structure_of(a), texture_of(b), size=64)
>>> true_swap.shape
(1, 64, 64, 3)
"""

from swapae.data.synthetic.forms import FORMS, HELD_OUT_FORMS
from swapae.data.synthetic.materials import HELD_OUT_MATERIALS, MATERIALS
from swapae.data.synthetic.renderer import render, silhouette
from swapae.data.synthetic.sample import Split, sample_scenes
from swapae.data.synthetic.scene import Scene, Structure, Texture, blend, structure_of, texture_of
from swapae.data.synthetic.source import SyntheticSource

VERSION = 1  # of the pictures: a change to any byte of any picture is a new version, see the pinned digest

__all__ = [
    "FORMS",
    "HELD_OUT_FORMS",
    "HELD_OUT_MATERIALS",
    "MATERIALS",
    "VERSION",
    "Scene",
    "Split",
    "Structure",
    "SyntheticSource",
    "Texture",
    "blend",
    "render",
    "sample_scenes",
    "silhouette",
    "structure_of",
    "texture_of",
]
