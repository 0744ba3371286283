"""The page computes what Python computes, and asks nobody but its plain server of files."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.browser.conftest import PATIENCE, PREFIX, Served, Visit
from tests.web.looks import no_serious_finding, no_sideways_scrolling
from tests.web.test_page import drop, photo

pytestmark = pytest.mark.browser
CLOSE = 1e-3


def codes_of(model: Any, folder: Path, number: int) -> Any:
    """Codes of a sample, by PyTorch."""
    return model.encode_image(folder / f"samples/{number:02}.png")


def decoded(model: Any, codes: Any) -> Any:
    return model.decode(codes)[0].numpy()


def tile(side: str, number: int) -> str:
    return f".side.{side} [data-id='sample-{number}']"


def test_a_swap_of_two_samples_equals_that_of_python_and_so_does_its_png(
    opened: Visit, page_folder: Path, model: Any
) -> None:
    from swapae.images import to_pil

    opened.page.click(tile("structure", 3))
    opened.page.click(tile("texture", 7))
    ours = model.swap_images(page_folder / "samples/03.png", page_folder / "samples/07.png")
    a, b = codes_of(model, page_folder, 3), codes_of(model, page_folder, 7)
    expected = decoded(model, type(a)(a.structure, b.texture, a.size))
    found = opened.floats()
    assert np.abs(found - expected).max() <= CLOSE
    picture = opened.saved()
    assert picture.mode == "RGB"
    levels = np.asarray(picture).astype(int)
    assert np.abs(levels - np.asarray(ours)).max() <= 1
    assert np.array_equal(levels, np.asarray(to_pil(found)))  # rounded as Python rounds
    assert np.abs(expected - decoded(model, a)).max() > 0.3  # a swap is not its own reconstruction


def test_the_slider_goes_the_way_that_python_goes(opened: Visit, page_folder: Path, model: Any) -> None:
    from swapae.editing import interpolate

    page = opened.page
    page.click(tile("structure", 3))
    page.click(tile("texture", 7))
    a, b = codes_of(model, page_folder, 3), codes_of(model, page_folder, 7)
    for strength in (0.35, 1.6, 0):
        page.fill(".slider.strength .value", str(strength))
        expected = decoded(model, interpolate(a, b, texture=strength))
        assert np.abs(opened.floats() - expected).max() <= CLOSE
    page.fill(".slider.strength .value", "1")


def test_mixes_of_textures_and_of_structures_equal_those_of_python(
    opened: Visit, page_folder: Path, model: Any
) -> None:
    from swapae.editing import mix

    ask = """(recipe) => swapae.state.set({recipe: {...swapae.state.get().recipe, ...recipe}})"""
    weights = [3, 1, 0, 2]
    parts = [{"image": f"sample-{i + 1}", "weight": weight} for i, weight in enumerate(weights)]
    every = [codes_of(model, page_folder, i) for i in (1, 2, 3, 4)]
    opened.page.evaluate(ask, {"structures": parts[:1], "textures": parts, "strength": 1})
    assert np.abs(opened.floats() - decoded(model, mix(every, textures=weights))).max() <= CLOSE
    opened.page.evaluate(ask, {"structures": parts, "textures": parts})
    both = decoded(model, mix(every, textures=weights, structures=weights))
    assert np.abs(opened.floats() - both).max() <= CLOSE
    opened.page.evaluate(ask, {"structures": parts[:1], "textures": parts, "path": "line"})
    line = decoded(model, mix(every, textures=weights, path="line"))
    assert np.abs(opened.floats() - line).max() <= CLOSE
    opened.page.evaluate(ask, {"textures": parts[:1], "path": "sphere"})


def test_the_pad_mixes_by_mouse_and_keys_and_only_the_newest_picture_is_shown(opened: Visit) -> None:
    page = opened.page
    page.click("#tab-mix")
    page.wait_for_selector(".screen.mix .pad")
    box = page.locator(".field").bounding_box()
    seen = """() => {
        globalThis.seen = [];
        swapae.live.subscribe((kind, {frame}) => kind === 'frame' && seen.push(frame.seq));
    }"""
    page.evaluate(seen)
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=8)
    page.mouse.up()
    opened.settle()
    shares = "() => [...document.querySelectorAll('.corner span')].map((one) => parseInt(one.textContent))"
    assert page.evaluate(shares) == [25, 25, 25, 25]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    opened.settle()
    assert page.evaluate(shares) == [20, 30, 20, 30]
    order = page.evaluate("() => seen")
    assert order == sorted(order)
    assert order[-1] == page.evaluate("() => Number(document.querySelector('canvas.frame').dataset.seq)")
    page.click("#tab-swap")
    page.wait_for_selector(".screen.swap .stage")


def test_photos_of_any_size_equal_python_and_go_nowhere(
    opened: Visit, model: Any, page_folder: Path, served: Served
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize((75, 53), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "PNG")
    opened.page.click(tile("texture", 5))
    opened.settle()
    count = len(served.log)
    drop(opened.page, ".side.structure .slot", ("own.png", file.getvalue()))
    opened.page.wait_for_selector(".side.structure [data-id^='photo-'].chosen")
    found = opened.floats()
    other = codes_of(model, page_folder, 5)
    own = model.encode_image(picture)
    expected = decoded(model, type(own)(own.structure, other.texture, own.size))
    assert found.shape == (3, 53, 75)
    assert np.abs(found - expected).max() <= CLOSE
    others = [line for line in served.log[count:] if not line.startswith(f'"GET /{PREFIX}/samples/')]
    assert others == []  # pictures of the gallery may be wanted only when they come into sight


def test_transparency_and_orientation_are_kept(opened: Visit) -> None:
    page = opened.page
    rgba = np.random.default_rng(2).integers(0, 256, (40, 24, 4), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG")
    drop(page, ".side.structure .slot", ("glass.png", file.getvalue()))
    page.wait_for_function(
        "() => document.querySelector('.side.structure .chosen-name').textContent === 'glass'"
    )
    opened.settle()
    picture = opened.saved()
    assert (picture.mode, picture.size) == ("RGBA", (24, 40))
    assert np.array_equal(np.asarray(picture)[..., 3], rgba[..., 3])

    lying, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° to be upright
    Image.new("RGB", (48, 32), "teal").save(lying, "JPEG", exif=exif)
    drop(page, ".side.structure .slot", ("lying.jpg", lying.getvalue()))
    page.wait_for_function(
        "() => document.querySelector('.side.structure .chosen-name').textContent === 'lying'"
    )
    assert opened.floats().shape == (3, 48, 32)


def test_what_is_no_picture_is_a_sentence_and_a_large_one_is_made_smaller(opened: Visit) -> None:
    page = opened.page
    drop(page, ".side.texture .slot", ("broken.png", b"\x89PNG\r\n\x1a\n and no more"))
    notice = page.locator(".toast.error")
    notice.wait_for()
    assert "broken.png: this is no picture" in notice.inner_text()
    page.keyboard.press("Escape")
    file = io.BytesIO()
    Image.new("RGB", (2048, 30), "teal").save(file, "PNG")
    drop(page, ".side.texture .slot", ("wide.png", file.getvalue()))
    page.get_by_text("wide was 2048 × 30; it is worked on as 1024 × 15").wait_for()
    opened.settle()
    page.locator(".toast [aria-label='Close']").first.click()
    page.click(tile("structure", 1))
    page.click(tile("texture", 2))
    opened.settle()


def test_a_photo_far_larger_than_the_model_knows_is_exchanged_for_a_smaller_copy(opened: Visit) -> None:
    page = opened.page
    file = io.BytesIO()
    Image.new("RGB", (150, 200), "teal").save(file, "PNG")
    drop(page, ".side.structure .slot", ("tall.png", file.getvalue()))
    page.locator(".toast", has_text="64 × 64").get_by_role("button", name="Use a smaller copy").click()
    page.wait_for_function("() => document.querySelector('canvas.frame').height === 128")
    assert opened.floats().shape == (3, 128, 96)
    page.click(tile("structure", 1))
    opened.settle()


def test_by_the_keyboard_alone(opened: Visit) -> None:
    page = opened.page
    opened.settle()
    page.locator(".side.structure .photo.own.chosen").focus()
    page.keyboard.press("ArrowRight")
    chosen = page.get_attribute(".side.structure .chosen", "data-id")
    page.locator(".slider.strength input[type=range]").focus()
    before = page.evaluate("() => swapae.state.get().recipe.strength")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("() => swapae.state.get().recipe.strength") == pytest.approx(before - 0.05)
    opened.settle()
    page.locator(".window").focus()
    page.keyboard.down("Space")
    page.wait_for_selector(".original", state="visible")
    page.keyboard.up("Space")
    page.wait_for_selector(".original", state="hidden")
    page.keyboard.press("x")
    page.wait_for_function(f"() => document.querySelector('.side.texture .chosen').dataset.id === '{chosen}'")
    page.keyboard.press("Control+z")
    page.wait_for_function(
        f"() => document.querySelector('.side.structure .chosen').dataset.id === '{chosen}'"
    )
    page.wait_for_function("() => document.getElementById('status').textContent !== ''")


def test_the_page_is_one_thread_behind_a_plain_server_and_says_where_photos_stay(opened: Visit) -> None:
    page = opened.page
    assert page.evaluate("crossOriginIsolated") is False
    for answer in opened.answers:
        assert not {"cross-origin-opener-policy", "cross-origin-embedder-policy"} & set(answer.headers)
    assert page.get_attribute("#private", "data-backend") == "wasm"
    assert "stay on this machine" in page.inner_text("#private")
    loaded = [url.rsplit("/", 1)[1] for url in opened.asked]
    assert "ort-wasm-simd-threaded.wasm.gz" in loaded
    assert not [name for name in loaded if "asyncify" in name or "webgpu" in name]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_nobody_is_shut_out_and_nothing_is_wider_than_the_window(
    opened: Visit, width: int, scheme: str
) -> None:
    page = opened.page
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for screen in ("mix", "swap"):
        page.click(f"#tab-{screen}")
        page.wait_for_selector(f".screen.{screen} .stage:not(.working):not(.empty)")
        no_serious_finding(page)
        no_sideways_scrolling(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")


def test_a_missing_file_is_a_sentence(browser: Any, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/generator.onnx", lambda route: route.fulfill(status=404, body="no"))
    page.goto(served.url)
    page.get_by_text("generator.onnx could not be loaded (404)").wait_for()
    context.close()


@pytest.fixture(scope="module")
def bare(visit: Callable[..., Visit], page_folder: Path) -> Visit:
    """A page without samples, whose WebGPU does not come."""
    page = json.loads((page_folder / "page.json").read_text(encoding="utf-8")) | {"samples": []}
    routes = {
        "**/page.json": lambda route: route.fulfill(json=page),
        "**/*asyncify.wasm.gz": lambda route: route.abort(),
    }
    one = visit("?backend=webgpu", routes=routes, viewport={"width": 1440, "height": 900})
    one.allowed.append("ERR_FAILED")
    one.page.wait_for_selector(".screen.swap .stage")
    return one


def test_where_webgpu_fails_webassembly_goes_on(bare: Visit) -> None:
    """Its runtime does not come; that sessions cannot be made, or break, is in `test_modules`."""
    assert bare.page.get_attribute("#private", "data-backend") == "wasm"
    assert "by WebAssembly" in bare.page.inner_text("#private")
    assert bare.page.locator(".state.bad").count() == 0


def test_without_samples_ones_own_photos_do_in_mix_as_in_swap(bare: Visit) -> None:
    page = bare.page
    page.click("#tab-mix")
    page.wait_for_selector(".screen.mix .stage")
    assert not page.is_visible(".pad")
    drop(page, ".corner-picker .picker", ("one.png", photo(1)))
    page.wait_for_function("() => document.querySelectorAll('.corner').length === 1")
    drop(page, ".corner-picker .picker", ("two.png", photo(2)))
    page.wait_for_function("() => document.querySelectorAll('.corner').length === 2")
    bare.settle()
    textures = page.evaluate("() => swapae.state.get().recipe.textures")
    assert [part["weight"] for part in textures] == [1, 0]
    assert len({part["image"] for part in textures}) == 2
    assert bare.floats().shape == (3, 64, 64)


def test_a_page_opened_as_a_file_says_what_it_needs(browser: Any, page_folder: Path) -> None:
    page = browser.new_page()
    page.goto((page_folder / "index.html").as_uri())
    page.get_by_text("python -m http.server").wait_for()
    page.close()
