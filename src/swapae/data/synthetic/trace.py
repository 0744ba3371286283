"""Sphere tracing: where rays meet a solid, how it faces, what it shades.

All in the solid's own frame: it stands still inside the unit sphere, and eye, light and floor turn round it.
After Hart, 'Sphere tracing' (1996); soft shadows and ambient occlusion after Quilez (2010).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swapae.data.synthetic.noise import Array, smoothstep

Distance = Callable[[Array], Array]
Mask = npt.NDArray[np.bool_]

_MAX_STEPS = 56
_SHADOW_STEPS = 14


class Solid(NamedTuple):
    """A form with its proportions.

    - distance: signed distance [N] of points [3, N].
    - trust: share of the distance that a step may take.
    - reach: half sides of the box about 0 that holds it [3, 1].
    """

    distance: Distance
    trust: float
    reach: Array


def dot(a: Array, b: Array) -> Array:
    """Inner product of points [3, N] or [3, 1], row by row so that the order of the sum is fixed [N]."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def unit(a: Array) -> Array:
    """Points [3, N] at length 1."""
    return np.asarray(a / np.sqrt(np.maximum(dot(a, a), 1e-12)))


def box_span(origin: Array, ray: Array, reach: Array) -> tuple[Array, Array, Mask]:
    """Where rays [3, N] enter and leave the box of half sides `reach` [3, 1], and whether it lies ahead."""
    slope = 1.0 / np.where(np.abs(ray) < 1e-6, np.float32(1e-6), ray)
    middle, half = -origin * slope, np.abs(reach * slope)
    enter, leave = middle - half, middle + half
    near = np.maximum(np.maximum(np.maximum(enter[0], enter[1]), enter[2]), 0.0)
    far = np.minimum(np.minimum(leave[0], leave[1]), leave[2])
    return near, far, near < far


def march(solid: Solid, origin: Array, ray: Array, pixel: float) -> tuple[Array, Array]:
    """Depth along each ray where it meets the solid or passes it closest, and how much of it is covered [N].

    `origin` is [3, 1], `ray` unit vectors [3, N], `pixel` the width of a ray at the solid. A ray that enters
    the solid is covered wholly (1), one that passes within a pixel partly, any other not at all (0).
    """
    depth, end, meets = box_span(origin, ray, solid.reach + np.float32(pixel))
    cover = np.zeros_like(depth)
    alive = np.flatnonzero(meets)
    d = ray[:, alive]
    t, end = depth[alive], end[alive]
    nearest, place = np.full_like(t, pixel), t
    for step in range(_MAX_STEPS):
        gap = solid.distance(origin + d * t)
        place = np.where(gap < nearest, t, place)
        nearest = np.minimum(nearest, gap)
        t = t + gap * solid.trust
        is_done = (gap < pixel * 0.1) | (t > end)
        if step % 2 and is_done.any():  # finished rays creep on harmlessly until they are swept out
            depth[alive], cover[alive] = place, nearest
            keep = np.flatnonzero(~is_done)
            alive, d, t, end = alive[keep], d[:, keep], t[keep], end[keep]
            nearest, place = nearest[keep], place[keep]
            if not len(alive):
                break
    depth[alive], cover[alive] = place, nearest
    cover[meets] = 1.0 - np.minimum(np.maximum(cover[meets] * (1.0 / (0.9 * pixel)) - 0.111, 0.0), 1.0)
    return depth, cover


def normals(solid: Solid, p: Array, reach: float) -> Array:
    """Outward unit normals at surface points [3, N]; `reach` rounds edges narrower than it."""
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        sign = np.array(corner, dtype=np.float32)[:, None]
        total += sign * solid.distance(p + sign * np.float32(reach))
    return unit(total)


def shadow(solid: Solid, p: Array, light: Array, softness: float) -> Array:
    """Share of the light [3, 1] that reaches points [3, N]: 1 in full light, 0 in full shade.

    The solid counts as a fog that is dense within and thins out over a border that widens with distance, as
    the penumbra of a broad lamp does; a sum over even steps, so smooth where a minimum would show rings.
    """
    near, far, meets = box_span(p, light, solid.reach + np.float32(0.2))
    lit = np.ones(p.shape[1], dtype=np.float32)
    alive = np.flatnonzero(meets)
    o, start = p[:, alive], np.maximum(near[alive], 0.02)
    step = (far[alive] - start) * (1.0 / _SHADOW_STEPS)
    fog = np.zeros_like(step)
    for k in range(_SHADOW_STEPS):
        t = start + step * (k + 0.5)
        border = softness * (t + 0.1)
        fog += np.minimum(np.maximum(0.5 * border - solid.distance(o + light * t), 0.0), border) / border
    lit[alive] = 1.0 - smoothstep(0.0, 0.3, fog * step)
    return lit


def occlusion(solid: Solid, p: Array, normal: Array, reach: float) -> Array:
    """Share of the sky that points [3, N] see: 1 in the open, towards 0 in hollows and at contacts."""
    hidden = np.zeros(p.shape[1], dtype=np.float32)
    for share, weight in ((0.25, 0.5), (0.6, 0.3), (1.0, 0.2)):
        out = share * reach
        hidden += weight * np.maximum(out - solid.distance(p + normal * np.float32(out)), 0.0) * (1.0 / out)
    return np.asarray(1.0 - np.minimum(hidden, 1.0))


def surface(solid: Solid) -> Array:
    """Points all over a solid's surface, tips and edges among them [3, N].

    A lattice through the bounding cube; what lies near the surface is drawn onto it by Newton's method, which
    from outside a corner leads to that very corner. The solid's reach is not used.
    """
    steps = np.linspace(-1.05, 1.05, 17, dtype=np.float32)
    p = np.stack([np.repeat(steps, 289), np.tile(np.repeat(steps, 17), 17), np.tile(steps, 289)])
    gap = solid.distance(p)
    near = np.flatnonzero(np.abs(gap) < 0.13)
    p, gap = p[:, near], gap[near]
    for _ in range(2):
        p = p - normals(solid, p, 0.01) * (gap * solid.trust)
        gap = solid.distance(p)
    return p[:, np.flatnonzero(np.abs(gap) < 0.02)]
