import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from swapae.editing import angle, spherical_mean
from swapae.editing.temporal import REACH, Keyframes, Window, mean_on_sphere, smoothed

WINDOWS: list[Window] = ["gaussian", "exponential"]


def at(*degrees: float) -> list[Tensor]:
    """Points of a circle, of different lengths, which must not matter."""
    turns = [math.radians(one) for one in degrees]
    return [(1 + i % 3) * torch.tensor([[math.cos(a), math.sin(a), 0.0]]) for i, a in enumerate(turns)]


def degrees_of(texture: Tensor) -> float:
    return math.degrees(math.atan2(texture[0, 1], texture[0, 0]))


def moments(textures: list[Tensor], rate: float = 10.0) -> list[tuple[float, Tensor, int]]:
    return [(i / rate, texture, i) for i, texture in enumerate(textures)]


def run(textures: list[Tensor], seconds: float, window: Window, rate: float = 10.0) -> list[float]:
    return [degrees_of(texture) for _, texture, _ in smoothed(moments(textures, rate), seconds, window)]


def test_values_ramp_between_moments_and_stay_before_and_after() -> None:
    ramp = Keyframes((1.0, 3.0, 4.0), ((0.0, 5.0), (1.0, 5.0), (-1.0, 7.0)))
    assert ramp.at(0) == ramp.at(1) == (0.0, 5.0)
    assert ramp.at(1.5) == (0.25, 5.0)
    assert ramp.at(3) == (1.0, 5.0)
    assert ramp.at(3.5) == (0.0, 6.0)
    assert ramp.at(99) == (-1.0, 7.0)
    assert Keyframes.always(0.5).at(-3) == Keyframes.always(0.5).at(7) == (0.5,)


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ((), (), "as many values"),
        ((0.0,), ((1.0,), (2.0,)), "as many values"),
        ((1.0, 1.0), ((1.0,), (2.0,)), "later than the one before"),
        ((0.0, 1.0), ((1.0,), (2.0, 3.0)), "as many values"),
        ((0.0,), ((math.nan,),), "finite"),
        ((math.inf,), ((0.0,),), "finite"),
    ],
)
def test_moments_that_make_no_ramp_are_refused(times: object, values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Keyframes(times, values)  # type: ignore[arg-type]


@pytest.mark.parametrize("window", WINDOWS)
def test_no_smoothing_gives_the_very_textures(window: Window) -> None:
    textures = at(0, 50, 10)
    given = list(smoothed(moments(textures), 0, window))
    assert all(a is b for (_, a, _), b in zip(given, textures, strict=True))


@pytest.mark.parametrize("window", WINDOWS)
def test_a_texture_that_stands_still_stays_and_all_else_comes_through_in_order(window: Window) -> None:
    given = list(smoothed(moments(at(*[30] * 9)), 0.3, window))
    assert [degrees_of(texture) for _, texture, _ in given] == pytest.approx([30] * 9, abs=1e-3)
    assert [rest for _, _, rest in given] == list(range(9))
    assert [time for time, _, _ in given] == pytest.approx([i / 10 for i in range(9)])


@pytest.mark.parametrize("window", WINDOWS)
def test_flicker_goes_and_a_steady_change_stays(window: Window) -> None:
    flicker = [20.0 * (-1) ** i for i in range(40)]
    calm = run(at(*[2 * i + f for i, f in enumerate(flicker)]), 0.3, window)
    steps = [b - a for a, b in pairwise(calm[10:31])]
    assert sum(steps) / len(steps) == pytest.approx(2, abs=0.3)
    assert max(abs(step - 2) for step in steps) < 13 < 40  # the input's steps are 42 and −38


def test_a_gaussian_window_lags_behind_nothing() -> None:
    steady = run(at(*[3.0 * i for i in range(30)]), 0.3, "gaussian")
    assert steady[10:20] == pytest.approx([3.0 * i for i in range(10, 20)], abs=1e-3)


def test_exponential_smoothing_closes_the_angle_by_the_time_that_has_passed() -> None:
    uneven = [(0.0, at(0)[0], 0), (0.2, at(80)[0], 0), (0.25, at(80)[0], 0), (1.0, at(80)[0], 0)]
    given = [degrees_of(texture) for _, texture, _ in smoothed(uneven, 0.5, "exponential")]
    assert given == pytest.approx(
        [80 * (1 - math.exp(-time / 0.5)) for time in (0, 0.2, 0.25, 1.0)], abs=1e-2
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_the_frame_rate_hardly_matters(window: Window) -> None:
    slow = run(at(*[60 * math.sin(i / 10) for i in range(41)]), 0.2, window, rate=10)
    fast = run(at(*[60 * math.sin(i / 40) for i in range(161)]), 0.2, window, rate=40)
    assert fast[::4][5:36] == pytest.approx(slow[5:36], abs=6 if window == "exponential" else 1)


def test_a_gaussian_reads_ahead_no_farther_than_its_window() -> None:
    read = 0

    def endless() -> Iterator[tuple[float, Tensor, None]]:
        nonlocal read
        while True:
            read += 1
            yield read / 10, at(read)[0], None

    stream = smoothed(endless(), 0.4)
    for given in range(1, 60):
        next(stream)
        assert read - given <= REACH * 0.4 * 10 + 1
    assert read > 60


def test_the_mean_of_many_points_is_the_one_of_mixes() -> None:
    draw = torch.Generator().manual_seed(1)
    points = torch.randn(5, 16, generator=draw) + 1
    weights = torch.tensor([1.0, 0.2, 3.0, 0.5, 0.0])
    expected = spherical_mean([point[None] for point in points], weights.tolist())
    assert angle(mean_on_sphere(points, weights), expected).item() < 1e-4
    opposite = mean_on_sphere(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.tensor([1.0, 1.0]))
    assert opposite.isfinite().all()


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        smoothed([], seconds)
    with pytest.raises(ValueError, match="no window 'box'"):
        smoothed([], 1, "box")  # type: ignore[arg-type]
