"""Hands that are faster than the page and the server: nothing they do is lost, or goes to the wrong place."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect
from tests.web.bench import Bench
from tests.web.test_page import drop, photo

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
DOT = "document.querySelector('.dot').style.left"


def pressed(page: Page, where: str) -> None:
    """Press the button on an element, and let it go when the dot has wandered on: a click takes as long."""
    box = page.locator(where).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    before = page.evaluate(DOT)
    page.wait_for_function(f"(before) => {DOT} !== before", arg=before)
    page.mouse.up()


def test_a_click_on_what_changes_meanwhile_is_a_click(open_page: Open) -> None:
    page = open_page("mix")
    page.wait_for_selector(".stage canvas[data-seq]")
    page.keyboard.press("p")
    pressed(page, ".corner[data-at='2']")
    expect(page.locator(".corner[data-at='2']")).to_have_attribute("aria-pressed", "true")
    pressed(page, "[aria-label^='Stop']")
    expect(page.locator("[aria-label^='Stop']")).to_have_count(0)


def test_a_photo_dropped_while_a_screen_is_being_opened_is_that_screens(open_page: Open) -> None:
    page = open_page()
    held: list[Route] = []
    page.route("**/js/screens/mix.js", lambda route: held.append(route))
    page.keyboard.press("2")
    with page.expect_response("**/api/v1/images"):
        drop(page, "body", ("mine.png", photo(21)))
    expect(page.locator("#status")).to_have_text("Added a photo.")
    held[0].continue_()
    expect(page.locator(".corner.active")).to_have_attribute("aria-label", re.compile("mine"))


def test_a_stroke_is_undone_though_its_mask_is_still_on_its_way(open_page: Open, studio_url: str) -> None:
    """And one that is begun before the mask of its layer has come changes nothing of it."""
    bench = Bench(open_page("paint"), studio_url)
    page, held, is_slow = bench.page, list[Route](), True
    bench.add_layer(4)
    page.route("**/api/v1/masks", lambda route: held.append(route) if is_slow else route.continue_())
    with page.expect_request("**/api/v1/masks"):
        bench.drag((12, 12), (40, 12))
    page.keyboard.press("Control+z")
    is_slow = False
    for route in held:
        route.continue_()
    bench.wait("!document.querySelector('.tool[aria-label=Redo]').disabled")
    assert bench.until("Added a layer")["layers"][0]["mask"]
    page.keyboard.press("Control+Shift+z")
    painted = bench.until("Painted")
    assert bench.mask(painted["layers"][0])[12, 26] == 255

    other, late = Bench(open_page("paint"), studio_url), list[Route]()
    other.page.route("**/api/v1/masks/*", lambda route: late.append(route))
    drop(other.page, "body", ("saved.png", bench._answer("save", {"recipe": painted})))
    other.until("Opened a saved picture")
    expect(other.page.locator(".board")).to_be_hidden()
    late[0].continue_()
    expect(other.page.locator(".board")).to_be_visible()
    other.page.keyboard.press("e")
    other.drag((12, 12), (16, 12))
    left = other.mask(other.until("Erased")["layers"][0])
    assert (left[12, 12], left[12, 36]) == (0, 255)
