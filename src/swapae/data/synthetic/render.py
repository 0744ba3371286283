"""From scenes to pictures: a studio with a floor that rounds into a wall, one soft lamp, and the sky."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swapae.data.synthetic.forms import FORM_TABLE, FORMS
from swapae.data.synthetic.materials import MATERIAL_TABLE, MATERIALS, Spot
from swapae.data.synthetic.noise import Array, sine, smoothstep
from swapae.data.synthetic.palette import to_linear
from swapae.data.synthetic.scene import Structure, Texture
from swapae.data.synthetic.trace import Solid, dot, march, normals, occlusion, shadow, unit

Pixels = npt.NDArray[np.uint8]

EYE = 5.5  # distance of the camera from the solid's origin, in units of the solid
_BLOCK = 1 << 14  # rays at a time: what fits a core's cache
_KEY, _SKY, _BOUNCE = 1.2, 0.38, 0.22  # strengths of the lamp, the sky and the light off the floor
_ENCODE_STEPS = 4095


class _Studio(NamedTuple):
    """One scene's geometry in the solid's own frame, vectors as [3, 1]."""

    solid: Solid
    eye: Array
    right: Array
    upward: Array
    forward: Array
    up: Array
    light: Array
    floor: float
    zoom: float  # tangent of the angle from the middle to the edge of the frame
    place: tuple[float, float]


class _Paint(NamedTuple):
    """One scene's colours, linear light, as [3, 1]."""

    ground: Array
    figure: Array
    accent: Array
    light: Array
    wall: Array
    floor: Array


def render(structure: Structure, texture: Texture, size: int | tuple[int, int], supersample: int = 2) -> Pixels:
    """Pictures of B structures wearing B textures (or 1 of either) [B, H, W, 3], sRGB.

    Args:
        structure: shapes and places.
        texture: stuff and colours.
        size: side in pixels, or (height, width); the frame fits the short side.
        supersample: rays a pixel and axis, averaged in linear light.
    """
    count = max(len(structure), len(texture))
    if {len(structure), len(texture)} - {1, count}:
        raise ValueError(f"{len(structure)} structures and {len(texture)} textures: equal numbers, or one of either")
    height, width = (size, size) if isinstance(size, int) else size
    pictures = np.empty((count, height, width, 3), dtype=np.uint8)
    for i in range(count):
        studio = _studio(structure, i % len(structure))
        linear = _shade_frame(studio, texture, i % len(texture), height * supersample, width * supersample)
        pictures[i] = _encode(_average(linear, height, width, supersample)).transpose(1, 2, 0)
    return pictures


def silhouette(structure: Structure, size: int | tuple[int, int], supersample: int = 2) -> Array:
    """Share of each pixel that the solid covers [B, H, W], in [0, 1]: a function of structure alone."""
    height, width = (size, size) if isinstance(size, int) else size
    masks = np.empty((len(structure), height, width), dtype=np.float32)
    for i in range(len(structure)):
        studio = _studio(structure, i)
        rows = []
        for rays, pixel in _ray_blocks(studio, height * supersample, width * supersample):
            rows.append(march(studio.solid, studio.eye, rays, pixel)[1])
        masks[i] = _average(np.concatenate(rows)[None], height, width, supersample)[0]
    return masks


# ── geometry ──────────────────────────────────────────────────────────────────────────────────────────────


def _studio(structure: Structure, i: int) -> _Studio:
    form = FORM_TABLE[FORMS[structure.form[i]]]
    shape = structure.shape[i].tolist()
    turn = structure.rotation[i]
    low, high = sine(structure.elevation[i : i + 1] + 0.25), sine(structure.elevation[i : i + 1])
    cos, sin = float(low[0]), float(high[0])

    def local(x: float, y: float, z: float) -> Array:
        """A world vector in the solid's frame: the transpose of the pose."""
        return (turn[0] * np.float32(x) + turn[1] * np.float32(y) + turn[2] * np.float32(z))[:, None]

    x, y, z = structure.light[i].tolist()
    return _Studio(
        solid=Solid(lambda p: form.distance(p, shape), form.trust, structure.reach[i][:, None]),
        eye=local(0.0, -cos * EYE, sin * EYE),
        right=local(1.0, 0.0, 0.0),
        upward=local(0.0, sin, cos),
        forward=local(0.0, cos, -sin),
        up=local(0.0, 0.0, 1.0),
        light=local(x, y, z),
        floor=float(structure.floor[i]),
        zoom=1.0 / (EYE * float(structure.scale[i])),
        place=(float(structure.place[i, 0]), float(structure.place[i, 1])),
    )


