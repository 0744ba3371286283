"""Codes over time: values that ramp from one moment to another, and textures smoothed along a video.

A texture is a point of a sphere, for the generator drops its length; so means are taken along the sphere, by
angles, and moments count as far as they lie apart in seconds, whatever the frame rate.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor

from swapae.editing.interpolate import slerp
from swapae.editing.sphere import angle, length, tangent, turned, unit

Window = Literal["gaussian", "exponential"]

REACH = 2.5  # standard deviations of a Gaussian window that are looked at, to either side: 98.8 % of it
MOST_AROUND = 1024  # frames of a window that are kept, to either side: bounded whatever is asked for
ROUNDS = 16  # of a mean; textures of neighbouring frames take two or three
PRECISE = 1e-5  # radians

T = TypeVar("T")
Moment = tuple[float, Tensor, T]  # seconds, a texture `[1, C]`, and what else belongs to the frame


@dataclass(frozen=True)
class Keyframes:
    """Values that go in straight lines from one moment to the next, and stay as they are before and after.

    - times: in seconds, each later than the one before.
    - values: one or more numbers for each, as many for all.

    Example:
        >>> Keyframes((0.0, 2.0), ((0.0,), (1.0,))).at(0.5)
        (0.25,)
    """

    times: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.values):
            raise ValueError(f"{len(self.times)} moments need as many values, not {len(self.values)}.")
        numbers = [*self.times, *(number for value in self.values for number in value)]
        if not all(map(math.isfinite, numbers)):
            raise ValueError("moments and values must be finite numbers.")
        if any(late <= early for early, late in zip(self.times, self.times[1:], strict=False)):
            raise ValueError("moments must come in their order, each later than the one before.")
        if len({len(value) for value in self.values}) > 1:
            raise ValueError("each moment needs as many values as the others.")

    @classmethod
    def always(cls, *value: float) -> "Keyframes":
        """Make values that never change."""
        return cls((0.0,), (value,))

    def at(self, seconds: float) -> tuple[float, ...]:
        """Tell the values at a moment."""
        after = next((i for i, time in enumerate(self.times) if time > seconds), len(self.times))
        if after in (0, len(self.times)):
            return self.values[min(after, len(self.times) - 1)]
        early, late = self.times[after - 1], self.times[after]
        share = (seconds - early) / (late - early)
        pairs = zip(self.values[after - 1], self.values[after], strict=True)
        return tuple((1 - share) * a + share * b for a, b in pairs)


def smoothed(
    moments: Iterable[Moment[T]], seconds: float, window: Window = "gaussian"
) -> Iterator[Moment[T]]:
    """Smooth textures over time, frame by frame; what else belongs to frames comes through as it is.

    - `gaussian`: the mean on the sphere of the frames around, before and after, by a Gaussian of standard
      deviation `seconds`. It lags behind nothing; frames are read ahead by `REACH` · `seconds`.
    - `exponential`: each frame goes 1 − exp(−Δt / `seconds`) of the angle from the one before, smoothed, to
      its own. It needs no frame ahead, and lags behind changes by about `seconds`.

    Args:
        moments: times that do not fall, textures `[1, C]`, and anything.
        seconds: 0 smooths nothing, and textures come through bit by bit.
        window: as said.

    Raises:
        ValueError: `seconds` is negative or not finite, or there is no such window.
    """
    if not 0 <= seconds < math.inf:
        raise ValueError(f"smoothing takes a number of seconds, 0 or more, not {seconds}.")
    kinds: dict[str, Callable[[Iterable[Moment[T]], float], Iterator[Moment[T]]]] = {
        "gaussian": _gaussian,
        "exponential": _exponential,
    }
    if window not in kinds:
        raise ValueError(f"there is no window '{window}': take gaussian or exponential.")
    return iter(moments) if seconds == 0 else kinds[window](moments, seconds)


def mean_on_sphere(points: Tensor, weights: Tensor) -> Tensor:
    """Find the point with the least weighted mean of squared angles to points `[N, C]`: `[1, C]`.

    As `spherical_mean`, all points at once, for as many as lie in a window of time.
    """
    points, shares = unit(points), (weights / weights.sum())[:, None].to(points)
    total = (shares * points).sum(0, keepdim=True)
    heaviest = points[weights.argmax()][None]
    mean = unit(total) if length(total).item() > 1e-3 else heaviest
    for _ in range(ROUNDS):
        here = mean.expand_as(points)
        step = (shares * angle(here, points) * tangent(here, points)).sum(0, keepdim=True)
        size = length(step)
        mean = turned(mean, mean + step, size)
        if size.item() < PRECISE:
            break
    return mean


def _exponential(moments: Iterable[Moment[T]], seconds: float) -> Iterator[Moment[T]]:
    before: tuple[float, Tensor] | None = None
    for time, texture, rest in moments:
        if before is not None:
            share = -math.expm1(-max(0.0, time - before[0]) / seconds)
            texture = slerp(before[1], texture, share)
        before = time, texture
        yield time, texture, rest


def _gaussian(moments: Iterable[Moment[T]], seconds: float) -> Iterator[Moment[T]]:
    reach = REACH * seconds
    waiting: deque[Moment[T]] = deque()  # read, not given yet
    passed: deque[tuple[float, Tensor]] = deque(maxlen=MOST_AROUND)  # given, as they were read
    for moment in moments:
        waiting.append(moment)
        while waiting and (moment[0] - waiting[0][0] >= reach or len(waiting) > MOST_AROUND):
            yield _given(waiting, passed, seconds)
    while waiting:
        yield _given(waiting, passed, seconds)


def _given(waiting: deque[Moment[T]], passed: deque[tuple[float, Tensor]], seconds: float) -> Moment[T]:
    """Give the first of those that wait, smoothed by what lies around it."""
    now, own, rest = waiting[0]
    while passed and now - passed[0][0] > REACH * seconds:
        passed.popleft()
    near: Sequence[tuple[float, Tensor]] = [*passed, *((time, texture) for time, texture, _ in waiting)]
    near = [(time, texture) for time, texture in near if abs(time - now) <= REACH * seconds]
    apart = torch.tensor([time - now for time, _ in near], dtype=torch.float64)
    texture = mean_on_sphere(torch.cat([one for _, one in near]), (-0.5 * (apart / seconds) ** 2).exp())
    waiting.popleft()
    passed.append((now, own))
    return now, texture.to(own.dtype), rest
