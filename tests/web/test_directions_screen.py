"""Directions as a person uses it, in Chromium, on the studio with a model in the box."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.web.bench import Bench

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
NAME = "hue"


def made(bench: Bench, name: str = NAME) -> None:
    """Make a direction of the first two photos against the next two."""
    page = bench.page
    page.locator(".making-box summary").click()
    for group, numbers in (("toward", (0, 1)), ("away", (2, 3))):
        for number in numbers:
            page.locator(f".making-group.{group} .photo.own").nth(number).click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make the direction").click()
    page.wait_for_selector(f".direction[data-name={name}]")


def test_a_direction_of_ones_own_moves_the_picture_within_a_mask_and_is_kept_as_a_file(
    open_page: Open, studio_url: str, tmp_path: Path
) -> None:
    """Made of two groups, dragged, kept to a layer's mask, saved, deleted, loaded again."""
    bench = Bench(open_page("paint"), studio_url)
    page = bench.page
    bench.add_layer(4)
    page.keyboard.press("r")
    bench.drag((8, 8), (30, 30))
    layered = bench.until("Painted a rectangle")
    page.keyboard.press("4")
    page.wait_for_selector(".screen.directions")
    made(bench)
    row = page.locator(f".direction[data-name={NAME}]")
    assert "σ apart" in row.inner_text()
    row.get_by_text("with so few photos").wait_for()
    bench.wait(f"document.querySelector('[data-name={NAME}] .strip-image').naturalWidth > 0")

    slider = row.get_by_role("slider", name=NAME)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    moved = bench.until(NAME)
    assert moved["directions"][0]["strength"] > 1.5
    before, after = bench.exact(layered), bench.exact(moved)
    assert np.abs(after - before).mean() > 2
    assert np.abs(bench.shown() - after).mean() < 6

    row.get_by_role("combobox").select_option(index=1)
    kept = bench.until(f"{NAME}: where")
    mask = bench.mask(kept["layers"][0])
    assert kept["directions"][0]["mask"] == kept["layers"][0]["mask"]
    inside = bench.exact(kept, layers=[])
    plain = bench.exact(kept, layers=[], directions=[])
    assert (inside[mask == 0] == plain[mask == 0]).all()
    assert np.abs(inside - plain)[mask == 255].mean() > 2

    with page.expect_download() as download:
        row.get_by_role("button", name=f"Save {NAME} as a file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"{NAME}.safetensors"
    row.get_by_role("button", name=f"Delete {NAME}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    assert bench.until(f"Reset {NAME}")["directions"] == []
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Load from a file").click()
    chooser.value.set_files(file)
    row.wait_for()
    row.locator(".strip-cell").last.click()
    assert bench.until(NAME)["directions"][0]["strength"] == 2
    page.get_by_role("button", name="Reset all").click()
    assert bench.until("Reset all directions")["directions"] == []
    assert bench.findings() == []


def test_the_keyboard_alone_makes_and_moves_a_direction_on_a_narrow_screen(
    open_page: Open, studio_url: str
) -> None:
    """390 pixels wide; what is missing is said beside the button."""
    bench = Bench(open_page("directions", width=390, height=844), studio_url)
    page, keyboard = bench.page, bench.page.keyboard
    bench.tab_to(".making-box summary")
    keyboard.press("Enter")
    bench.tab_to(".making .main")
    keyboard.press("Enter")
    page.get_by_text("Choose at least one photo that has it.").wait_for()
    for group, steps, back in (("toward", 0, "Shift+Tab"), ("away", 2, "Tab")):
        bench.tab_to(f".making-group.{group} .photo.own", back)
        for _ in range(steps):
            keyboard.press("ArrowRight")
        keyboard.press("Enter")
    bench.tab_to(".making input[type=text]")
    keyboard.type("keys")
    keyboard.press("Enter")
    page.wait_for_selector(".direction[data-name=keys]")
    bench.tab_to(".direction[data-name=keys] input[type=range]")
    for _ in range(5):
        keyboard.press("ArrowRight")
    assert bench.until("keys")["directions"] == [
        {"name": "keys", "strength": 0.5, "mask": None, "feather": 0}
    ]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert bench.findings() == []
