"""The solids: signed distance functions inside the unit sphere.

Each takes points p [3, N] and shape numbers s in [0, 1] (three, of which it uses what it needs) and returns
distances [N], negative inside. z is the form's own axis. Exact distances after Inigo Quilez, 'Distance
functions' (2008); where a form bends space, its row in `FORMS` says how far a step can be trusted.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from swapae.data.synthetic.noise import Array, sine

Shape = Sequence[float]


def _length(*parts: Array) -> Array:
    square = parts[0] * parts[0]
    for part in parts[1:]:
        square = square + part * part
    return np.sqrt(square)


def _corner(*parts: Array) -> Array:
    """Distance to the corner where half-spaces meet: outside by length, inside by the nearest face."""
    inside = parts[0]
    for part in parts[1:]:
        inside = np.maximum(inside, part)
    return _length(*[np.maximum(part, 0.0) for part in parts]) + np.minimum(inside, 0.0)


def _smooth_union(a: Array, b: Array, width: float) -> Array:
    h = np.maximum(width - np.abs(a - b), 0.0)
    return np.asarray(np.minimum(a, b) - h * h * (0.25 / width))


def _reflect(x: Array, y: Array, nx: float, ny: float) -> tuple[Array, Array]:
    """Fold the plane so that nothing lies on the far side of the line with normal (nx, ny)."""
    over = 2.0 * np.maximum(nx * x + ny * y, 0.0)
    return x - over * nx, y - over * ny


def _prism(outline: Array, z: Array, half_height: float, rounding: float) -> Array:
    return _corner(outline + rounding, np.abs(z) - (half_height - rounding)) - rounding


def sphere(p: Array, s: Shape) -> Array:
    return _length(p[0], p[1], p[2]) - 0.92


def ellipsoid(p: Array, s: Shape) -> Array:
    a, b, c = 0.98, 0.62 + 0.2 * s[0], 0.48 + 0.14 * s[1]
    x, y, z = p[0] / a, p[1] / b, p[2] / c
    k = _length(x, y, z)
    slope = _length(x / a, y / b, z / c)
    return np.asarray(k * (k - 1.0) / np.maximum(slope, 1e-4))


def box(p: Array, s: Shape) -> Array:
    a, b, c = 0.56 + 0.06 * s[0], 0.5 + 0.1 * s[1], 0.46 + 0.14 * s[2]
    q = np.abs(p)
    return _corner(q[0] - (a - 0.04), q[1] - (b - 0.04), q[2] - (c - 0.04)) - 0.04


def cushion(p: Array, s: Shape) -> Array:
    r = 0.3
    a, b, c = 0.74, 0.6 + 0.12 * s[0], 0.36 + 0.12 * s[1]
    q = np.abs(p)
    return _corner(q[0] - (a - r), q[1] - (b - r), q[2] - (c - r)) - r


def cylinder(p: Array, s: Shape) -> Array:
    radius = 0.5 + 0.16 * s[0]
    return _prism(_length(p[0], p[1]) - radius, p[2], 0.62 + 0.1 * s[1], 0.06)


def cone(p: Array, s: Shape) -> Array:
    r, low, high = 0.68 + 0.1 * s[0], -0.58, 0.9
    tall = high - low
    norm = float((r * r + tall * tall) ** 0.5)
    side = (_length(p[0], p[1]) * tall + (p[2] - high) * r) * (1.0 / norm)
    return _corner(side + 0.05, low + 0.05 - p[2]) - 0.05


def capsule(p: Array, s: Shape) -> Array:
    r = 0.4 + 0.12 * s[0]
    return _length(p[0], p[1], np.maximum(np.abs(p[2]) - (0.97 - r), 0.0)) - r


def torus(p: Array, s: Shape) -> Array:
    tube = 0.23 + 0.13 * s[0]
    return _length(_length(p[0], p[1]) - (0.98 - tube), p[2]) - tube


def link(p: Array, s: Shape) -> Array:
    tube, ring = 0.19 + 0.06 * s[0], 0.36 + 0.06 * s[1]
    y = np.maximum(np.abs(p[1]) - (0.97 - tube - ring), 0.0)
    return _length(_length(p[0], y) - ring, p[2]) - tube


def octahedron(p: Array, s: Shape) -> Array:
    q = np.abs(p)
    wide = 1.0 + 0.35 * s[0]
    norm = float((1.0 + 2.0 * wide * wide) ** 0.5)
    return np.asarray(((q[0] + q[1]) * wide + q[2] - 0.92) * (1.0 / norm) - 0.03)


def hex_prism(p: Array, s: Shape) -> Array:
    x, y = np.abs(p[0]), np.abs(p[1])
    outline = np.maximum(x * 0.8660254 + y * 0.5, y) - (0.58 + 0.1 * s[0])
    return _prism(outline, p[2], 0.36 + 0.26 * s[1], 0.05)


def pyramid(p: Array, s: Shape) -> Array:
    half, low, high = 0.62 + 0.06 * s[0], -0.48, 0.72 + 0.2 * s[1]
    tall = high - low
    norm = float((half * half + tall * tall) ** 0.5)
    side = (np.maximum(np.abs(p[0]), np.abs(p[1])) * tall + (p[2] - high) * half) * (1.0 / norm)
    return _corner(side + 0.04, low + 0.04 - p[2]) - 0.04


def twisted_box(p: Array, s: Shape) -> Array:
    turns = p[2] * (0.12 + 0.12 * s[0])
    c, n = sine(turns + 0.25), sine(turns)
    x, y = np.abs(c * p[0] - n * p[1]), np.abs(n * p[0] + c * p[1])
    a = 0.42 + 0.06 * s[1]
    return _corner(x - a, y - a, np.abs(p[2]) - 0.68) - 0.06


def star_prism(p: Array, s: Shape) -> Array:
    """Five points: two folds bring every edge onto one (Quilez, 'star 5')."""
    outer, waist = 0.92, 0.42 + 0.12 * s[0]
    x, y = _reflect(np.abs(p[0]), p[1], 0.809017, -0.587785)
    x, y = _reflect(x, y, -0.809017, -0.587785)
    x = np.abs(x)
    # The edge runs from the tip (0, outer) to the notch, 36 degrees round at the waist's radius.
    ex, ey = waist * 0.587785, waist * 0.809017 - outer
    norm = float((ex * ex + ey * ey) ** 0.5)
    outline = (x * -ey + (y - outer) * ex) * (1.0 / norm)
    return _prism(outline, p[2], 0.24 + 0.16 * s[1], 0.05)


def gear(p: Array, s: Shape) -> Array:
    """Eight teeth: three mirrors leave one sixteenth of the wheel."""
    x, y = np.abs(p[0]), np.abs(p[1])
    x, y = np.maximum(x, y), np.minimum(x, y)
    x, y = _reflect(x, y, -0.382683, 0.923880)
    body = 0.68
    tooth = _corner(np.abs(x - 0.66) - 0.26, np.abs(y) - (0.11 + 0.04 * s[0] + (0.92 - x) * 0.12))
    radius = _length(p[0], p[1])
    outline = np.maximum(np.minimum(radius - body, tooth), 0.2 + 0.12 * s[1] - radius)
    return _prism(outline, p[2], 0.2 + 0.14 * s[2], 0.04)


def vase(p: Array, s: Shape) -> Array:
    """A thrown pot: a wall of constant thickness about a profile that swells and narrows."""
    z, r = p[2], _length(p[0], p[1])
    swell = sine(z * (0.55 + 0.1 * s[0]) - 0.06 + 0.12 * s[1])
    profile = 0.44 - (0.15 + 0.06 * s[2]) * swell + 0.1 * z * z
    shell = np.abs(r - profile + 0.04) - 0.045
    floor = np.maximum(r - profile, z + 0.75)
    return np.asarray(np.maximum(np.minimum(shell, floor), np.abs(z) - 0.84) * 0.9)


def mushroom(p: Array, s: Shape) -> Array:
    r = _length(p[0], p[1])
    wide, tall = 0.78 + 0.1 * s[0], 0.5 + 0.16 * s[1]
    z = (p[2] - 0.14) * (wide / tall)
    cap = (_length(r, z) - wide) * (tall / wide)
    cap = _corner(cap + 0.05, 0.14 + 0.05 - p[2]) - 0.05
    stem = r - (0.2 + 0.08 * s[2] + 0.14 * p[2] * p[2])
    return _smooth_union(cap, _corner(stem, np.abs(p[2] + 0.28) - 0.48), 0.12)


def cross(p: Array, s: Shape) -> Array:
    """Three bars through one another, like a jack."""
    q = np.abs(p)
    arm, reach = 0.15 + 0.08 * s[0], 0.81
    top = np.maximum(np.maximum(q[0], q[1]), q[2])
    low = np.minimum(np.minimum(q[0], q[1]), q[2])
    middle = q[0] + q[1] + q[2] - top - low
    return _corner(top - reach, middle - arm, low - arm) - 0.05


class Form(NamedTuple):
    """A solid and how it likes to stand.

    - distance: signed distance [N] of points [3, N] under three shape numbers.
    - lean: degrees by which its axis leans from upright (0) towards the viewer (90).
    - spread: degrees by which a pose may wander from there; 180 is any pose.
    - trust: share of the distance that a step may take (1 where the distance is exact).
    """

    distance: Callable[[Array, Shape], Array]
    lean: float = 30.0
    spread: float = 180.0
    trust: float = 1.0


FORM_TABLE: dict[str, Form] = {
    "sphere": Form(sphere),
    "ellipsoid": Form(ellipsoid, trust=0.9),
    "box": Form(box),
    "cushion": Form(cushion, lean=45, spread=70),
    "cylinder": Form(cylinder, lean=5, spread=50),
    "cone": Form(cone, lean=0, spread=20),
    "capsule": Form(capsule, lean=0, spread=45),
    "torus": Form(torus, lean=55, spread=45),
    "link": Form(link, lean=65, spread=45),
    "octahedron": Form(octahedron),
    "hex_prism": Form(hex_prism, lean=35, spread=60),
    "pyramid": Form(pyramid, lean=0, spread=20),
    "twisted_box": Form(twisted_box, lean=0, spread=30, trust=0.8),
    "star_prism": Form(star_prism, lean=70, spread=40),
    "gear": Form(gear, lean=65, spread=40, trust=0.9),
    "vase": Form(vase, lean=5, spread=18, trust=0.75),
    "mushroom": Form(mushroom, lean=0, spread=20, trust=0.8),
    "cross": Form(cross),
}
FORMS = tuple(FORM_TABLE)
HELD_OUT_FORMS = ("cone", "link", "gear")  # never in training: the benchmark's harder split
