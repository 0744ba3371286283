"""Drawing scenes: a pure function of (seed, index), whatever else is in the batch."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from swapae.data.synthetic.forms import FORM_TABLE, FORMS, HELD_OUT_FORMS
from swapae.data.synthetic.materials import HELD_OUT_MATERIALS, MATERIAL_TABLE, MATERIALS
from swapae.data.synthetic.noise import Array, sine, uniforms
from swapae.data.synthetic.palette import harmonious, natural, polar
from swapae.data.synthetic.scene import Kinds, Scene, Structure, Texture
from swapae.data.synthetic.studio import EYE
from swapae.data.synthetic.trace import Solid, dot, surface

Split = Literal["seen", "held_out", "all"]

_NUM_DRAWS = 32  # for each half of a scene; unused ones are room to grow without moving the others


def sample_scenes(
    seed: int,
    indices: Sequence[int],
    split: Split = "seen",
    forms: Sequence[str] | None = None,
    materials: Sequence[str] | None = None,
) -> Scene:
    """The scenes with these indices in the endless sequence `seed`.

    Args:
        seed: names the sequence, 0 ≤ seed < 2⁶⁴.
        indices: places in the sequence, any order, repeats allowed, each 0 ≤ index < 2⁶⁴.
        split: "seen" leaves out the held-out forms and materials (what training draws), "held_out" has only
            them, "all" has every kind.
        forms: names from `FORMS` to draw from instead of the split's.
        materials: names from `MATERIALS` to draw from instead of the split's.

    Raises:
        ValueError: a form or material of no known name.
    """
    draws = np.stack([uniforms((seed, int(index)), 2 * _NUM_DRAWS) for index in indices])
    first, second = draws[:, :_NUM_DRAWS], draws[:, _NUM_DRAWS:]
    form = _pick(first[:, 0], forms or allowed(FORMS, HELD_OUT_FORMS, split), FORMS)
    material = _pick(second[:, 0], materials or allowed(MATERIALS, HELD_OUT_MATERIALS, split), MATERIALS)
    return Scene(_structure(form, first[:, 1:]), _texture(material, second[:, 1:]))


def allowed(names: Sequence[str], held_out: Sequence[str], split: Split) -> tuple[str, ...]:
    """The kinds that a split draws from."""
    if split == "all":
        return tuple(names)
    return tuple(name for name in names if (name in held_out) == (split == "held_out"))


def _pick(u: Array, names: Sequence[str], table: tuple[str, ...]) -> Kinds:
    if unknown := sorted(set(names) - set(table)):
        raise ValueError(f"there is no {unknown[0]!r} among {', '.join(table)}")
    places = np.array([table.index(name) for name in names], dtype=np.int64)
    return places[np.floor(u * len(places)).astype(np.int64)]


def _between(u: Array, low: float, high: float) -> Array:
    return low + (high - low) * u


def _structure(form: Kinds, u: Array) -> Structure:
    shape = u[:, 0:3].astype(np.float32)
    rotation = np.stack([_pose(FORMS[kind], row) for kind, row in zip(form, u[:, 4:7], strict=True)])
    azimuth = np.where(u[:, 7] < 0.5, -1.0, 1.0) * _between(u[:, 8], 0.04, 0.2)  # from the viewer, turns
    height = _between(u[:, 9], 0.1, 0.17)
    flat = sine(height + 0.25)
    light = np.stack([flat * sine(azimuth), -flat * sine(azimuth + 0.25), sine(height)], axis=1)
    elevation = _between(u[:, 10], 0.03, 0.09).astype(np.float32)
    rows = zip(form, shape, rotation, elevation, u[:, 11:14], strict=True)
    placed = [_place(FORMS[kind], *row) for kind, *row in rows]
    scale, place, floor, reach = (np.array(part, dtype=np.float32) for part in zip(*placed, strict=True))
    return Structure(form, shape, rotation, scale, place, elevation, light.astype(np.float32), floor, reach)


def _place(
    name: str, shape: Array, rotation: Array, elevation: Array, u: Array
) -> tuple[float, list[float], float, list[float]]:
    """Scale, place, floor and reach: the solid spans 62 to 86 % of the frame and stands on the floor."""
    form, numbers = FORM_TABLE[name], shape.tolist()
    p = surface(Solid(lambda q: form.distance(q, numbers), form.trust, np.ones((3, 1), np.float32)))
    cos, sin = sine(elevation + np.float32(0.25)), sine(elevation)
    right, back, up = rotation
    far = dot(p, back * cos - up * sin) * (1.0 / EYE) + 1.0
    x, y = dot(p, right) / far, dot(p, back * sin + up * cos) / far
    span = _between(u[0:1], 0.62, 0.86).item()
    scale = 2.0 * span / max(float(x.max() - x.min()), float(y.max() - y.min()))
    middle = np.array([x.max() + x.min(), y.max() + y.min()]) * 0.5
    place = 1.2 * (u[1:3] - 0.5) * (0.96 - span) - middle * scale
    return scale, place.tolist(), -float(dot(p, up).min()), (np.abs(p).max(axis=1) + 0.02).tolist()


def _turn(axis: int, turns: float) -> Array:
    """Rotation about a coordinate axis [3, 3]."""
    c, s = float(sine(np.array(turns + 0.25))), float(sine(np.array(turns)))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


def _pose(name: str, u: Array) -> Array:
    """Spin about the form's axis, lean it towards the viewer, then tilt it some way in any direction."""
    form = FORM_TABLE[name]
    spin, lean = _turn(2, float(u[0])), _turn(0, form.lean / 360.0)
    heading, tilt = float(u[1]), float(u[2]) * form.spread / 360.0
    tilted = _product(_turn(2, heading), _turn(0, tilt), _turn(2, -heading))
    return _product(tilted, lean, spin).astype(np.float32)


