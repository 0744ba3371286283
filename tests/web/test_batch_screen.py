"""The screen Batch, as a person uses it: many photos in, one of them broken, pictures out."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect
from tests.web.looks import PATIENCE, no_serious_finding, no_sideways_scrolling

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Any]

DROP = """([files, where]) => {
  const transfer = new DataTransfer();
  for (const {name, text} of files) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type: "image/png"}));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer});
    document.querySelector(where).dispatchEvent(event);
  }
}"""


def photo(seed: int, size: tuple[int, int] = (72, 56)) -> bytes:
    """A picture of soft colours, as PNG."""
    draw = np.random.default_rng(seed)
    small = Image.fromarray(draw.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize(size, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


FIVE = {
    "sea.png": photo(1),
    "forest.jpeg": photo(2, (64, 80)),
    "broken.png": photo(3)[:60],
    "sea.webp": photo(4),
    "été 写真.png": photo(5),
}


def pixels(file: bytes) -> Any:
    """The colours of a picture."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files on the screen."""
    import base64

    given = [{"name": name, "text": base64.b64encode(data).decode()} for name, data in files.items()]
    page.evaluate(DROP, [given, ".screen.batch"])


def begin(page: Page, files: dict[str, bytes]) -> None:
    """Drop files, and have the look applied to them."""
    drop(page, files)
    page.get_by_role("button", name=re.compile("^Apply to")).click()


def through(page: Page, count: int) -> None:
    """Wait until so many photos are through."""
    expect(page.locator(".batch-summary")).to_contain_text(f"{count} of {count} through")


def let_go(page: Page, held: list[Route]) -> None:
    """Let the first request that is held go on: it has left the page a moment before it is seen here."""
    end = time.monotonic() + PATIENCE
    while not held:
        assert time.monotonic() < end
        page.wait_for_timeout(20)
    held.pop(0).continue_()


STORED = """async () => {
  const asked = indexedDB.open("swapae-batch");
  await new Promise((resolve) => { asked.onsuccess = resolve; });
  const read = (name) => new Promise((resolve) => {
    const all = asked.result.transaction(name).objectStore(name).getAll();
    all.onsuccess = () => resolve(all.result);
  });
  const [photos, states, facts] = [await read("photos"), await read("states"), await read("facts")];
  asked.result.close();
  const done = states.filter(({state}) => state === "done").length;
  return [photos.length, done, facts.some(({isRunning}) => isRunning)];
}"""


def stored(page: Page, photos: int, done: int, is_running: bool) -> None:
    """Wait until the browser keeps so much: who leaves earlier is asked whether to lose it."""
    end = time.monotonic() + PATIENCE
    while (there := page.evaluate(STORED)) != [photos, done, is_running]:
        assert time.monotonic() < end, there
        page.wait_for_timeout(20)


def states(page: Page) -> list[str | None]:
    """The states of all photos, in order."""
    return [row.get_attribute("data-state") for row in page.locator(".batch-row").all()]


def test_four_of_five_photos_come_back_in_a_zip_where_one_is_broken(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page("batch")
    page.allowed.append("422")
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    begin(page, FIVE)
    through(page, 5)

    assert states(page) == ["done", "done", "failed", "done", "done"]
    sentence = page.locator(".batch-row[data-state=failed] .batch-state").inner_text()
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    expect(page.locator(".batch-picture img")).to_have_count(4)

    with page.expect_download() as got:
        page.get_by_role("button", name=re.compile("^Download all as a zip")).click()
    got.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["sea.png", "forest.png", "sea (2).png", "été 写真.png"]
        sizes = [Image.open(io.BytesIO(archive.read(name))).size for name in archive.namelist()]
        first = archive.read("sea.png")
    assert sizes == [(72, 56), (64, 80), (72, 56), (72, 56)]
    assert b"swapae-recipe" in first

    api = page.evaluate("location.origin + '/api/v1'")
    sent = [answer for answer in answers if answer.url.endswith("/images") and answer.status == 201]
    ids = [answer.json()["id"] for answer in sent]
    assert len(ids) == 4
    for one in ids:  # the server has forgotten them
        assert page.request.get(f"{api}/images/{one}/thumbnail").status == 404
    again = page.request.post(f"{api}/images", data=FIVE["sea.png"], headers=BYTES).json()["id"]
    recipe = page.evaluate(RECIPE, first.hex())
    recipe["structures"][0]["image"] = again
    recipe["textures"][0]["image"] = page.locator(".batch-textures img").get_attribute("src").split("/")[-2]
    body = {"recipe": recipe, "format": "png"}
    alone = page.request.post(f"{api}/render", data=json.dumps(body), headers=JSON).body()
    assert np.array_equal(
        *(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (first, alone))
    )


BYTES = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
RECIPE = """async (hex) => {
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const answer = await fetch("/api/v1/recipes", {
    method: "POST", body: bytes, headers: {"Content-Type": "application/octet-stream"},
  });
  return (await answer.json()).recipe;
}"""


COUNTED = """() => {
  const before = window.fetch;
  window.most = 0;
  let now = 0;
  window.fetch = async (path, how) => {
    if (how?.method !== "POST") return before(path, how);
    now += 1;
    window.most = Math.max(window.most, now);
    try { return await before(path, how); } finally { now -= 1; }
  };
}"""


def test_no_more_than_two_photos_are_under_way_and_a_busy_server_is_asked_again(open_page: OpenPage) -> None:
    page = open_page("batch")
    page.allowed.append("429")
    page.evaluate(COUNTED)
    refused = []

    def busy(route: Route) -> None:
        if len(refused) == 3:
            return route.continue_()
        refused.append(route.request.url)
        body = json.dumps({"error": "the queue is full.", "code": "busy"})
        return route.fulfill(status=429, headers={"Retry-After": "0.2"}, body=body)

    page.route("**/api/v1/save", busy)
    begin(page, {f"{seed}.png": photo(seed) for seed in range(5)})
    through(page, 5)
    assert states(page) == ["done"] * 5
    assert len(refused) == 3
    assert page.evaluate("window.most") == 2


def test_a_batch_is_paused_cancelled_and_tried_again(open_page: OpenPage) -> None:
    page = open_page("batch")
    held: list[Route] = []
    page.route("**/api/v1/save", lambda route: held.append(route))
    begin(page, {f"{seed}.png": photo(seed) for seed in range(4)})
    expect(page.locator("[data-state=rendering]")).to_have_count(2)
    page.get_by_role("button", name="Pause").click()
    let_go(page, held)
    expect(page.locator("[data-state=done]")).to_have_count(1)
    assert sorted(map(str, states(page))) == ["done", "rendering", "waiting", "waiting"]
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-state=stopped]")).to_have_count(3)
    page.unroute("**/api/v1/save")
    page.get_by_role("button", name="Try 3 again").click()
    expect(page.locator(".batch-row[data-state=done]")).to_have_count(4)


