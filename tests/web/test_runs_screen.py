"""The screen Runs: a training's curves and samples, as they grow."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect
from tests.training.tools import make_images, micro, run
from tests.web.looks import no_serious_finding, no_sideways_scrolling

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def training(runs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that a training has made, and that has a way to go yet."""
    images = make_images(tmp_path_factory.mktemp("photos"))
    folder = runs_folder / "first"
    run(micro(snapshot_images=8), images, folder, after=7)
    return folder


def opened(open_page: OpenPage, **how: Any) -> Page:
    """The screen, with curves on it."""
    page: Page = open_page("runs", **how)
    page.wait_for_selector(".chart-curves polyline")
    page.wait_for_function(
        "() => document.querySelector('.grid-figure img').naturalWidth > 0"
    )  # it has its room
    return page


def title(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}$")


def value(page: Page, chart: str, curve: int = 0) -> str:
    """What the legend of a chart tells of one of its curves."""
    card = page.locator(".chart", has=page.locator("h4", has_text=title(chart)))
    return str(card.locator(".chart-value").nth(curve).inner_text())


def test_a_training_shows_its_curves_its_samples_and_how_far_it_is(
    open_page: OpenPage, training: Path
) -> None:
    page = opened(open_page)
    log = [json.loads(line) for line in (training / "log.jsonl").read_text().splitlines()]
    last = log[-1]
    facts = page.locator(".runs-facts").inner_text()
    assert f"{last['images_seen']:.0f} of 32" in facts
    assert "Time left" in facts
    assert page.locator(".runs-state").inner_text() == "Training"
    groups = page.locator(".chart-group > h3").all_inner_texts()
    assert {"Reconstruction", "Discriminators", "Adversaries", "R1 and gradients", "Speed"} <= set(groups)
    assert float(value(page, "Reconstruction")) == pytest.approx(last["G_l1"], rel=1e-3)
    points = page.locator(".chart-curves polyline.line:not(.raw)").first.get_attribute("points")
    assert len(str(points).split()) == sum("G_l1" in line for line in log)


def test_a_line_that_the_training_adds_appears_by_itself(open_page: OpenPage, training: Path) -> None:
    from swapae.training.run import RunFolder, append_log

    page = opened(open_page)
    append_log(
        RunFolder(training), {"images_seen": 30, "seconds": 9.0, "images_per_second": 7.5, "G_l1": 0.125}
    )
    expect(page.locator(".runs-facts")).to_contain_text("30 of 32")
    assert value(page, "Reconstruction") == "0.125"
    row = page.locator(".chart-table tr", has=page.locator("th", has_text=title("L1, in training")))
    assert row.locator("td").first.text_content() == "0.125"


def test_the_keyboard_reaches_older_grids_and_older_values(open_page: OpenPage, training: Path) -> None:
    page = opened(open_page)
    image = page.locator(".grid-figure img")
    newest = image.get_attribute("src")
    page.locator(".grid-controls input").focus()
    page.keyboard.press("Home")
    assert image.get_attribute("src") != newest
    assert str(image.get_attribute("alt")).startswith("Samples after 8 images")
    page.get_by_label("Values after").focus()
    page.keyboard.press("Home")
    first = json.loads((training / "log.jsonl").read_text().splitlines()[0])
    assert float(value(page, "Reconstruction")) == pytest.approx(first["G_l1"], rel=1e-3)
    assert page.locator(".chart .cursor").count() == page.locator(".chart").count()
    page.get_by_label("Axis").select_option("log")
    page.get_by_text("All newest values as a table").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chart-table")).to_be_visible()


def test_values_are_read_off_under_the_pointer(open_page: OpenPage, training: Path) -> None:
    page = opened(open_page)
    curves = page.locator(".chart-curves").first
    curves.scroll_into_view_if_needed()
    box = curves.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 47, box["y"] + 60)
    first = json.loads((training / "log.jsonl").read_text().splitlines()[0])
    assert float(value(page, "Reconstruction")) == pytest.approx(first["G_l1"], rel=1e-3)
    page.mouse.move(2, 2)
    expect(page.locator(".chart .cursor")).to_have_count(0)


def test_a_studio_without_a_folder_of_runs_says_how_to_give_one(open_page: OpenPage) -> None:
    page = open_page("swap")
    page.allowed.append("404")
    body = json.dumps({"error": "this studio shows no runs.", "code": "unknown"})
    page.route("**/api/v1/runs", lambda route: route.fulfill(status=404, body=body))
    page.keyboard.press("6")
    expect(page.locator(".runs-empty")).to_contain_text("swapae studio --runs")
    no_serious_finding(page)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_nobody_is_shut_out_of_the_runs(open_page: OpenPage, training: Path, width: int, scheme: str) -> None:
    page = opened(open_page, width=width, scheme=scheme)
    page.get_by_text("All newest values as a table").click()
    no_serious_finding(page)
    no_sideways_scrolling(page)
