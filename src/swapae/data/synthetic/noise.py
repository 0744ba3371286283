"""Noise on a lattice, and a sine, out of exactly rounded arithmetic.

Everything the synthetic domain computes per pixel uses only + - * / sqrt, floor, minimum and maximum, which
IEEE 754 rounds one way. So an image has the same bytes alone or in a batch, and on every machine; library
sines and powers, which differ in the last bit between processors, are kept out.

Points are arrays [3, N]: a row for each of x, y, z.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]  # float32 for pixels, float64 for draws
_Index = npt.NDArray[np.int32]

_SIDE = 32  # the lattice repeats after this many cells, more than a solid ever spans
_TABLE_KEY = 0x5A  # any constant; changing it changes every picture


def uniforms(key: tuple[int, int], count: int) -> Array:
    """`count` numbers in [0, 1) from Philox under a key of two 64-bit words [count]."""
    raw = np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(count)
    return np.asarray((raw >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high`, a cubic between; `low` > `high` turns it round."""
    t = np.minimum(np.maximum((x - low) * (1.0 / (high - low)), 0.0), 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def sine(turns: Array) -> Array:
    """sin(2π · turns), odd polynomial of degree 11 on a quarter turn (error below 1e-6)."""
    r = turns - np.floor(turns + 0.5)
    r = np.minimum(np.maximum(r, -0.5 - r), 0.5 - r)  # fold onto [-1/4, 1/4]
    x = r * 6.283185307179586
    s = x * x
    series = 1.0 + s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5040 + s * (1 / 362880 - s * (1 / 39916800)))))
    return np.asarray(x * series)


@cache
def _tables() -> Array:
    """Random values on the lattice [6, 32³]: unit gradients (rows 0-2) and uniforms (rows 3-5)."""
    u = uniforms((_TABLE_KEY, 0), 5 * _SIDE**3).reshape(5, -1)
    z = 2.0 * u[0] - 1.0
    flat = np.sqrt(1.0 - z * z)
    gradient = np.stack([flat * sine(u[1] + 0.25), flat * sine(u[1]), z])
    return np.concatenate([gradient, u[2:]]).astype(np.float32)


def _corners(cell: Array) -> tuple[list[_Index], list[_Index], list[_Index]]:
    """Table offsets of the cells at -1, 0 and +1 along each axis, for summing into one index."""
    whole = cell.astype(np.int32)
    axes: list[list[_Index]] = []
    for axis, stride in enumerate((1, _SIDE, _SIDE * _SIDE)):
        axes.append([((whole[axis] + step) & (_SIDE - 1)) * np.int32(stride) for step in (-1, 0, 1)])
    return axes[0], axes[1], axes[2]


def lattice(x: Array, y: Array) -> Array:
    """A uniform number in [0, 1) for each integer cell (x, y) [N]."""
    index = (x.astype(np.int32) & (_SIDE - 1)) + (y.astype(np.int32) & (_SIDE - 1)) * np.int32(_SIDE)
    return np.asarray(_tables()[3].take(index))


def noise(p: Array) -> Array:
    """Gradient noise, about [-1, 1], one feature a unit [N] (Perlin, 'Improving noise', 2002)."""
    gx, gy, gz = _tables()[:3]
    cell = np.floor(p)
    f = p - cell
    w = f * f * f * (f * (f * 6.0 - 15.0) + 10.0)
    xs, ys, zs = _corners(cell)
    f1 = f - 1.0
    layers = []
    for z, fz in ((zs[1], f[2]), (zs[2], f1[2])):
        rows = []
        for y, fy in ((ys[1], f[1]), (ys[2], f1[1])):
            base = y + z
            i, j = base + xs[1], base + xs[2]
            left = gx.take(i) * f[0] + gy.take(i) * fy + gz.take(i) * fz
            right = gx.take(j) * f1[0] + gy.take(j) * fy + gz.take(j) * fz
            rows.append(left + w[0] * (right - left))
        layers.append(rows[0] + w[1] * (rows[1] - rows[0]))
    return np.asarray((layers[0] + w[2] * (layers[1] - layers[0])) * 1.5)


def fractal(p: Array, octaves: int) -> Array:
    """Sum of `octaves` noises, each twice as fine and half as strong, about [-1, 1] [N]."""
    total = noise(p)
    for octave in range(1, octaves):
        # The odd shift keeps the lattices of two octaves from lining up at the origin.
        total = total + noise(p * 2.0**octave + 5.37 * octave) * 0.5**octave
    return total


def cells(p: Array, jitter: float = 0.9) -> tuple[Array, Array, Array]:
    """Distances to the nearest and second nearest scattered point, and the nearest's number in [0, 1).

    One point a unit cell, `jitter` of the way from a regular grid to a random one (Worley, 'A cellular
    texture basis function', 1996).
    """
    jx, jy, jz = _tables()[3:]
    cell = np.floor(p)
    f = p - cell - (0.5 - 0.5 * jitter)
    xs, ys, zs = _corners(cell)
    first = np.full(p.shape[1], 9.0, dtype=np.float32)
    second, identity = first.copy(), np.zeros(p.shape[1], dtype=np.int32)
    for dz, z in zip((-1, 0, 1), zs, strict=True):
        for dy, y in zip((-1, 0, 1), ys, strict=True):
            for dx, x in zip((-1, 0, 1), xs, strict=True):
                index = x + y + z
                a = jx.take(index) * jitter + (dx - f[0])
                b = jy.take(index) * jitter + (dy - f[1])
                c = jz.take(index) * jitter + (dz - f[2])
                square = a * a + b * b + c * c
                second = np.minimum(second, np.maximum(first, square))
                np.copyto(identity, index, where=square < first)
                first = np.minimum(first, square)
    # A second row of the table, so that the number says nothing about where the point lies.
    number = jx.take((identity * np.int32(7) + np.int32(13)) & np.int32(_SIDE**3 - 1))
    return np.sqrt(first), np.sqrt(second), number
