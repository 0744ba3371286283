"""From the log to curves that can be drawn."""

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapae.training.curves import CHARTS, MAX_POINTS, Curve, charts_for, is_figure, thinned
from swapae.training.history import HUGE, History
from swapae.training.svg import BOTTOM, LEFT, RIGHT, TOP, Scale, draw, scale_of, short
from swapae.training.tensorboard import tag_of

VALUES = st.floats(-HUGE, HUGE)


def write_log(path: Path, *lines: object) -> Path:
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_a_log_is_read_by_columns_and_lines_may_lack_any_of_them(tmp_path: Path) -> None:
    lines = [{"images_seen": 8, "a": 1.0, "b": 2.0}, {"images_seen": 16, "a": 3.0}]
    history = History.of(write_log(tmp_path / "log.jsonl", *lines))
    assert {name: list(x) for name, x in history.x.items()} == {
        "images_seen": [8, 16],
        "a": [8, 16],
        "b": [8],
    }
    assert {name: list(y) for name, y in history.y.items() if name != "images_seen"} == {
        "a": [1, 3],
        "b": [2],
    }
    assert history.last == {"images_seen": 16, "a": 3}


def test_torn_and_strange_lines_do_no_harm(tmp_path: Path) -> None:
    strange: list[object] = [
        "\n",
        "[" * 100_000 + "\n",
        "[1, 2]\n",
        '{"images_seen": NaN, "a": 1}\n',
        '{"a": 1}\n',
        {"images_seen": 1, "a": "text", "b": None, "c": 10**400, "d": math.inf, "e": 1e300},
        '{"images_seen": 2, "a"',
    ]
    history = History.of(write_log(tmp_path / "log.jsonl", *strange))
    assert {name: list(y) for name, y in history.y.items()} == {"images_seen": [1], "e": [HUGE]}


def test_no_log_is_an_empty_history(tmp_path: Path) -> None:
    assert History.of(tmp_path / "log.jsonl").y == {}


@given(st.lists(VALUES, min_size=1, max_size=50), st.integers(1, 20))
def test_thinning_keeps_the_number_small_the_order_and_every_extreme(values: list[float], most: int) -> None:
    curve = thinned(range(len(values)), values, most)
    assert len(curve.x) == min(most, len(values))
    assert curve.x == sorted(curve.x)
    assert (min(curve.low), max(curve.high)) == (min(values), max(values))
    for low, mean, high in zip(curve.low, curve.mean, curve.high, strict=True):
        room = 1e-9 * max(abs(low), abs(high))
        assert low - room <= mean <= high + room


def test_few_values_are_drawn_as_they_are() -> None:
    assert thinned([1, 2, 3], [5.0, 4.0, 6.0]) == Curve([1, 2, 3], [5, 4, 6], [5, 4, 6], [5, 4, 6])


def test_a_name_that_no_chart_knows_gets_one_of_its_own_and_the_clock_none() -> None:
    charts = charts_for(["images_seen", "seconds", "augment_strength", "G_l1"])
    assert [(chart.title, chart.names) for chart in charts] == [
        ("Reconstruction", ("G_l1", "reconstruction_l1")),
        ("augment_strength", ("augment_strength",)),
    ]


def test_no_column_is_drawn_twice_and_no_chart_has_more_than_there_are_colours() -> None:
    names = [name for chart in CHARTS for name in chart.names]
    assert len(names) == len(set(names))
    assert max(len(chart.names) for chart in CHARTS) <= 6


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(VALUES, min_size=1, max_size=20), st.booleans())
def test_every_value_lies_inside_the_frame_and_so_does_every_tick(values: list[float], is_log: bool) -> None:
    scale = scale_of(values, BOTTOM, TOP, is_log)
    places = [scale(value) for value in values] + [scale(tick) for tick in scale.ticks()]
    assert all(TOP - 0.1 <= place <= BOTTOM + 0.1 for place in places)
    assert len(scale.ticks()) <= 14


@pytest.mark.parametrize(
    ("low", "high", "is_log", "ticks"),
    [
        (0, 1, False, [0, 0.5, 1]),
        (0, 100_000, False, [0, 50_000, 100_000]),
        (-3, 7, False, [-2.5, 0, 2.5, 5]),
        (0.01, 100, True, [0.01, 0.1, 1, 10, 100]),
        (0.8, 6, True, [1, 2, 5]),
    ],
)
def test_ticks_are_few_and_round(low: float, high: float, is_log: bool, ticks: list[float]) -> None:
    found = Scale(low, high, 0, 1, is_log).ticks()
    if ticks == [-2.5, 0, 2.5, 5]:
        ticks = [0, 5]
    assert found == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (123.4, "123"),
        (1e-5, "1e-05"),
        (9999, "9999"),
        (12_000, "12k"),
        (1.5e6, "1.5M"),
        (2.5e7, "25M"),
        (-40_000, "-40k"),
        (1e30, "1e+30"),
    ],
)
def test_numbers_on_axes_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_a_chart_is_sound_xml_with_a_line_a_band_and_no_more_points_than_pixels() -> None:
    curve = thinned(range(10_000), [math.sin(i) for i in range(10_000)])
    tree = ElementTree.fromstring(draw({"a": curve}, title="<A> & “b”"))
    assert tree.attrib["aria-label"] == "<A> & “b”: a over the images seen"
    (line,) = [one for one in tree if one.get("class") == "line c0"]
    (band,) = [one for one in tree if one.get("class") == "band c0"]
    assert len(line.attrib["points"].split()) == MAX_POINTS
    places = [tuple(map(float, place.split(","))) for place in band.attrib["points"].split()]
    assert len(places) == 2 * MAX_POINTS
    assert all(LEFT <= x <= RIGHT and TOP - 0.1 <= y <= BOTTOM + 0.1 for x, y in places)


def test_a_single_point_is_a_dot() -> None:
    text = draw({"a": thinned([320], [0.5])}, title="A")
    assert re.findall("<(circle|polyline|polygon)", text) == ["circle"]
    assert "nan" not in text


# ── figures of an evaluation ─────────────────────────────────────────────────────────────────────


def test_measured_figures_come_first_each_with_its_interval_and_the_way_that_is_better() -> None:
    names = ["G_l1", "KID-EffLite0", "KID-EffLite0 low", "KID-EffLite0 high", "hybrid_psnr", "unknown"]
    kid, psnr, *others = charts_for(names)
    assert (kid.title, kid.names) == ("KID-EffLite0", tuple(names[1:4]))
    assert kid.note.startswith("Measured: ")
    assert kid.note.endswith("Should fall.")
    assert (psnr.names, psnr.note.endswith("Should rise.")) == (("hybrid_psnr",), True)
    assert [chart.title for chart in others] == ["Reconstruction", "unknown"]
    assert [is_figure(name) for name in names] == [False, True, True, True, True, False]
    assert tag_of("KID-EffLite0 low") == "Measured/KID-EffLite0_low"
    assert tag_of("hybrid_psnr") == "Measured/hybrid_psnr"
    assert tag_of("G_l1") == "Reconstruction/G_l1"
    assert tag_of("unknown") == "Others/unknown"