def _product(*matrices: Array) -> Array:
    """Matrix product with sums in a fixed order, which a linear algebra library does not promise."""
    result = matrices[0]
    for m in matrices[1:]:
        result = result[:, 0:1] * m[0:1] + result[:, 1:2] * m[1:2] + result[:, 2:3] * m[2:3]
    return result


def _texture(material: Kinds, u: Array) -> Texture:
    gloss = np.array([MATERIAL_TABLE[MATERIALS[kind]].gloss for kind in material])
    palette = _palette(material, u[:, 4:12])
    return Texture(
        material=material,
        knobs=u[:, 0:2].astype(np.float32),
        frequency=_between(u[:, 12], 2.3, 3.6).astype(np.float32),
        origin=(u[:, 13:16] * 16.0).astype(np.float32),
        palette=palette.astype(np.float32),
        gloss=(gloss[:, 0] + (gloss[:, 1] - gloss[:, 0]) * u[:, 16]).astype(np.float32),
        light=_light(u[:, 17:19]).astype(np.float32),
        backdrop=_backdrop(palette, u[:, 19:25]).astype(np.float32),
    )


def _palette(material: Kinds, u: Array) -> Array:
    """Half of the materials that have natural colours wear them, all else harmonious ones [B, 3, 3]."""
    result = harmonious(u[:, 1:8])
    for row, kind in enumerate(material):
        nature = MATERIAL_TABLE[MATERIALS[kind]].nature
        if nature is not None and u[row, 0] < 0.5:
            result[row] = natural(np.array([nature]), u[row : row + 1, 1:8])[0]
    return result


def _light(u: Array) -> Array:
    """From candle to overcast, seldom far from white [B, 3]."""
    warmth = 2.0 * u[:, 0] - 1.0
    hue = np.where(warmth > 0, 0.19, 0.68) + 0.06 * u[:, 1]
    return polar(np.full(len(u), 0.97), np.abs(warmth) * 0.06, hue)


def _backdrop(palette: Array, u: Array) -> Array:
    """Wall and floor [B, 2, 3]: one quiet hue in two tones, away from the ground colour's lightness."""
    light = np.where(palette[:, 0, 0] > 0.6, _between(u[:, 0], 0.42, 0.68), _between(u[:, 0], 0.74, 0.92))
    chroma = 0.015 + 0.075 * u[:, 1]
    wall = polar(light + 0.12 * (u[:, 3] - 0.5), chroma, u[:, 2])
    floor = polar(light, chroma * 0.9, u[:, 2] + 0.1 * (u[:, 4] - 0.5))
    return np.stack([wall, floor], axis=1)