def _ray_blocks(studio: _Studio, height: int, width: int):  # type: ignore[no-untyped-def]
    """Unit rays [3, N] in rows from the top left, and the size of a pixel on the solid."""
    short = min(height, width)
    x = ((np.arange(width, dtype=np.float32) * 2.0 + (1.0 - width)) * (1.0 / short) - studio.place[0]) * studio.zoom
    y = (((height - 1.0) - np.arange(height, dtype=np.float32) * 2.0) * (1.0 / short) - studio.place[1]) * studio.zoom
    pixel = 2.0 * studio.zoom * EYE / short
    rows = max(1, _BLOCK // width)
    for top in range(0, height, rows):
        across, upward = np.tile(x, len(y[top : top + rows])), np.repeat(y[top : top + rows], width)
        yield unit(studio.forward + studio.right * across + studio.upward * upward), pixel


# ── light ─────────────────────────────────────────────────────────────────────────────────────────────────


def _shade_frame(studio: _Studio, texture: Texture, i: int, height: int, width: int) -> Array:
    paint = _paint(texture, i)
    blocks = []
    for rays, pixel in _ray_blocks(studio, height, width):
        depth, cover = march(studio.solid, studio.eye, rays, pixel)
        colour = np.zeros_like(rays)
        rest, solid = np.flatnonzero(cover < 1.0), np.flatnonzero(cover > 0.0)
        if len(rest):
            colour[:, rest] = _film(_shade_backdrop(studio, paint, rays[:, rest]))
        if len(solid):
            view = rays[:, solid]
            front = _shade_solid(studio, paint, texture, i, studio.eye + view * depth[solid], view, pixel)
            behind = colour[:, solid]
            colour[:, solid] = behind + (_film(front) - behind) * cover[solid]
        blocks.append(colour)
    return np.concatenate(blocks, axis=1)


def _paint(texture: Texture, i: int) -> _Paint:
    lab = np.concatenate([texture.palette[i], texture.light[i][None], texture.backdrop[i]]).astype(np.float64)
    colours = to_linear(lab).astype(np.float32)[:, :, None]
    return _Paint(*colours)


def _shade_backdrop(studio: _Studio, paint: _Paint, rays: Array) -> Array:
    """Floor near, wall far, a wide fillet between, the solid's shadow on it."""
    slope = dot(rays, studio.up)
    drop = dot(studio.eye, studio.up) + studio.floor
    t = drop[0] / np.maximum(-slope, 0.02)
    p = studio.eye + rays * t
    back = studio.forward - studio.up * dot(studio.forward, studio.up)
    behind = dot(p, unit(back))
    wall = smoothstep(0.6, 5.0, behind)
    near = np.flatnonzero(wall < 1.0)
    lit, open_sky = np.ones_like(wall), np.ones_like(wall)
    q = p[:, near]
    keep = 1.0 - wall[near]
    lit[near] = 1.0 - keep * (1.0 - shadow(studio.solid, q, studio.light, 0.35))
    open_sky[near] = 1.0 - 0.7 * keep * (1.0 - occlusion(studio.solid.distance, q, np.broadcast_to(studio.up, q.shape), 0.7))
    aside, deep = dot(p, studio.right), np.minimum(behind, 5.0)
    pool = 1.0 / (1.0 + 0.03 * (aside * aside + deep * deep))
    albedo = paint.floor + (paint.wall - paint.floor) * wall
    key = paint.light * (_KEY * 0.8 * lit * pool)
    return np.asarray(albedo * (key + _SKY * open_sky * (0.6 + 0.4 * pool)))


def _shade_solid(
    studio: _Studio, paint: _Paint, texture: Texture, i: int, p: Array, view: Array, pixel: float
) -> Array:
    """Lamp, sky and floor light on the material, and their reflections in its gloss."""
    normal = normals(studio.solid.distance, p, 0.012)
    facing = np.minimum(np.maximum(-dot(normal, view), 0.0), 1.0)
    albedo, shine = _material(paint, texture, i, p, normal, 1.5 * pixel / np.maximum(facing, 0.25))
    lambert = np.maximum(dot(normal, studio.light), 0.0)
    lit = np.zeros_like(lambert)
    bright = np.flatnonzero(lambert > 0.0)
    lit[bright] = shadow(studio.solid, (p + normal * np.float32(0.02))[:, bright], studio.light, 0.25)
    upness = dot(normal, studio.up)
    open_sky = occlusion(studio.solid.distance, p, normal, 0.35)
    height = dot(p, studio.up) + studio.floor
    contact = 0.45 + 0.55 * smoothstep(0.0, 0.6, height + 0.3 * upness)
    sky = (0.5 + 0.5 * upness) * (0.5 + 0.5 * paint.wall)
    bounce = (0.5 - 0.5 * upness) * contact * paint.floor * (_BOUNCE / _SKY * 2.0)
    diffuse = paint.light * (_KEY * lambert * lit) + (sky + bounce) * (_SKY * open_sky * contact)
    mirror = view + normal * (2.0 * facing)
    rim = (1.0 - facing) * (1.0 - facing)
    fresnel = 0.04 + 0.5 * rim * rim * (1.0 - facing)
    reflected = _reflection(studio, paint, mirror, lit) * (fresnel * open_sky * shine)
    return np.asarray(albedo * diffuse * (1.0 - 0.5 * fresnel * shine) + reflected)


def _reflection(studio: _Studio, paint: _Paint, mirror: Array, lit: Array) -> Array:
    """What a polished surface sees: wall above, floor below, a soft box of light at the lamp."""
    above = smoothstep(-0.3, 0.4, dot(mirror, studio.up))
    room = paint.floor + (0.3 + 0.9 * paint.wall - paint.floor) * above
    lamp = np.maximum(dot(mirror, studio.light), 0.0)
    glow = smoothstep(0.9, 0.985, lamp) * 9.0 + lamp / (40.0 - 39.0 * lamp) * 3.0
    return np.asarray(room + paint.light * (glow * lit))


def _material(
    paint: _Paint, texture: Texture, i: int, p: Array, normal: Array, width: Array
) -> tuple[Array, Array]:
    """Albedo [3, N] and gloss [N] at surface points."""
    frequency = float(texture.frequency[i])
    q = p * np.float32(frequency) + texture.origin[i][:, None]
    x, y, z = np.abs(normal)
    # Biased, since faces at exactly 45 degrees (an octahedron's) must not waver between two views.
    is_z = z > np.maximum(x, y) * 1.03
    is_x = ~is_z & (x > y * 1.03)
    u, v = np.where(is_x, q[1], q[0]), np.where(is_z, q[1], q[2])
    knobs = texture.knobs[i].tolist()
    spot = Spot(q, u, v, width * np.float32(frequency), (knobs[0], knobs[1], knobs[2], knobs[3]))
    pattern = MATERIAL_TABLE[MATERIALS[texture.material[i]]].pattern(spot)
    colour = paint.ground + (paint.figure - paint.ground) * pattern.figure
    colour = colour + (paint.accent - colour) * pattern.accent
    gloss = np.asarray(pattern.shine * np.float32(texture.gloss[i]) * np.ones_like(width))
    return np.maximum(colour * pattern.shade, 0.0), gloss


# ── pixels ────────────────────────────────────────────────────────────────────────────────────────────────


def _film(light: Array) -> Array:
    """Highlights rolled off towards 1 instead of clipped."""
    over = np.maximum(light - 0.7, 0.0)
    return np.asarray(np.minimum(light, 0.7) + over / (1.0 + over * (1.0 / 0.3)))


def _average(samples: Array, height: int, width: int, supersample: int) -> Array:
    """Tone-mapped samples [C, H·W·s²] to pixel means [C, H, W]."""
    grid = samples.reshape(len(samples), height, supersample, width, supersample)
    total = np.zeros((len(samples), height, width), dtype=np.float32)
    for row in range(supersample):
        for column in range(supersample):
            total += grid[:, :, row, :, column]
    return total * np.float32(1.0 / supersample**2)


def _encode(linear: Array) -> Pixels:
    """sRGB bytes of linear light, through a table spaced evenly in its square root."""
    root = np.sqrt(np.minimum(np.maximum(linear, 0.0), 1.0))
    light = (np.arange(_ENCODE_STEPS + 1) / _ENCODE_STEPS) ** 2
    curve = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    table = np.floor(curve * 255.0 + 0.5).astype(np.uint8)
    return table[(root * np.float32(_ENCODE_STEPS) + np.float32(0.5)).astype(np.int32)]
