"""Paint as a person uses it, in Chromium, on the studio with a model in the box."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.web.bench import Bench

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
VASE, PRISM = 4, 7  # photos of the gallery, by their place in the strip


def test_only_what_is_painted_by_the_mouse_changes_and_can_be_erased_undone_and_redone(
    open_page: Open, studio_url: str
) -> None:
    """The picture changes before the button is let go. Pixels are compared inside and outside of the mask."""
    bench = Bench(open_page("paint"), studio_url)
    mouse, empty = bench.page.mouse, bench.add_layer(VASE)
    frame = "Number(document.querySelector('.stage canvas.frame').dataset.seq)"
    before = bench.page.evaluate(frame)
    mouse.move(*bench.at((16, 16)))
    mouse.down()
    mouse.move(*bench.at((24, 20)), steps=3)
    bench.wait(f"{frame} > {before}")
    assert bench.until("Added a layer") != empty  # a draft is on screen, and no step yet
    mouse.move(*bench.at((40, 20)), steps=3)
    mouse.up()
    painted = bench.until("Painted")
    plain, result = bench.exact(painted, layers=[]), bench.exact(painted)
    mask = bench.mask(painted["layers"][0])
    assert mask[16, 16] == mask[20, 32] == 255
    assert mask[50:].max() == 0
    assert (result[mask == 0] == plain[mask == 0]).all()
    assert np.abs(result - plain)[mask == 255].mean() > 10
    assert np.abs(bench.shown() - result).mean() < 6  # a WebP of it

    bench.page.keyboard.press("e")
    bench.drag((32, 20), (44, 20))
    erased = bench.until("Erased")
    left = bench.mask(erased["layers"][0])
    assert left[16, 16] == 255
    assert left[20, 36] == 0
    assert (bench.exact(erased)[left == 0] == plain[left == 0]).all()

    bench.page.keyboard.press("Control+z")
    assert bench.until("Painted") == painted
    bench.page.keyboard.press("Control+Shift+z")
    assert bench.until("Erased") == erased
    assert bench.findings() == []


def test_shapes_regions_feathers_and_two_layers_work_together(open_page: Open, studio_url: str) -> None:
    """Rectangle, lasso, one click; the upper layer covers the lower one, unless it is hidden."""
    bench = Bench(open_page("paint"), studio_url)
    page = bench.page
    bench.add_layer(VASE)
    page.keyboard.press("r")
    bench.drag((8, 40), (24, 56))
    box = bench.until("Painted a rectangle")
    mask = bench.mask(box["layers"][0])
    assert abs(mask.sum() / 255 - 256) < 20  # to parts of pixels
    assert (mask[42:54, 10:22] == 255).all()

    feather = page.get_by_role("spinbutton", name="Feather: number")
    feather.fill("6")
    feather.press("Tab")
    faded = bench.until("Feather of a layer")
    assert faded["layers"][0]["feather"] == 6
    plain, result = bench.exact(faded, layers=[]), bench.exact(faded)
    assert (result[45:51, 25:28] != plain[45:51, 25:28]).any()  # beside the rectangle
    assert (result[:30] == plain[:30]).all()

    bench.add_layer(PRISM)
    page.keyboard.press("w")
    bench.drag((14, 32))
    region = bench.until("Painted a region")
    found = bench.mask(region["layers"][1])
    assert found[32, 14] == 255
    assert 0.02 < found.mean() / 255 < 0.75
    page.get_by_role("spinbutton", name="Likeness: number").fill("-1")
    share = "document.querySelector('.layer-share').textContent"
    everything = bench.until("Painted a region", f"{share}.includes('100 %')")
    assert bench.mask(everything["layers"][1]).min() == 255
    inside = bench.mask(everything["layers"][0]) == 255
    covered = bench.exact(everything)
    alone = bench.exact(everything, layers=everything["layers"][1:])
    assert np.abs(covered - alone)[inside].max() <= 1  # the lower layer is beneath the upper one

    page.get_by_role("button", name="Hide layer 2").click()
    hidden = bench.until("Hid a layer")
    assert (bench.exact(hidden) == bench.exact(faded)).all()
    page.get_by_role("button", name="Show layer 2").click()
    bench.until("Showed a layer")
    page.get_by_role("button", name="Move layer 2 down").click()
    moved = bench.until("Moved a layer")
    assert moved["layers"] == everything["layers"][::-1]
    page.get_by_role("button", name="Delete layer 1").click()
    assert len(bench.until("Deleted a layer")["layers"]) == 1

    page.keyboard.press("l")
    bench.drag((40, 4), (60, 4), (60, 24), (40, 24))
    lasso = bench.mask(bench.until("Painted with the lasso")["layers"][0])
    assert (lasso[8:20, 44:56] == 255).all()
    assert (lasso[45:50, 10:20] == 255).all()  # and what was there


def test_the_keyboard_alone_paints_an_exact_rectangle(open_page: Open, studio_url: str) -> None:
    """From the first screen on: no mouse is touched."""
    bench = Bench(open_page("swap"), studio_url)
    keyboard = bench.page.keyboard
    keyboard.press("3")
    bench.page.wait_for_selector(".board")
    bench.tab_to(".bench .picker.texture .photo.own")
    for _ in range(VASE):
        keyboard.press("ArrowRight")
    keyboard.press("Enter")
    bench.until("Added a layer")
    keyboard.press("r")
    bench.tab_to(".board", "Shift+Tab")
    for key in ("Enter", *["ArrowRight"] * 9, *["ArrowDown"] * 5, "Enter"):
        keyboard.press(key)
    mask = bench.mask(bench.until("Painted a rectangle")["layers"][0])
    wanted = np.zeros((64, 64))
    wanted[32:37, 32:41] = 255
    assert (mask == wanted).all()
    keyboard.press("Control+z")
    undone = bench.until("Added a layer")
    assert bench.mask(undone["layers"][0]).max() == 0
    for key in ("Enter", "ArrowRight", "ArrowDown", "Escape"):
        keyboard.press(key)
    assert bench.until("Added a layer") == undone  # the stroke was given up


def test_a_finger_paints_on_a_narrow_screen_and_all_is_within_reach(open_page: Open, studio_url: str) -> None:
    """390 pixels wide, dark."""
    bench = Bench(open_page("paint", width=390, height=844, scheme="dark", has_touch=True), studio_url)
    page = bench.page
    bench.add_layer(VASE)
    page.locator(".board").scroll_into_view_if_needed()
    page.touchscreen.tap(*bench.at((20, 20)))
    mask = bench.mask(bench.until("Painted")["layers"][0])
    assert mask[20, 20] == 255
    assert mask[40:].max() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = "all => all.filter(one => one.offsetParent).map(one => one.offsetHeight)"
    assert min(page.locator(".bench :is(button, select, input[type=range])").evaluate_all(heights)) >= 44
    assert bench.findings() == []
