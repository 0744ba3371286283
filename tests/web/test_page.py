"""The studio's page in Chromium, against the real server: what a person does, step by step."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.web.looks import still

pytestmark = pytest.mark.browser
SETTLED = "() => !document.querySelector('.stage.working, .stage.empty')"


def settle(page: Any) -> None:
    """Wait until the picture on screen is that of the recipe."""
    page.wait_for_function(SETTLED)


def pixels(page: Any) -> np.ndarray[Any, Any]:
    """The picture on the stage, uint8 [H, W, 3]."""
    settle(page)
    read = """() => {
        const canvas = document.querySelector('canvas.frame');
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return {data: [...data], width: canvas.width, height: canvas.height};
    }"""
    found = page.evaluate(read)
    return np.array(found["data"], np.uint8).reshape(found["height"], found["width"], 4)[..., :3]


def drop(page: Any, where: str, *files: tuple[str, bytes]) -> None:
    """Drop files on an element, as from a folder."""
    sent = [[name, list(data)] for name, data in files]
    script = """([where, files]) => {
        const carried = new DataTransfer();
        for (const [name, data] of files) {
            carried.items.add(new File([new Uint8Array(data)], name, {type: 'image/png'}));
        }
        const target = document.querySelector(where);
        for (const kind of ['dragenter', 'dragover', 'drop']) {
            const how = {dataTransfer: carried, bubbles: true, cancelable: true};
            target.dispatchEvent(new DragEvent(kind, how));
        }
    }"""
    page.evaluate(script, [where, sent])


def photo(seed: int) -> bytes:
    """A picture's file: soft random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def controls(page: Any) -> dict[str, Any]:
    """What the controls of Swap show."""
    script = """() => ({
        strength: document.querySelector('.slider.strength input[type=range]').value,
        structure: document.querySelector('.side.structure .chosen')?.dataset.id ?? null,
        texture: document.querySelector('.side.texture .chosen')?.dataset.id ?? null,
        names: [...document.querySelectorAll('.chosen-name')].map((name) => name.textContent),
    })"""
    return dict(page.evaluate(script))


def tile(side: str, at: int) -> str:
    return f".side.{side} .those > :nth-child({at}) .own"


def test_a_swap_is_on_screen_at_once_and_one_click_changes_either_side(open_page: Callable[..., Any]) -> None:
    page = open_page()
    first = pixels(page)
    assert first.shape == (64, 64, 3)
    assert first.std() > 5
    page.click(tile("texture", 5))
    second = pixels(page)
    assert np.abs(second.astype(int) - first).mean() > 2
    page.click(tile("structure", 6))
    assert np.abs(pixels(page).astype(int) - second).mean() > 2
    assert "with the texture of" in page.get_attribute("canvas.frame", "aria-label")
    page.click("button.model")
    page.wait_for_selector("dialog[open] .facts")
    assert "Runs by\ntorch, on cpu" in page.inner_text("dialog[open] .facts")


def test_a_session_with_own_photos_is_undone_redone_saved_and_restored(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page()
    drop(page, "body", ("mine.png", photo(1)), ("other.png", photo(2)))
    page.wait_for_function("() => document.querySelectorAll('.side.structure .forget').length === 2")
    assert controls(page)["names"] == ["mine", "other"]
    full = pixels(page)

    rail = page.locator(".slider.strength input[type=range]").bounding_box()
    page.mouse.move(rail["x"] + rail["width"] / 2, rail["y"] + rail["height"] / 2)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(rail["x"] + rail["width"] * (0.5 - 0.04 * step), rail["y"] + rail["height"] / 2)
    page.mouse.up()
    dragged, mine = pixels(page), controls(page)
    assert 0.3 < float(mine["strength"]) < 0.6
    assert np.abs(dragged.astype(int) - full).mean() > 1

    steps = page.locator(".steps button").count()
    page.keyboard.press("Control+z")  # the whole drag is one step
    assert controls(page)["strength"] == "1"
    assert np.array_equal(pixels(page), full)
    page.keyboard.press("Control+Shift+Z")
    assert controls(page) == mine
    assert np.array_equal(pixels(page), dragged)
    assert page.locator(".steps button").count() == steps
    assert page.locator(".steps img").count() >= 2

    with page.expect_download() as waiting:
        page.keyboard.press("Control+s")
    saved = tmp_path / "saved.png"
    waiting.value.save_as(saved)
    with Image.open(saved) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), dragged)
        recipe = json.loads(image.text["swapae-recipe"])  # type: ignore[attr-defined]
    assert recipe["strength"] == float(mine["strength"])
    assert "mine" not in json.dumps(recipe)  # no names of files

    again = open_page()
    assert controls(again) != mine
    drop(again, "body", ("saved.png", saved.read_bytes()))
    again.wait_for_selector(".toast.good")
    assert np.array_equal(pixels(again), dragged)
    assert {**controls(again), "names": None} == {**mine, "names": None}


