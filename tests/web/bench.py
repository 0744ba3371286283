"""Paint and Directions driven as by hand, and the studio's exact pixels beside what is on screen."""

import io
import json
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from tests.web.looks import still

Recipe = dict[str, Any]
Point = tuple[float, float]  # in pixels of the picture


class Bench:
    """A page of the studio on one of the two screens.

    Attributes:
        recipe: the one whose picture the page has asked for last.
    """

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.recipe: Recipe = {}
        page.set_default_timeout(120_000)
        page.on("request", self._see)
        page.wait_for_selector(".stage canvas[data-seq]")

    def _see(self, request: Any) -> None:
        if request.url.endswith("/api/v1/render") and request.headers.get("x-channel") == "main":
            self.recipe = request.post_data_json["recipe"]

    # ---- what a hand does

    def until(self, label: str, more: str = "true") -> Recipe:
        """Wait until the step of this label is the last one and its picture is on screen."""
        here = "document.querySelector('.steps .here button')?.title"
        rests = "document.querySelector('.stage').getAttribute('aria-busy') === 'false'"
        self.wait(f"{here} === {json.dumps(label)} && {rests} && ({more})")
        return self.recipe

    def wait(self, expression: str, seconds: float = 120) -> None:
        """Wait until something is so; Playwright's own way is one that the page's security policy forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"it never came to be that {expression}"
            self.page.wait_for_timeout(50)

    def at(self, point: Point) -> tuple[float, float]:
        """Where a point of the picture is on the page."""
        box = self.page.locator(".board").bounding_box()
        width, height = self.size()
        return box["x"] + point[0] / width * box["width"], box["y"] + point[1] / height * box["height"]

    def size(self) -> tuple[int, int]:
        """Of the picture, in pixels."""
        script = "canvas => [canvas.width, canvas.height]"
        width, height = self.page.locator(".board-mask").evaluate(script)
        return width, height

    def drag(self, *points: Point) -> None:
        """Press the button at the first point, move along the others, and let it go."""
        mouse = self.page.mouse
        mouse.move(*self.at(points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(point), steps=3)
        mouse.up()

    def add_layer(self, number: int) -> Recipe:
        """Choose a photo of the strip, the n-th, to paint with its texture."""
        layers = self.page.locator(".layer").count() + 1
        self.page.locator(".bench .picker.texture .photo.own").nth(number).click()
        return self.until("Added a layer", f"document.querySelectorAll('.layer').length === {layers}")

    def tab_to(self, selector: str, key: str = "Tab", most: int = 80) -> None:
        """Press Tab, or Shift+Tab, until something is in focus, as those do who have no mouse."""
        for _ in range(most):
            if self.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{selector} is not reached by {most} times {key}.")

    # ---- what there is

    def exact(self, recipe: Recipe, **changes: Any) -> np.ndarray:
        """The picture of a recipe as the studio makes it, to the bit: `[H, W, 3]`."""
        body = {"recipe": {**recipe, **changes}, "format": "png"}
        return np.array(Image.open(io.BytesIO(self._answer("render", body))).convert("RGB")).astype(int)

    def mask(self, layer: dict[str, Any]) -> np.ndarray:
        """The mask of a layer as the studio has it, `[H, W]` from 0 to 255."""
        return np.array(Image.open(io.BytesIO(self._answer(f"masks/{layer['mask']}")))).astype(int)

    def shown(self) -> np.ndarray:
        """The pixels on screen."""
        script = """() => {
          const canvas = document.querySelector(".stage canvas.frame");
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.height, canvas.width, [...pixels.data]];
        }"""
        height, width, data = self.page.evaluate(script)
        return np.array(data).reshape(height, width, 4)[..., :3]

    def findings(self) -> Sequence[Any]:
        """What axe-core finds serious or critical."""
        from axe_playwright_python.sync_playwright import Axe

        still(self.page)
        violations = Axe().run(self.page).response["violations"]
        return [
            (one["id"], [node["target"] for node in one["nodes"]][:5])
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]

    def _answer(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bytes(answer.read())
