"""A page whose weights are stored as float16 is half as large, and shows the same pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser.conftest import PREFIX, Served, Visit
from tests.browser.test_page import CLOSE, codes_of, decoded, tile

from swapae.cli.main import main
from swapae_onnx import SwappingAutoencoder

pytestmark = pytest.mark.browser
ROUNDED = 0.01  # what rounding the weights may change, of values in [-1, 1]


def test_float16_weights_load_half_the_bytes_and_give_the_picture_that_python_gives(
    browser: Any, served: Served, page_folder: Path, model: Any
) -> None:
    folder = page_folder.parents[1] / "half"
    words = ["--web", str(folder), "--precision", "float16-weights", "--device", "cpu", "--quiet"]
    assert main(["export", "synthetic64", *words]) == 0
    loaded, whole = (json.loads((one / "page.json").read_text())["bytes"] for one in (folder, page_folder))
    for name in ("encoder.onnx", "generator.onnx"):
        assert loaded[name] < 0.52 * whole[name]

    one = Visit(browser, served.url.replace(PREFIX, "half"))
    one.settle()
    one.page.click(tile("structure", 3))
    one.page.click(tile("texture", 7))
    found = one.floats()
    one.close()
    assert one.said == []
    a, b = (codes_of(SwappingAutoencoder.from_pretrained(folder), folder, number) for number in (3, 7))
    same = SwappingAutoencoder.from_pretrained(folder).decode(type(a)(a.structure, b.texture, a.size))[0]
    assert np.abs(found - same).max() <= CLOSE
    a, b = (codes_of(model, folder, number) for number in (3, 7))
    expected = decoded(model, type(a)(a.structure, b.texture, a.size))
    assert 0 < np.abs(found - expected).max() <= ROUNDED
