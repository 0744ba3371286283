"""From scenes to pictures: a floor that rounds into a wall, one soft lamp, and the light of the sky."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from swapae.data.synthetic.materials import MATERIAL_TABLE, MATERIALS, Pattern, Spot
from swapae.data.synthetic.noise import Array, smoothstep
from swapae.data.synthetic.palette import to_linear
from swapae.data.synthetic.scene import Structure, Texture
from swapae.data.synthetic.studio import Studio, floor_points, studio_of, trace
from swapae.data.synthetic.trace import dot, normals, occlusion, shadow

Pixels = npt.NDArray[np.uint8]

_KEY, _SKY, _BOUNCE = 1.2, 0.38, 0.44  # strengths: the lamp's, the sky's, the floor's share of the sky's
_WALL = 5.0  # how far behind the solid the floor has become wall
_ENCODE_STEPS = 4095


def render(
    structure: Structure, texture: Texture, size: int | tuple[int, int], supersample: int = 2
) -> Pixels:
    """Pictures of B structures wearing B textures (or 1 of either) [B, H, W, 3], sRGB.

    Each picture has the same bytes alone as in a batch, today as tomorrow, here as on another machine.

    Args:
        structure: shapes and places.
        texture: stuff and colours.
        size: side in pixels, or (height, width); the frame fits the short side.
        supersample: rays a pixel and axis, averaged in linear light.

    Raises:
        ValueError: the numbers of structures and textures do not fit.
    """
    count = max(len(structure), len(texture))
    if {len(structure), len(texture)} - {1, count}:
        raise ValueError(f"{len(structure)} structures, {len(texture)} textures: as many, or one of either")
    height, width = (size, size) if isinstance(size, int) else size
    pictures = np.empty((count, height, width, 3), dtype=np.uint8)
    for i in range(count):
        studio, stuff = studio_of(structure, i % len(structure)), _stuff(texture, i % len(texture))
        samples = _shade_frame(studio, stuff, height * supersample, width * supersample)
        pictures[i] = _encode(_average(samples, height, width, supersample)).transpose(1, 2, 0)
    return pictures


def silhouette(structure: Structure, size: int | tuple[int, int], supersample: int = 2) -> Array:
    """Share of each pixel that the solid covers [B, H, W], in [0, 1]: a function of structure alone."""
    height, width = (size, size) if isinstance(size, int) else size
    masks = np.empty((len(structure), height, width), dtype=np.float32)
    for i in range(len(structure)):
        blocks = trace(studio_of(structure, i), height * supersample, width * supersample)
        covers = [cover for _, _, cover, _ in blocks]
        masks[i] = _average(np.concatenate(covers)[None], height, width, supersample)[0]
    return masks


# ── stuff ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Stuff(NamedTuple):
    """One scene's texture: its numbers, and its colours as linear light [3, 1]."""

    material: str
    knobs: tuple[float, float]
    frequency: float
    origin: Array
    gloss: float
    ground: Array
    figure: Array
    accent: Array
    light: Array
    wall: Array
    floor: Array


def _stuff(texture: Texture, i: int) -> _Stuff:
    lab = np.concatenate([texture.palette[i], texture.light[i][None], texture.backdrop[i]]).astype(np.float64)
    first, second = texture.knobs[i].tolist()
    return _Stuff(
        MATERIALS[texture.material[i]],
        (first, second),
        float(texture.frequency[i]),
        texture.origin[i][:, None],
        float(texture.gloss[i]),
        *to_linear(lab).astype(np.float32)[:, :, None],
    )


def _paint(stuff: _Stuff, p: Array, normal: Array, width: Array) -> tuple[Array, Array]:
    """Albedo [3, N] and gloss [N] of surface points that are `width` across [N]."""
    pattern = _pattern(stuff, p, normal, width)
    colour = stuff.ground + (stuff.figure - stuff.ground) * pattern.figure
    colour = colour + (stuff.accent - colour) * pattern.accent
    return np.maximum(colour * pattern.shade, 0.0), np.broadcast_to(pattern.shine * stuff.gloss, width.shape)


def _pattern(stuff: _Stuff, p: Array, normal: Array, width: Array) -> Pattern:
    q = p * stuff.frequency + stuff.origin
    x, y, z = np.abs(normal)
    # Biased, since faces at exactly 45 degrees (an octahedron's) must not waver between two views.
    is_z = z > np.maximum(x, y) * 1.03
    is_x = ~is_z & (x > y * 1.03)
    u, v = np.where(is_x, q[1], q[0]), np.where(is_z, q[1], q[2])
    return MATERIAL_TABLE[stuff.material].pattern(Spot(q, u, v, width * stuff.frequency, stuff.knobs))


# ── light ─────────────────────────────────────────────────────────────────────────────────────────────────


def _shade_frame(studio: Studio, stuff: _Stuff, height: int, width: int) -> Array:
    """Light that reaches the film along each ray [3, H·W]."""
    blocks = []
    for rays, depth, cover, pixel in trace(studio, height, width):
        colour = np.zeros_like(rays)
        rest, solid = np.flatnonzero(cover < 1.0), np.flatnonzero(cover > 0.0)
        colour[:, rest] = _film(_shade_backdrop(studio, stuff, rays[:, rest]))
        view, behind = rays[:, solid], colour[:, solid]
        front = _film(_shade_solid(studio, stuff, studio.eye + view * depth[solid], view, pixel))
        colour[:, solid] = behind + (front - behind) * cover[solid]
        blocks.append(colour)
    return np.concatenate(blocks, axis=1)