def test_everything_of_a_swap_works_by_keyboard_alone(open_page: Callable[..., Any]) -> None:
    page = open_page()
    first, before = pixels(page), controls(page)
    focus = "() => document.activeElement.closest('.side, .slider, .stage')?.className ?? ''"

    def tab_to(part: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if part in page.evaluate(focus) and page.evaluate(
                "document.activeElement.matches('.own, input')"
            ):
                return
        raise AssertionError(f"Tab never comes to {part}")

    tab_to("side structure")
    page.keyboard.press("ArrowRight")  # the next photo is chosen
    tab_to("slider strength")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    after = controls(page)
    assert after["strength"] == "0.895"
    assert after["structure"] != before["structure"]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # the focus is seen
    assert not np.array_equal(pixels(page), first)

    page.keyboard.down("Space")
    assert page.is_visible(".original")
    page.keyboard.up("Space")
    assert not page.is_visible(".original")
    page.keyboard.press("x")
    assert controls(page)["structure"] == after["texture"]
    page.keyboard.press("2")
    page.wait_for_selector(".screen.mix .pad")
    assert page.get_attribute("#tab-mix", "aria-selected") == "true"
    page.keyboard.press("1")
    page.wait_for_selector(".screen.swap")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_function("() => document.getElementById('status').textContent !== ''")


def test_the_pad_mixes_up_to_four_photos_by_mouse_keys_and_numbers(open_page: Callable[..., Any]) -> None:
    page = open_page("mix")
    settle(page)
    shares = "() => [...document.querySelectorAll('.corner span')].map((one) => parseInt(one.textContent))"
    assert sorted(page.evaluate(shares)) == [0, 0, 0, 100]
    first = pixels(page)
    box = page.locator(".field").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=6)
    page.mouse.up()
    assert page.evaluate(shares) == [25, 25, 25, 25]
    middle = pixels(page)
    assert np.abs(middle.astype(int) - first).mean() > 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(shares) == [20, 30, 20, 30]
    page.click("[aria-label='Remove the chosen corner']")
    assert len(page.evaluate(shares)) == 3
    page.keyboard.press("Control+z")
    assert page.evaluate(shares) == [20, 30, 20, 30]
    page.keyboard.press("Control+z")  # to the middle, by the keys' step
    assert page.evaluate(shares) == [25, 25, 25, 25]
    assert np.array_equal(pixels(page), middle)
    page.click(".segmented label:nth-child(2)")  # structures
    assert not np.array_equal(pixels(page), middle)
    assert page.locator(".toast.error, .state.bad").count() == 0


def test_until_the_model_is_there_the_page_says_so_once_and_keeps_what_was_chosen(
    open_page: Callable[..., Any], studio_url: str
) -> None:
    page = open_page("batch")
    page.allowed += ["503", "ERR_FAILED"]
    wait = json.dumps({"error": "the studio is loading its model.", "code": "loading"})
    is_away = False

    def answer(route: Any) -> None:
        if is_away:
            route.abort()
        else:
            route.fulfill(status=503, headers={"Retry-After": "0.1"}, body=wait)

    page.route("**/api/v1/model", answer)
    page.goto(f"{studio_url}/")
    page.get_by_text("The model is being loaded").wait_for()
    assert page.get_by_text("The model is being loaded").count() == 1
    page.get_by_role("tab", name="Mix").click()
    is_away = True
    page.get_by_text("The studio does not answer").wait_for()
    assert page.get_by_text("The studio does not answer").count() == 1
    assert page.locator(".screen, .toast").count() == 0
    page.unroute("**/api/v1/model")
    page.wait_for_selector(".screen.mix .pad")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_screens_have_no_serious_fault_of_access_and_fit(
    open_page: Callable[..., Any], width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = open_page(width=width, height=844, scheme=scheme)
    page.allowed.append("404")  # there are no runs to look at
    for number, screen in enumerate(("swap", "mix", "paint", "directions", "batch", "runs"), 1):
        page.keyboard.press(str(number))
        page.wait_for_selector(f".screen.{screen} > *")
        page.wait_for_function("() => !document.querySelector('.screen .spinner, .stage.working')")
        still(page)
        found = axe.run(page).response["violations"]
        page.emulate_media(color_scheme="dark" if scheme == "light" else "light")  # colours are the theme's
        still(page)
        found += axe.run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        page.emulate_media(color_scheme=scheme)
        serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
        faults = [(fault["id"], [node["html"][:160] for node in fault["nodes"]]) for fault in serious]
        assert faults == [], screen
        assert page.evaluate("document.documentElement.scrollWidth") <= width, screen
