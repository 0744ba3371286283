"""The parts of the screen of runs without a server: columns of a log, charts for them, scales, words."""

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page
from tests.web.modules import imported

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    parts = {name: f"runs/{name}.js" for name in ("series", "groups", "scale", "feed", "samples")}
    with imported(browser, **parts) as page:
        yield page


def run(page: Page, code: str, *values: object) -> Any:
    """Run code in which `v` are the values."""
    return page.evaluate(f"(v) => {{ {code} }}", list(values))


SERIES = "const one = new series.Series(); one.take(v[0]);"


def test_a_log_becomes_columns_and_what_is_no_number_is_left_out(page: Page) -> None:
    lines = [
        {"images_seen": 8, "G_l1": 0.5, "note": "x"},
        {"G_l1": 3},
        None,
        {"images_seen": 16, "G_l1": None, "D_r1": 1e308},
        {"images_seen": 24, "G_l1": 0.25},
    ]
    got = run(
        page,
        SERIES + "return [one.names, one.columns.get('G_l1'), one.newest('D_r1'), one.newest('no')];",
        lines,
    )
    assert got == [
        ["images_seen", "G_l1", "D_r1"],
        {"x": [8, 24], "y": [0.5, 0.25]},
        {"seen": 16, "value": 1e30},
        None,
    ]


def test_a_run_that_goes_on_from_a_checkpoint_forgets_what_came_after_it(page: Page) -> None:
    lines = [
        {"images_seen": seen, "a": seen, **({"b": 1} if seen == 30 else {})} for seen in (10, 20, 30, 20, 25)
    ]
    got = run(page, SERIES + "return [one.columns.get('a'), one.names];", lines)
    assert got == [{"x": [10, 20, 25], "y": [10, 20, 25]}, ["images_seen", "a"]]


def test_smoothing_keeps_a_constant_and_begins_at_the_first_value(page: Page) -> None:
    flat, steps = run(page, "return [series.smoothed([2, 2, 2], 0.9), series.smoothed([1, 3, 5], 0.5)];")
    assert flat == pytest.approx([2, 2, 2])
    assert steps == pytest.approx([1, 7 / 3, 27 / 7])
    assert run(page, "return series.smoothed([1, 3], 0);") == [1, 3]


def test_a_thinned_curve_keeps_means_and_extremes(page: Page) -> None:
    got = run(page, "return series.thinned([1, 2, 3, 4, 5], [1, 9, 3, 4, 5], 2);")
    assert got == {"x": [1.5, 4], "y": [5, 4], "low": [1, 3], "high": [9, 5]}
    got = run(page, "return series.thinned([1, 2], [3, 4], 300, [2, 3], [5, 6]);")
    assert got == {"x": [1, 2], "y": [3, 4], "low": [2, 3], "high": [5, 6]}


def test_the_nearest_place_is_found(page: Page) -> None:
    assert run(page, "return [0, 2.9, 3.1, 6, 99].map((x) => series.nearest([1, 5, 9], x));") == [
        0,
        0,
        1,
        1,
        2,
    ]
    assert run(page, "return series.nearest([], 1);") == -1


def test_every_column_of_a_log_has_its_place_in_one_chart(page: Page) -> None:
    names = [
        "images_seen",
        "seconds",
        "G_l1",
        "D_real",
        "D_r1",
        "patch_D_accuracy",
        "KID",
        "KID low",
        "KID high",
        "G_new",
    ]
    charts = run(page, "return groups.chartsFor(v[0]);", names)
    shown = [name for chart in charts for name in chart["names"]]
    assert sorted(shown) == sorted(set(names) - {"images_seen", "seconds"})
    places = {chart["title"]: chart["group"] for chart in charts}
    assert places["KID"] == "Measured"
    assert places["generator new"] == "Other"
    assert places["Gradient penalties (R1)"] == "R1 and gradients"
    assert [chart["group"] for chart in charts] == sorted(
        places.values(), key=run(page, "return groups.GROUPS;").index
    )


def test_the_charts_know_all_that_the_report_of_a_training_shows(page: Page) -> None:
    from swapae.training.curves import CHARTS

    names = [name for chart in CHARTS for name in chart.names]
    charts = run(page, "return groups.chartsFor(v[0]);", names)
    assert {chart["group"] for chart in charts}.isdisjoint({"Other", "Measured"})


def test_names_that_stand_together_say_only_what_differs(page: Page) -> None:
    assert run(page, "return groups.labels(['D_real', 'D_hybrid']);") == ["real", "hybrid"]
    assert run(page, "return groups.labels(['D_r1', 'patch_D_r1']);") == [
        "image discriminator R1",
        "patch discriminator R1",
    ]
    assert run(page, "return groups.labels(['KID-EffLite0']);") == ["KID-EffLite0"]
    both = run(page, "return groups.labels(['G_l1', 'G_l1_gradient']);")
    assert both == ["L1, in training", "L1 of edges, in training"]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.1, 0.13), (-3, 1e6), (1e-5, 2e-5), (41, 42.5)])
def test_ticks_are_few_round_values_inside(page: Page, low: float, high: float) -> None:
    ticks = run(page, "return scale.ticks(v[0], v[1]);", low, high)
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    steps = {round((b - a) / (ticks[1] - ticks[0]), 6) for a, b in pairwise(ticks)}
    assert steps == {1}


