"""Colours that go together, drawn and mixed in OKLab.

OKLab (Ottosson, 'A perceptual color space for image processing', 2020) keeps lightness and hue apart, so
palettes are chosen there: a hue for the ground, its neighbour, opposite or third for the rest, with lightness
well apart so that a pattern can be read.
"""

import numpy as np

from swapae.data.synthetic.noise import Array, sine

_HUE_STEPS = np.array([0.06, -0.08, 0.33, 0.42, 0.5, -0.33])  # turns from the ground's hue to the second's


def polar(lightness: Array, chroma: Array, hue: Array) -> Array:
    """OKLab [..., 3] from lightness in [0, 1], chroma in [0, 0.3] and hue in turns."""
    return np.stack([lightness, chroma * sine(hue + 0.25), chroma * sine(hue)], axis=-1)


def to_linear(lab: Array) -> Array:
    """Linear-light sRGB [..., 3] of OKLab [..., 3]; chroma shrinks where the screen cannot show it."""
    shade = np.stack([lab[..., 0], np.zeros_like(lab[..., 0]), np.zeros_like(lab[..., 0])], axis=-1)
    result = _linear(lab)
    for share in (0.85, 0.7, 0.55, 0.4, 0.2):
        outside = ((result < -1e-3) | (result > 1.001)).any(axis=-1, keepdims=True)
        result = np.where(outside, _linear(shade + (lab - shade) * share), result)
    return np.minimum(np.maximum(result, 0.0), 1.0)


def _linear(lab: Array) -> Array:
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    long = light + 0.3963377774 * a + 0.2158037573 * b
    medium = light - 0.1055613458 * a - 0.0638541728 * b
    short = light - 0.0894841775 * a - 1.2914855480 * b
    long, medium, short = long * long * long, medium * medium * medium, short * short * short
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return np.stack([red, green, blue], axis=-1)


def harmonious(u: Array) -> Array:
    """Three OKLab colours [B, 3, 3] (ground, figure, accent) from seven draws [B, 7].

    Ground and figure differ by at least 0.28 in lightness; the accent lies between or beyond them.
    """
    hue = u[:, 0]
    step = _HUE_STEPS[(u[:, 1] * len(_HUE_STEPS)).astype(np.int64)]
    is_dark = u[:, 2] < 0.4
    light, dark = 0.74 + 0.18 * u[:, 3], 0.28 + 0.18 * u[:, 4]
    ground = polar(np.where(is_dark, dark, light), 0.06 + 0.11 * u[:, 5], hue)
    figure = polar(np.where(is_dark, light, dark), 0.04 + 0.13 * u[:, 6], hue + step)
    third = hue + np.where(step < 0, 0.5, step * 0.5 + 0.5)
    accent = polar(0.52 + 0.16 * u[:, 3], 0.13 + 0.07 * u[:, 4], third)
    return np.stack([ground, figure, accent], axis=1)


def natural(colours: Array, u: Array) -> Array:
    """A material's own three colours in OKLab [B, 3, 3], from OKLCH in degrees nudged by draws [B, 7]."""
    lightness = colours[..., 0] + 0.10 * (u[:, 0:3] - 0.5)
    chroma = colours[..., 1] * (0.75 + 0.5 * u[:, 3:4])
    hue = colours[..., 2] / 360.0 + 0.06 * (u[:, 4:5] - 0.5) + 0.02 * (u[:, 4:7] - 0.5)
    return polar(lightness, chroma, hue)
