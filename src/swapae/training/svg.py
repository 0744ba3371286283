"""A chart as SVG, drawn without a script; its colours are the page's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from swapae.training.curves import FEW_POINTS, Curve

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 352, 8, 168  # of the frame
NUM_TICKS = 4


@dataclass(frozen=True)
class Scale:
    """Where values from `low` to `high` lie between `start` and `end`; logarithmic if asked."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._bend(self.low), self._bend(self.high)
        return self.start + (self._bend(value) - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Give round values inside the range, a few."""
        if not self.is_log:
            step = round_step((self.high - self.low) / NUM_TICKS)
            first = math.ceil(self.low / step - 1e-9)
            return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        sparse = powers[:: max(1, len(powers) // NUM_TICKS)]
        wholes, halves = [10.0**p for p in sparse], [k * 10.0**p for p in powers for k in (1, 2, 5)]
        inside = [[v for v in some if self.low <= v <= self.high] for some in (wholes, halves)]
        return inside[0] if len(inside[1]) > 2 * NUM_TICKS else inside[1]

    def _bend(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def round_step(least: float) -> float:
    """Give the next of 1, 2, 5, 10, … (times a power of ten) from `least` up."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= least * (1 - 1e-9))


def scale_of(values: Sequence[float], start: float, end: float, is_log: bool = False) -> Scale:
    """Fit a scale to values; a single value lies in the middle."""
    low, high = min(values), max(values)
    is_log = is_log and low > 0
    if is_log:
        room = (high / low) ** 0.05 if high / low > 1.001 else 2.0
        return Scale(low / room, high * room, start, end, is_log=True)
    room = 0.05 * (high - low) if high - low > 1e-9 * max(abs(low), abs(high)) else 0.5 * abs(high) or 0.5
    return Scale(low - room, high + room, start, end)


def short(value: float) -> str:
    """Write a number in a few characters: 0.25, 12k, 1.5M, 1e-05."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if unit <= abs(value) < 1000 * max(unit, 1e6):
            return f"{value / (1e3 if name == 'k' else unit):.3g}{name}"
    return "0" if abs(value) < 1e-12 else f"{value:.4g}" if abs(value) >= 1000 else f"{value:.3g}"


def draw(curves: Mapping[str, Curve], *, title: str, is_log: bool = False) -> str:
    """Draw curves over the images seen, each in the colour of its place, as an `<svg>`."""
    across = Scale(0, max(1.0, *(max(curve.x) for curve in curves.values())), LEFT, RIGHT)
    means = [value for curve in curves.values() for value in curve.mean]
    up = scale_of(means, BOTTOM, TOP, is_log)
    parts = [_axes(across, up)]
    for number, curve in enumerate(curves.values()):
        parts += [_band(curve, across, up, number), _line(curve, across, up, number)]
    label = escape(f"{title}: {', '.join(curves)} over the images seen", quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" data-left="{LEFT}" '
        f'data-right="{RIGHT}" data-last="{across.high:.9g}">{"".join(parts)}'
        f'<line class="cursor" x1="0" x2="0" y1="{TOP}" y2="{BOTTOM}" visibility="hidden"/></svg>'
    )


def _axes(across: Scale, up: Scale) -> str:
    parts = []
    for value in up.ticks():
        y = up(value)
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{short(value)}</text>')
    for value in across.ticks():
        anchor = "end" if across(value) > RIGHT - 12 else "middle"
        parts.append(
            f'<text x="{across(value):.1f}" y="{BOTTOM + 15}" text-anchor="{anchor}">{short(value)}</text>'
        )
    return "".join(parts)


def _line(curve: Curve, across: Scale, up: Scale, number: int) -> str:
    points = [f"{across(x):.1f},{up(y):.1f}" for x, y in zip(curve.x, curve.mean, strict=True)]
    line = f'<polyline class="line c{number}" points="{" ".join(points)}"/>' if len(points) > 1 else ""
    dots = points if len(points) <= FEW_POINTS else []
    places = [point.split(",") for point in dots]
    return line + "".join(f'<circle class="dot c{number}" cx="{x}" cy="{y}" r="1.8"/>' for x, y in places)


def _band(curve: Curve, across: Scale, up: Scale, number: int) -> str:
    """From the lowest to the highest value of each point, as far as the frame reaches."""
    if curve.low == curve.high:
        return ""

    def inside(value: float) -> float:
        return up(max(up.low, min(up.high, value)))

    there = [f"{across(x):.1f},{inside(y):.1f}" for x, y in zip(curve.x, curve.high, strict=True)]
    back = [f"{across(x):.1f},{inside(y):.1f}" for x, y in zip(curve.x, curve.low, strict=True)]
    return f'<polygon class="band c{number}" points="{" ".join(there + back[::-1])}"/>'
