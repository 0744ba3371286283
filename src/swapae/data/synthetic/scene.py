"""What a picture of the synthetic domain is made of: a `Structure` and a `Texture`, independent draws.

Structure is everything about shape and place: the form and its proportions, pose, size, where it lies, the
camera and the direction of the light (so the layout of light and shadow). Texture is everything about
stuff: the material and its parameters, scale and origin, palette, gloss, the colour of the light, floor and
backdrop. The true swap of two scenes is therefore `render(structure_of(a), texture_of(b))`.

Both are batches: arrays with the scenes along the first axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from swapae.data.synthetic.noise import Array

Kinds = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Batch:
    """Arrays that share their first axis."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, which: slice | Sequence[int] | Kinds) -> Self:
        """The scenes at these places, a batch again."""
        return type(self)(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self:
        """One batch of several."""
        names = [f.name for f in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True, eq=False)
class Structure(_Batch):
    """Shape and place of B scenes.

    - form: index into `FORMS` [B].
    - shape: the form's proportions in [0, 1] [B, 3].
    - rotation: from the solid's frame to the world's, z up, viewer at -y [B, 3, 3].
    - scale: of the picture: half short sides of the frame to a unit of the solid at its centre [B].
    - place: of the solid's origin in the frame, in half short sides, x right, y up [B, 2].
    - elevation: of the camera above the floor, in turns [B].
    - light: unit vector towards the light, in the world [B, 3].
    - floor: depth of the floor below the solid's origin, in units of the solid [B].
    - reach: half sides of the box about its origin that holds the solid, in its own frame [B, 3].
    """

    form: Kinds
    shape: Array
    rotation: Array
    scale: Array
    place: Array
    elevation: Array
    light: Array
    floor: Array
    reach: Array


@dataclass(frozen=True, eq=False)
class Texture(_Batch):
    """Stuff and colours of B scenes.

    - material: index into `MATERIALS` [B].
    - knobs: the material's parameters in [0, 1] [B, 2].
    - frequency: periods of the pattern in a unit of the solid, which is about 2 across [B].
    - origin: of the solid material, in periods [B, 3].
    - palette: ground, figure and accent in OKLab [B, 3, 3].
    - gloss: 0 matte to 1 polished [B].
    - light: colour of the light in OKLab [B, 3].
    - backdrop: wall and floor in OKLab [B, 2, 3].
    """

    material: Kinds
    knobs: Array
    frequency: Array
    origin: Array
    palette: Array
    gloss: Array
    light: Array
    backdrop: Array


@dataclass(frozen=True, eq=False)
class Scene:
    """A batch of pictures before they are rendered."""

    structure: Structure
    texture: Texture

    def __len__(self) -> int:
        return len(self.structure)


def structure_of(scene: Scene) -> Structure:
    """The half that a swap keeps from the structure image."""
    return scene.structure


def texture_of(scene: Scene) -> Texture:
    """The half that a swap takes from the texture image."""
    return scene.texture


def blend(a: Texture, b: Texture, strength: float) -> Texture:
    """The textures on the way from `a` (0) to `b` (1), row by row of the same materials.

    Every number of a texture moves in a straight line, colours in OKLab, so the way is smooth to look at.

    Raises:
        ValueError: the materials differ; between kinds there is no true way.
    """
    if not np.array_equal(a.material, b.material):
        raise ValueError("blend needs the same materials on both sides: draw both with materials=[name]")
    middle = {}
    for f in fields(a):
        left, right = getattr(a, f.name), getattr(b, f.name)
        middle[f.name] = left if f.name == "material" else left + (right - left) * np.float32(strength)
    return Texture(**middle)
