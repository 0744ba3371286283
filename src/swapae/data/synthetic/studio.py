"""The studio in the solid's own frame: camera, lamp and floor turn round a solid that stands still."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from swapae.data.synthetic.forms import FORM_TABLE, FORMS
from swapae.data.synthetic.noise import Array, sine
from swapae.data.synthetic.scene import Structure
from swapae.data.synthetic.trace import Solid, dot, march, unit

EYE = 5.5  # distance of the camera from the solid's origin, in units of the solid

_BLOCK = 1 << 15  # rays at a time: many enough to drown numpy's overhead, few enough for the cache


class Studio(NamedTuple):
    """One scene's geometry; vectors are [3, 1], of length 1 except `eye`.

    - solid: what stands in it.
    - eye: where the camera is.
    - right, upward, forward: of the camera.
    - up: of the world.
    - back: away from the camera along the floor.
    - light: towards the lamp.
    - floor: its depth below the solid's origin.
    - zoom: tangent of the angle from the middle to the edge of the frame.
    - place: of the solid's origin in the frame, in half short sides.
    """

    solid: Solid
    eye: Array
    right: Array
    upward: Array
    forward: Array
    up: Array
    back: Array
    light: Array
    floor: float
    zoom: float
    place: tuple[float, float]


def studio_of(structure: Structure, i: int) -> Studio:
    """The studio of the i-th structure."""
    form = FORM_TABLE[FORMS[structure.form[i]]]
    shape = structure.shape[i].tolist()
    elevation = structure.elevation[i]
    cos, sin = sine(elevation + np.float32(0.25)), sine(elevation)
    # The rows of the pose are the world's axes as the solid sees them: right, away from the viewer, up.
    right, back, up = structure.rotation[i][:, :, None]
    x, y, z = structure.light[i]
    forward = back * cos - up * sin
    return Studio(
        solid=Solid(lambda p: form.distance(p, shape), form.trust, structure.reach[i][:, None]),
        eye=forward * np.float32(-EYE),
        right=right,
        upward=back * sin + up * cos,
        forward=forward,
        up=up,
        back=back,
        light=right * x + back * y + up * z,
        floor=float(structure.floor[i]),
        zoom=1.0 / (EYE * float(structure.scale[i])),
        place=(float(structure.place[i, 0]), float(structure.place[i, 1])),
    )


def trace(studio: Studio, height: int, width: int) -> Iterator[tuple[Array, Array, Array, float]]:
    """Blocks of rays [3, N] from the top left, row by row; their depths and covers [N]; a ray's width.

    See `march` for depth and cover. The frame fits the short side.
    """
    short = min(height, width)
    x = (np.arange(width, dtype=np.float32) * 2.0 + (1.0 - width)) * (1.0 / short)
    y = ((height - 1.0) - np.arange(height, dtype=np.float32) * 2.0) * (1.0 / short)
    x, y = (x - studio.place[0]) * studio.zoom, (y - studio.place[1]) * studio.zoom
    pixel = 2.0 * studio.zoom * EYE / short
    num_rows = max(1, _BLOCK // width)
    for top in range(0, height, num_rows):
        rows = y[top : top + num_rows]
        ahead = studio.forward + studio.right * np.tile(x, len(rows)) + studio.upward * np.repeat(rows, width)
        rays = unit(ahead)
        yield rays, *march(studio.solid, studio.eye, rays, pixel), pixel


def floor_points(studio: Studio, rays: Array, wall: float) -> Array:
    """Where rays meet the floor, or the wall `wall` behind the solid if that comes first [3, N]."""
    drop = float(dot(studio.eye, studio.up)[0]) + studio.floor
    to_wall = (wall - float(dot(studio.eye, studio.back)[0])) / dot(rays, studio.back)
    to_floor = drop / np.maximum(-dot(rays, studio.up), 1e-3)
    return np.asarray(studio.eye + rays * np.minimum(to_floor, to_wall))