def test_a_logarithmic_scale_puts_factors_at_equal_distances(page: Page) -> None:
    code = "const s = scale.fitted([0.001, 1], 0, 300, true);"
    a, b, c, d = run(page, code + "return [0.001, 0.01, 0.1, 1].map(s.at);")
    is_log, back, ticks = run(page, code + "return [s.isLog, s.back(s.at(0.05)), s.ticks];")
    assert is_log
    assert b - a == pytest.approx(c - b) == pytest.approx(d - c)
    assert back == pytest.approx(0.05)
    assert all(math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in ticks)


def test_a_scale_of_values_not_above_0_is_linear_and_of_one_value_has_room(page: Page) -> None:
    assert run(page, "return scale.fitted([0, 1], 0, 1, true).isLog;") is False
    low, high = run(page, "const s = scale.fitted([2, 2], 0, 1); return [s.low, s.high];")
    assert low < 2 < high
    assert run(page, "const s = scale.fitted([], 0, 1); return Number.isFinite(s.at(0.5));")


def test_numbers_and_times_are_written_for_people(page: Page) -> None:
    short = run(page, "return v.map(scale.short);", 0, 0.25, 999, 12345, 1_500_000, 1e-5, -2e-7)
    assert short == ["0", "0.25", "999", "12.3k", "1.5M", "1e-5", "-2e-7"]
    assert run(page, "return v.map(scale.duration);", 5, 65, 3700, 200_000) == [
        "5 s",
        "1 min",
        "1 h 1 min",
        "2 d 7 h",
    ]


PROGRESS = SERIES + "return feed.progress(v[1], one, v[2]);"


def test_the_time_left_follows_from_what_is_left_and_the_speed_of_the_last_lines(page: Page) -> None:
    lines = [
        {"images_seen": 100 * i, "seconds": 10 * i, "images_per_second": 1 if i == 1 else 10}
        for i in range(1, 8)
    ]
    about = {"images_seen": 700, "total_images": 1700, "changed": 1000}
    now = run(page, PROGRESS, lines, about, 1005)
    assert (now["state"], now["seen"], now["share"]) == ("training", 700, pytest.approx(700 / 1700))
    assert (now["left"], now["speed"], now["spent"]) == (pytest.approx(100), pytest.approx(10), 70)
    stopped = run(page, PROGRESS, lines, about, 1000 + 3600)
    assert (stopped["state"], stopped["left"]) == ("stopped", None)
    assert run(page, PROGRESS, lines, about | {"total_images": 700}, 1005)["state"] == "done"
    assert run(page, PROGRESS, [], about | {"images_seen": None}, 1005)["state"] == "empty"


def test_grids_are_sorted_by_their_moment_and_kind(page: Page) -> None:
    grids = [
        {"number": 0, "images_seen": 20, "kind": "fixed", "raw": True},
        {"number": 1, "images_seen": 10, "kind": "fixed", "raw": False},
        {"number": 2, "images_seen": 20, "kind": "random", "raw": False},
    ]
    got = run(
        page, "return samples.moments(v[0]).map(({seen, kinds}) => [seen, Object.fromEntries(kinds)]);", grids
    )
    assert got == [[10, {"fixed": 1}], [20, {"fixed raw": 0, "random": 2}]]


FEED = """
  const asked = [], page = new EventTarget();
  page.hidden = false;
  const answers = {
    "runs": () => [{id: "r", changed: 5, snapshots: [], images_seen: 2, total_images: 4}],
    "runs/r/log?after=0": () => ({lines: [{images_seen: 1, a: 1}], next: 10, more: true}),
    "runs/r/log?after=10": () => ({lines: [{images_seen: 2, a: 2}], next: 20, more: false}),
    "runs/r/log?after=20": () => ({lines: [], next: 20, more: false}),
  };
  const api = {call: async (path) => { asked.push(path); return {value: answers[path]()}; }};
  const one = new feed.Feed(api, () => {}, page);
  const hide = (is) => { page.hidden = is; page.dispatchEvent(new Event("visibilitychange")); };
"""


def test_a_log_is_read_to_its_end_and_nothing_is_asked_while_the_page_is_hidden(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{FEED}
      const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
      one.start();
      await soon();
      const values = one.series.columns.get("a").y;
      const first = asked.splice(0);
      hide(true);
      await soon();
      const hidden = asked.splice(0);
      hide(false);
      await soon();
      const again = asked.splice(0);
      one.stop();
      hide(true); hide(false);
      await soon();
      return [values, first, hidden, again, asked];
    }}""")
    assert json.loads(json.dumps(got)) == [
        [1, 2],
        ["runs", "runs/r/log?after=0", "runs/r/log?after=10"],
        [],
        ["runs", "runs/r/log?after=20"],
        [],
    ]


def test_a_studio_without_a_folder_of_runs_is_told_from_one_that_does_not_answer(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{FEED}
      const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
      const failing = (status) => ({{
        call: async () => {{ throw Object.assign(new Error("Why."), {{status}}); }},
      }});
      const states = [];
      for (const status of [404, 0]) {{
        const other = new feed.Feed(failing(status), () => {{}}, page);
        await other.ask();
        states.push([other.isOff, other.problem]);
        other.stop();
      }}
      return states;
    }}""")
    assert got == [[True, "Why."], [False, "Why."]]