def _shade_backdrop(studio: Studio, stuff: _Stuff, rays: Array) -> Array:
    """Floor near, wall far, a wide fillet between, a pool of light, and the solid's shadow in it."""
    p = floor_points(studio, rays, _WALL)
    behind, aside, height = dot(p, studio.back), dot(p, studio.right), dot(p, studio.up) + studio.floor
    wall = smoothstep(0.6, _WALL, behind)
    lit, sky = np.ones_like(wall), np.ones_like(wall)
    near = np.flatnonzero(wall < 1.0)
    q, strength = p[:, near], 1.0 - wall[near]
    lit[near] = 1.0 - strength * (1.0 - shadow(studio.solid, q, studio.light, 0.45))
    open_sky = occlusion(studio.solid, q, np.broadcast_to(studio.up, q.shape), 0.7)
    sky[near] = 1.0 - 0.7 * strength * (1.0 - open_sky)
    pool = 1.0 / (1.0 + 0.03 * (aside * aside + behind * behind + height * height))
    albedo = stuff.floor + (stuff.wall - stuff.floor) * wall
    return np.asarray(albedo * (stuff.light * (0.8 * _KEY * lit * pool) + _SKY * sky * (0.6 + 0.4 * pool)))


def _shade_solid(studio: Studio, stuff: _Stuff, p: Array, view: Array, pixel: float) -> Array:
    """Lamp, sky and floor light on the material, and their reflections in its gloss."""
    normal = normals(studio.solid, p, 0.012)
    facing = np.minimum(np.maximum(-dot(normal, view), 0.0), 1.0)
    albedo, gloss = _paint(stuff, p, normal, 1.5 * pixel / np.maximum(facing, 0.25))

    lambert, lit = np.maximum(dot(normal, studio.light), 0.0), np.zeros_like(facing)
    bright = np.flatnonzero(lambert > 0.0)
    lit[bright] = shadow(studio.solid, (p + normal * np.float32(0.02))[:, bright], studio.light, 0.25)

    upness, height = dot(normal, studio.up), dot(p, studio.up) + studio.floor
    open_sky = occlusion(studio.solid, p, normal, 0.35)
    open_sky = open_sky * (0.45 + 0.55 * smoothstep(0.0, 0.6, height + 0.3 * upness))  # the floor hides some
    ambient = (0.5 + 0.5 * upness) * (0.5 + 0.5 * stuff.wall) + (0.5 - 0.5 * upness) * stuff.floor * _BOUNCE
    diffuse = stuff.light * (_KEY * lambert * lit) + ambient * (_SKY * open_sky)

    rim = (1.0 - facing) * (1.0 - facing)
    fresnel = (0.04 + 0.3 * rim * rim * (1.0 - facing)) * gloss  # after Schlick, 1994
    mirror = _reflection(studio, stuff, view + normal * (2.0 * facing), lit)
    return np.asarray(albedo * diffuse * (1.0 - fresnel) + mirror * (fresnel * open_sky))


def _reflection(studio: Studio, stuff: _Stuff, ray: Array, lit: Array) -> Array:
    """What a polished surface sees: wall above, floor below, a bright disc and its haze at the lamp."""
    above = smoothstep(-0.3, 0.4, dot(ray, studio.up))
    room = stuff.floor + (0.3 + 0.9 * stuff.wall - stuff.floor) * above
    towards = np.maximum(dot(ray, studio.light), 0.0)
    lamp = smoothstep(0.9, 0.985, towards) * 9.0 + towards / (40.0 - 39.0 * towards) * 3.0
    return np.asarray(room + stuff.light * (lamp * lit))


# ── film ──────────────────────────────────────────────────────────────────────────────────────────────────


def _film(light: Array) -> Array:
    """Highlights rolled off towards 1 instead of clipped."""
    over = np.maximum(light - 0.7, 0.0)
    return np.asarray(np.minimum(light, 0.7) + over / (1.0 + over * (1.0 / 0.3)))


def _average(samples: Array, height: int, width: int, supersample: int) -> Array:
    """Means over each pixel's samples, [C, H·W·s²] to [C, H, W]."""
    grid = samples.reshape(len(samples), height, supersample, width, supersample)
    total = np.zeros((len(samples), height, width), dtype=np.float32)
    for row in range(supersample):
        for column in range(supersample):
            total += grid[:, :, row, :, column]
    return np.asarray(total * np.float32(1.0 / supersample**2))


def _encode(linear: Array) -> Pixels:
    """sRGB bytes of linear light."""
    root = np.sqrt(np.minimum(np.maximum(linear, 0.0), 1.0))
    return _encoding()[(root * _ENCODE_STEPS + 0.5).astype(np.int32)]


@cache
def _encoding() -> Pixels:
    """The sRGB curve (IEC 61966-2-1), tabulated evenly in the square root of the light."""
    light = (np.arange(_ENCODE_STEPS + 1) / _ENCODE_STEPS) ** 2
    curve = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.floor(curve * 255.0 + 0.5).astype(np.uint8)
