"""What people do who have never seen the studio: the first seconds, a whole session, a phone in the hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.web.bench import Bench
from tests.web.test_page import SETTLED, drop, photo, pixels, settle, tile

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
ACTIONS = """() => {
    window.actions = 0;
    for (const kind of ['pointerdown', 'keydown', 'drop', 'paste', 'input']) {
        addEventListener(kind, () => { window.actions += 1; }, true);
    }
}"""


def test_a_newcomer_has_swapped_after_nothing_and_again_after_two_clicks(open_page: Open) -> None:
    """The gallery is on the page, nothing is uploaded; each click chooses one side."""
    page = open_page()
    page.evaluate(ACTIONS)
    first = pixels(page)
    assert page.evaluate("window.actions") == 0
    assert page.locator(".side.structure .own").count() >= 8
    page.click(tile("structure", 4))
    page.click(tile("texture", 6))
    second = pixels(page)
    assert page.evaluate("window.actions") == 2
    assert np.abs(second.astype(int) - first).mean() > 5
    sent = [url for url in page.asked if url.endswith("/api/v1/images")]
    assert sent == []
    label = page.get_attribute("canvas.frame", "aria-label")
    names = [name.text_content() for name in page.locator(".chosen-name").all()]
    assert label == f"{names[0]} with the texture of {names[1]}, strength 1"


def test_a_whole_session_ends_in_a_file_that_brings_paint_and_all_back(
    open_page: Open, studio_url: str, tmp_path: Path
) -> None:
    """Two photos dropped, swap, slider, paint, undo, redo, save; and another day the file is dropped."""
    page = open_page()
    drop(page, "body", ("roof.png", photo(11)), ("snow.png", photo(12)))
    page.wait_for_function("() => document.querySelectorAll('.side.structure .forget').length === 2")
    whole = pixels(page)
    rail = page.locator(".slider.strength input[type=range]").bounding_box()
    page.mouse.move(rail["x"] + rail["width"] / 2, rail["y"] + rail["height"] / 2)
    page.mouse.down()
    page.mouse.move(rail["x"] + rail["width"] / 4, rail["y"] + rail["height"] / 2, steps=5)
    page.mouse.up()
    assert np.abs(pixels(page).astype(int) - whole).mean() > 1

    page.keyboard.press("3")
    page.wait_for_selector(".board", state="attached")
    bench = Bench(page, studio_url)
    bench.add_layer(4)
    plain = bench.exact(bench.recipe, layers=[])
    bench.drag((12, 12), (28, 12))
    painted = bench.until("Painted")
    inside = bench.mask(painted["layers"][0])
    shown = bench.exact(painted)
    assert (shown[inside == 0] == plain[inside == 0]).all()
    assert np.abs(shown - plain)[inside == 255].mean() > 5
    assert 0.01 < (inside > 0).mean() < 0.5
    page.keyboard.press("Control+z")
    bench.until("Added a layer")
    page.keyboard.press("Control+Shift+z")
    assert bench.until("Painted") == painted
    on_screen = bench.shown()
    with page.expect_download() as waiting:
        page.keyboard.press("Control+s")
    waiting.value.save_as(tmp_path / "saved.png")

    other = open_page("paint")
    drop(other, "body", ("saved.png", (tmp_path / "saved.png").read_bytes()))
    other.wait_for_selector(".toast.good")
    other.wait_for_function(SETTLED)
    again = Bench(other, studio_url)
    again.until("Opened a saved picture", "document.querySelectorAll('.layer').length === 1")
    assert (again.shown() == on_screen).all()
    other.keyboard.press("e")  # the layer can be worked on: a part is taken away
    again.drag((12, 12), (16, 12))
    less = again.until("Erased")
    left = again.mask(less["layers"][0])
    assert left[12, 12] == 0
    assert left[12, 26] == 255
    assert (again.exact(less)[left == 0] == plain[left == 0]).all()


Points = list[tuple[float, float]]  # of fingers, in parts of an element


def fingers(page: Any, where: str, begin: Points, end: Points) -> None:
    """Put fingers on an element, move them, and lift them, as Chromium hears of real ones."""
    box = page.locator(where).bounding_box()
    touch = page.context.new_cdp_session(page)

    def send(kind: str, points: Points) -> None:
        there = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
            for number, (x, y) in enumerate(points)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": there})

    send("touchStart", begin[:1])
    send("touchStart", begin)
    for step in range(1, 6):
        along = [
            (x + (u - x) * step / 5, y + (v - y) * step / 5)
            for (x, y), (u, v) in zip(begin, end, strict=True)
        ]
        send("touchMove", along)
    send("touchEnd", [])


def place(page: Any) -> dict[str, float]:
    """Where the picture lies."""
    return dict(page.locator(".stage .picture").bounding_box())


def test_two_fingers_zoom_and_move_the_picture_and_paint_nothing(open_page: Open, studio_url: str) -> None:
    page = open_page(width=390, height=844, has_touch=True)
    settle(page)
    fitted = place(page)
    fingers(page, ".stage canvas.frame", [(0.4, 0.5), (0.6, 0.5)], [(0.2, 0.5), (0.8, 0.5)])
    zoomed = place(page)
    assert zoomed["width"] == pytest.approx(3 * fitted["width"], rel=0.01)
    fingers(page, ".stage canvas.frame", [(0.4, 0.5), (0.5, 0.5)], [(0.45, 0.5), (0.55, 0.5)])
    moved = place(page)
    assert moved["width"] == pytest.approx(zoomed["width"], rel=0.01)
    assert moved["x"] - zoomed["x"] == pytest.approx(0.05 * zoomed["width"], abs=2)
    fingers(page, ".stage canvas.frame", [(0.4, 0.5)], [(0.42, 0.5)])  # one finger moves it, too
    assert place(page)["x"] - moved["x"] == pytest.approx(0.02 * zoomed["width"], abs=2)

    page.keyboard.press("3")
    page.wait_for_selector(".board", state="attached")
    bench = Bench(page, studio_url)
    bench.add_layer(4)
    page.locator(".board").scroll_into_view_if_needed()
    fitted = place(page)
    fingers(page, ".board", [(0.4, 0.5), (0.6, 0.5)], [(0.3, 0.5), (0.7, 0.5)])
    assert place(page)["width"] == pytest.approx(2 * fitted["width"], rel=0.01)
    assert bench.mask(bench.until("Added a layer")["layers"][0]).max() == 0


SMALL = """() => {
    const isShown = (one) => one.offsetParent && !one.closest('[inert], [hidden], .unseen');
    const wanted = 'button, a[href], select, summary, input, [role=tab]';
    const other = '.skip, [aria-hidden=true], .edge, .value';
    return [...document.querySelectorAll(wanted)]
        .filter((one) => isShown(one) && !one.matches(other))
        .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
        .filter(([, box]) => box.width > 2 && Math.min(box.height, box.width) < 43.5)
        .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${box.width | 0}x${box.height | 0}`);
}"""


def test_on_a_phone_every_control_is_as_large_as_a_fingertip(open_page: Open) -> None:
    """44 pixels, on all screens."""
    page = open_page(width=390, height=844, has_touch=True)
    page.allowed.append("404")  # there are no runs to look at
    for number, screen in enumerate(("swap", "mix", "paint", "directions", "batch", "runs"), 1):
        page.keyboard.press(str(number))
        page.wait_for_selector(f".screen.{screen} > *")
        page.wait_for_function("() => !document.querySelector('.screen .spinner, .stage.working')")
        assert page.evaluate(SMALL) == [], screen
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, screen
