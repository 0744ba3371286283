"""Photos far larger than those the model has learnt from: the page says so, and offers copies of its size."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")
from playwright.sync_api import expect
from tests.web.test_page import controls, drop, pixels

pytestmark = pytest.mark.browser


def photo(width: int, height: int) -> bytes:
    """A picture's file: soft random colours."""
    coarse = np.random.default_rng(width).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def test_a_photo_far_too_large_is_exchanged_for_a_smaller_copy_by_one_click(
    open_page: Callable[..., Any],
) -> None:
    page = open_page()
    drop(page, "body", ("wide.png", photo(300, 200)))
    notice = page.locator(".toast", has_text="64 × 64")
    expect(notice).to_be_visible()
    page.wait_for_function("() => document.querySelector('canvas.frame')?.width === 300")
    assert pixels(page).shape == (200, 300, 3)

    notice.get_by_role("button", name="Use a smaller copy").click()
    page.wait_for_function("() => document.querySelector('canvas.frame').width === 144")
    assert pixels(page).shape == (96, 144, 3)
    assert controls(page)["names"][0] == "wide"
    expect(page.locator(".side.structure .forget")).to_have_count(1)  # the large one has gone from the list
    expect(page.locator(".toast")).to_have_count(0)

    page.keyboard.press("Control+z")
    page.wait_for_function("() => document.querySelector('canvas.frame').width === 300")


def test_of_a_photo_that_the_model_can_do_with_nothing_is_said(open_page: Callable[..., Any]) -> None:
    page = open_page()
    drop(page, "body", ("small.png", photo(160, 128)))
    page.wait_for_function("() => document.querySelector('canvas.frame')?.width === 160")
    assert pixels(page).shape == (128, 160, 3)
    expect(page.locator(".toast")).to_have_count(0)
