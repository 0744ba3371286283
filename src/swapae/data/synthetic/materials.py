"""The solid materials: patterns in three dimensions, so that any form can be carved out of them.

Each takes a `Spot` (where the surface is, in units of the pattern) and returns a `Pattern`: how far from the
ground colour to the figure colour, how much accent on top, how dark the hollows are and how glossy it is.
Colours come later, from the palette. Every pattern is continuous in its parameters, and its edges are as soft
as the spot is wide, so that it neither flickers nor aliases.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from swapae.data.synthetic.noise import Array, cells, fractal, lattice, noise, sine, smoothstep


class Spot(NamedTuple):
    """Surface points in the material's units.

    - p: position [3, N], one period of the pattern a unit.
    - u, v: the same, flat: the two coordinates of the face of a cube that the surface looks through [N].
    - width: size of a pixel there [N].
    - knobs: two numbers in [0, 1], the parameters of the kind.
    """

    p: Array
    u: Array
    v: Array
    width: Array
    knobs: tuple[float, float]


class Pattern(NamedTuple):
    """What a material says about each point [N]: mixtures in [0, 1], and factors on albedo and gloss."""

    figure: Array
    accent: Array | float = 0.0
    shade: Array | float = 1.0
    shine: Array | float = 1.0


def _edge(distance: Array, width: Array) -> Array:
    """1 where `distance` is positive, 0 where negative, a ramp one pixel wide between."""
    return np.minimum(np.maximum(distance / width + 0.5, 0.0), 1.0)


def _band(phase: Array, share: float, width: Array) -> Array:
    """A stripe that fills `share` of every unit of `phase`."""
    return _edge(0.5 * share - np.abs(phase - np.floor(phase) - 0.5), width)


def wood(at: Spot) -> Pattern:
    """Rings about a tilted trunk, slow into summer wood and sharp out of it, and fibres along it."""
    x, y, z = at.p
    z, x = z + 0.35 * x, x - 0.35 * z
    bend = noise(at.p * 0.45) * (0.5 + 0.5 * at.knobs[0])
    radius = np.sqrt((x + 0.9) * (x + 0.9) + y * y) * (1.2 + 0.4 * at.knobs[1]) + bend + 0.08 * z
    phase = radius - np.floor(radius)
    soft = np.minimum(at.width * 2.0 + 0.1, 0.5)
    ring = phase * phase * np.minimum((1.0 - phase) / soft, 1.0)
    fibre = noise(np.stack([x * 5.0, y * 5.0, z * 0.6]))
    return Pattern(np.minimum(ring * 1.25, 1.0), 0.15 + 0.12 * fibre, 1.0 + 0.12 * fibre)


def marble(at: Spot) -> Pattern:
    """Veins where a folded noise crosses zero, thick ones and hair-fine ones."""
    warp = fractal(at.p * 0.7, 4)
    main = np.abs(sine((at.p[0] * 0.25 + at.p[2] * 0.35) + warp * (0.28 + 0.2 * at.knobs[0])))
    fine = np.abs(fractal(at.p * 1.1 + 7.3, 3))
    vein = 1.0 - smoothstep(0.0, 0.38, main)
    hair = 1.0 - smoothstep(0.0, 0.10, fine)
    cloud = smoothstep(-0.6, 0.9, warp)
    return Pattern(np.maximum(vein * vein, (0.3 + 0.5 * at.knobs[1]) * hair), 0.22 * cloud)


def brick(at: Spot) -> Pattern:
    """Courses of bricks, each its own tone, laid in pale mortar."""
    v = at.v * 1.2
    row = np.floor(v)
    u = at.u * 0.6 + 0.5 * (row - 2.0 * np.floor(row * 0.5))
    column = np.floor(u)
    side = np.minimum(1.0 - np.abs(u - column - 0.5) * 2.0, 0.5 - np.abs(v - row - 0.5))
    wall = _edge(side - 0.06 - 0.05 * at.knobs[0], at.width * 1.2)
    tone = lattice(column, row)
    grit = 1.0 + 0.1 * noise(at.p * 4.0)
    return Pattern((0.6 + 0.4 * at.knobs[1]) * tone * tone, 1.0 - wall, grit, 0.3 + 0.7 * wall)


def cloth(at: Spot) -> Pattern:
    """Plain weave: warp and weft pass over each other by turns, round across and dipping at their ends."""
    u, v = at.u * 1.6, at.v * 1.6
    cu, cv = np.floor(u), np.floor(v)
    is_weft = cu + cv - 2.0 * np.floor((cu + cv) * 0.5)
    fu, fv = u - cu - 0.5, v - cv - 0.5
    across = fv + is_weft * (fu - fv)
    along = fu + fv - across
    height = 1.0 - 4.4 * across * across - 2.0 * along * along * (0.6 + 0.4 * at.knobs[0])
    shade = 0.25 + 0.75 * np.maximum(height, 0.0) + 0.07 * sine(across * 2.5 + along * 0.8)
    return Pattern((0.1 + 0.2 * at.knobs[1]) * is_weft, 0.0, shade, 0.3)


def stripes(at: Spot) -> Pattern:
    """Straight bands on a slant, a thin accent line in each."""
    slant = 0.3 + 0.5 * at.knobs[0]
    phase = at.p[2] * 0.8 + slant * (at.p[0] + 0.4 * at.p[1])
    line = _band(phase + 0.5, 0.14, at.width)
    return Pattern(_band(phase, 0.4 + 0.2 * at.knobs[1], at.width), line)


def dots(at: Spot) -> Pattern:
    """Polka dots in staggered rows, every other row in the accent colour."""
    v = at.v * 1.25
    row = np.floor(v)
    odd = row - 2.0 * np.floor(row * 0.5)
    u = at.u * 1.1 + 0.5 * odd
    fu, fv = u - np.floor(u) - 0.5, (v - row - 0.5) * 0.9
    disc = _edge(0.26 + 0.1 * at.knobs[0] - np.sqrt(fu * fu + fv * fv), at.width * 1.2)
    return Pattern(disc * (1.0 - odd), disc * odd)


def checker(at: Spot) -> Pattern:
    """Squares of two colours in turn; flat, since a face may lie just between two layers of cubes."""
    size = 0.5 + 0.2 * at.knobs[0]
    u, v = at.u * size, at.v * size
    across, along = (np.abs(x - np.floor(x) - 0.5) * 2.0 - 0.5 for x in (u, v))
    return Pattern(0.5 + 2.0 * (_edge(across, at.width * 1.2) - 0.5) * (_edge(along, at.width * 1.2) - 0.5))


def granite(at: Spot) -> Pattern:
    """Crystals of three colours, fine and sharp."""
    grain = fractal(at.p * 2.4, 2)
    other = noise(at.p * 3.1 + 17.0)
    level = 0.25 * (at.knobs[0] - 0.5)
    return Pattern(smoothstep(0.0, 0.25, grain - level), smoothstep(0.1 + 0.3 * at.knobs[1], 0.5, other))


def terrazzo(at: Spot) -> Pattern:
    """Chips of figure and accent colour strewn in the ground."""
    first, second, number = cells(at.p * 1.15)
    size = 0.05 + 0.06 * at.knobs[0]
    chip = _edge(second - first - size, at.width * 2.0) * _edge(0.42 + 0.2 * number - first, at.width * 1.2)
    is_figure = _edge(number - 0.5, at.width * 0.0 + 0.01)
    shown = chip * _edge(0.8 - np.abs(number - 0.5) * 1.9, at.width * 0.0 + 0.01)
    return Pattern(shown * is_figure, shown * (1.0 - is_figure))


def leopard(at: Spot) -> Pattern:
    """Rosettes: broken dark rings about an accent heart."""
    p = at.p * 1.25
    ragged = noise(p * 2.2)
    first, _, _ = cells(p, 0.6)
    radius = first + 0.10 * ragged
    size = 0.34 + 0.06 * at.knobs[0]
    ring = _edge(0.10 - np.abs(radius - size) + 0.05 * noise(p * 1.7 + 9.0), at.width * 1.5)
    heart = _edge(size - radius, at.width * 1.5)
    return Pattern(ring, 0.75 * heart * (1.0 - ring))


def zebra(at: Spot) -> Pattern:
    """Stripes that wander, swell and fork."""
    warp = noise(at.p * 0.7) * (0.55 + 0.3 * at.knobs[0])
    phase = sine(at.p[2] * 0.95 + at.p[0] * 0.3 + warp)
    return Pattern(_edge(phase * 0.15 + 0.05 * noise(at.p * 1.2 + 4.0), at.width))


def tartan(at: Spot) -> Pattern:
    """A sett of broad and narrow bands, the same both ways, crossing half transparent in twill."""
    u, v = at.u * 0.62, at.v * 0.62
    broad = 0.5 * (_band(u, 0.5, at.width) + _band(v, 0.5, at.width))
    lines = _band(u + 0.5, 0.09, at.width) + _band(v + 0.5, 0.09, at.width)
    thin = _band(u * 2.0 + 0.25, 0.08, at.width) + _band(v * 2.0 + 0.25, 0.08, at.width)
    return Pattern(np.minimum(broad + 0.12 * thin, 1.0), np.minimum(0.8 * lines, 1.0), 1.0, 0.4)


def waves(at: Spot) -> Pattern:
    """Rolling water: sine-bent bands that shade from crest to trough, foam on the crest."""
    bend = sine(at.u * 0.8) * (0.16 + 0.1 * at.knobs[0])
    phase = at.v * 1.0 + bend
    t = phase - np.floor(phase)
    foam = _edge(0.09 - np.abs(t - 0.09), at.width)
    return Pattern(np.minimum(t * np.minimum((1.0 - t) / (at.width + 0.05), 1.0) * 1.1, 1.0), foam)


def honeycomb(at: Spot) -> Pattern:
    """Hexagonal tiles from ground to accent colour, figure in the joints."""
    u, v = at.u * 1.35, at.v * 1.35
    low = 1.7320508
    au, av = u - np.floor(u) - 0.5, v - np.floor(v / low) * low - 0.5 * low
    bu, bv = u - 0.5 - np.floor(u - 0.5) - 0.5, v - 0.5 * low - np.floor(v / low - 0.5) * low - 0.5 * low
    is_first = au * au + av * av < bu * bu + bv * bv
    fu, fv = np.where(is_first, au, bu), np.where(is_first, av, bv)
    side = 0.5 - np.maximum(np.abs(fu) * 0.5 + np.abs(fv) * 0.8660254, np.abs(fu))
    tone = lattice(np.floor((u - fu) * 2.0 + 0.5), np.floor((v - fv) * (2.0 / low) + 0.5))
    joint = _edge(0.06 + 0.04 * at.knobs[0] - side, at.width * 1.35)
    return Pattern(joint, 0.95 * tone * tone * (1.0 - joint), 0.8 + 0.2 * smoothstep(0.0, 0.25, side))


def scales(at: Spot) -> Pattern:
    """Rows of round scales, each lapping over the row below, dark at the root and rimmed."""
    u, v = at.u * 1.1, at.v * 1.6
    row = np.floor(v)
    depth, rim, bare = np.zeros_like(u), np.zeros_like(u), np.ones_like(u)
    for step in (1.0, 0.0, -1.0):  # the row whose centres lie highest hangs over the ones below
        r = row + step
        shift = u + 0.5 * (r - 2.0 * np.floor(r * 0.5))
        fu, fv = shift - np.floor(shift) - 0.5, (v - r - 0.5) * 0.62
        radius = np.sqrt(fu * fu + fv * fv)
        inside = _edge(0.64 - radius, at.width * 1.2) * bare
        depth += inside * np.minimum(radius * 1.6, 1.0)
        rim += inside * _edge(radius - 0.55, at.width * 1.2)
        bare = bare - inside
    figure = (1.0 - depth) * (0.8 + 0.4 * at.knobs[0])
    return Pattern(np.minimum(figure, 1.0), rim, 0.6 + 0.4 * depth)


def camouflage(at: Spot) -> Pattern:
    """Overlapping blots of three colours."""
    one = noise(at.p * 0.75) + 0.25 * noise(at.p * 1.9)
    two = noise(at.p * 0.8 + 11.0) + 0.25 * noise(at.p * 2.0 + 5.0)
    level = 0.1 * (at.knobs[0] - 0.5)
    return Pattern(_edge((one - level) * 0.5, at.width), _edge((two - 0.18) * 0.5, at.width))


def rust(at: Spot) -> Pattern:
    """Glossy paint eaten away by patches of rough, two-toned rust."""
    patch = fractal(at.p * 0.55, 4)
    rough = fractal(at.p * 2.2 + 3.0, 2)
    eaten = smoothstep(-0.02, 0.1, patch + 0.25 * (at.knobs[0] - 0.5))
    return Pattern(eaten, eaten * smoothstep(-0.3, 0.7, rough), 1.0 + 0.18 * eaten * rough, 1.0 - 0.9 * eaten)


def crackle(at: Spot) -> Pattern:
    """A glaze crazed into plates, each a little off in tone."""
    p = at.p * 0.85 + 0.12 * noise(at.p * 1.5)
    first, second, number = cells(p, 0.95)
    crack = 1.0 - _edge(second - first - 0.07 - 0.05 * at.knobs[0], at.width * 1.7)
    return Pattern(crack, 0.45 * number * (1.0 - crack), 1.0, 1.0 - 0.8 * crack)


def lacquer(at: Spot) -> Pattern:
    """Plain paint with a slow drift of colour, as glossy as can be."""
    drift = smoothstep(-0.9, 0.9, noise(at.p * 0.22))
    return Pattern(0.25 * drift * at.knobs[0], 0.15 * (1.0 - drift))


class Material(NamedTuple):
    """A pattern, its range of gloss, and the colours it has in nature (OKLCH: lightness, chroma, degrees)."""

    pattern: Callable[[Spot], Pattern]
    gloss: tuple[float, float]
    nature: tuple[tuple[float, float, float], ...] | None = None


MATERIAL_TABLE: dict[str, Material] = {
    "wood": Material(wood, (0.2, 0.6), ((0.74, 0.09, 70), (0.42, 0.08, 50), (0.58, 0.11, 60))),
    "marble": Material(marble, (0.6, 1.0), ((0.93, 0.01, 80), (0.35, 0.03, 250), (0.76, 0.04, 70))),
    "brick": Material(brick, (0.0, 0.2), ((0.52, 0.13, 35), (0.40, 0.09, 30), (0.80, 0.02, 80))),
    "cloth": Material(cloth, (0.0, 0.2)),
    "stripes": Material(stripes, (0.1, 0.7)),
    "dots": Material(dots, (0.1, 0.8)),
    "checker": Material(checker, (0.2, 0.9)),
    "granite": Material(granite, (0.3, 0.8), ((0.72, 0.02, 40), (0.30, 0.02, 270), (0.88, 0.02, 60))),
    "terrazzo": Material(terrazzo, (0.4, 0.9)),
    "leopard": Material(leopard, (0.0, 0.3), ((0.80, 0.10, 75), (0.25, 0.03, 50), (0.58, 0.12, 60))),
    "zebra": Material(zebra, (0.0, 0.4), ((0.94, 0.01, 90), (0.20, 0.01, 280), (0.50, 0.02, 60))),
    "tartan": Material(tartan, (0.0, 0.1)),
    "waves": Material(waves, (0.3, 0.9)),
    "honeycomb": Material(honeycomb, (0.3, 0.9)),
    "scales": Material(scales, (0.3, 0.9)),
    "camouflage": Material(camouflage, (0.0, 0.2), ((0.60, 0.07, 120), (0.36, 0.05, 140), (0.72, 0.06, 90))),
    "rust": Material(rust, (0.4, 0.9), ((0.60, 0.10, 220), (0.40, 0.10, 42), (0.60, 0.14, 55))),
    "crackle": Material(crackle, (0.5, 1.0)),
    "lacquer": Material(lacquer, (0.8, 1.0)),
}
MATERIALS = tuple(MATERIAL_TABLE)
HELD_OUT_MATERIALS = ("brick", "leopard", "waves")  # never in training: the benchmark's harder split