def test_the_batch_goes_on_while_another_screen_is_open(open_page: OpenPage) -> None:
    page = open_page("batch")
    held: list[Route] = []
    page.route("**/api/v1/save", lambda route: held.append(route))
    begin(page, {f"{seed}.png": photo(seed) for seed in range(3)})
    page.keyboard.press("6")
    expect(page.locator(".screen.runs")).to_be_visible()
    for _ in range(3):
        let_go(page, held)
    expect(page.locator(".toast")).to_contain_text("Batch: 3 pictures")
    page.keyboard.press("5")
    expect(page.locator(".batch-row[data-state=done]")).to_have_count(3)


def test_a_batch_outlives_the_page_with_its_pictures_its_own_texture_and_its_place(
    open_page: OpenPage,
) -> None:
    """Loaded anew twice: in the middle, when it goes on by itself, and with a photo that waits for a word."""
    page = open_page("swap")
    page.on("dialog", lambda dialog: dialog.accept())  # whether to leave: closing would lose the batch
    with page.expect_file_chooser() as asked:
        page.get_by_role("button", name="Add photos").last.click()
    asked.value.set_files([{"name": "my wall.png", "mimeType": "image/png", "buffer": photo(9, (64, 64))}])
    expect(page.locator(".side.texture .chosen-name")).to_have_text("my wall")
    page.keyboard.press("5")
    held: list[Route] = []
    page.route("**/api/v1/save", lambda route: held.append(route))
    page.wait_for_selector(".screen.batch")
    begin(page, {f"{seed}.png": photo(seed) for seed in range(4)} | {"broken.png": photo(3)[:60]})
    page.allowed.append("422")
    look = page.locator(".batch-look p").first.inner_text()
    assert "my wall" in look
    for _ in range(2):
        let_go(page, held)
    expect(page.locator("[data-state=done]")).to_have_count(2)
    stored(page, 5, 2, True)
    page.unroute("**/api/v1/save")
    page.reload()
    page.wait_for_selector(".screen.batch")
    through(page, 5)
    assert sorted(map(str, states(page))) == ["done"] * 4 + ["failed"]
    assert page.locator(".batch-look p").first.inner_text() == look
    expect(page.locator(".batch-picture img")).to_have_count(4)
    drop(page, {"later.png": photo(8)})
    stored(page, 6, 4, False)
    page.reload()
    expect(page.locator(".batch-row")).to_have_count(6)
    expect(page.get_by_role("button", name="Go on with 1 photo")).to_be_visible()  # it had been told nothing
    page.get_by_role("button", name="Clear the list").click()
    page.get_by_role("button", name="Clear it").click()
    expect(page.locator(".batch-row")).to_have_count(0)
    stored(page, 0, 0, False)
    page.reload()
    page.wait_for_selector(".screen.batch")
    expect(page.locator(".batch-none")).to_be_visible()


def test_a_batch_is_made_by_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page("batch", width=390, height=844)
    tab_to(page, "Choose photos")
    with page.expect_file_chooser() as asked:
        page.keyboard.press("Enter")
    asked.value.set_files([{"name": "a.png", "mimeType": "image/png", "buffer": photo(1)}])
    expect(page.get_by_role("button", name="Apply to 1 photo")).to_be_enabled()  # the page has its first look
    page.keyboard.press("Control+Enter")
    through(page, 1)
    tab_to(page, "Download a.png")
    with page.expect_download() as got:
        page.keyboard.press("Enter")
    assert got.value.suggested_filename == "a.png"
    tab_to(page, "Remove a.png")
    page.keyboard.press("Enter")
    expect(page.locator(".batch-row")).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "Choose photos"


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of that name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        named = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        if page.evaluate(named).strip() == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_nobody_is_shut_out_of_the_batch(open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page("batch", width=width, scheme=scheme)
    page.allowed.append("415")
    no_serious_finding(page)
    begin(page, {"sea.png": photo(1), "broken.png": b"nothing"})
    through(page, 2)
    no_serious_finding(page)
    no_sideways_scrolling(page)
