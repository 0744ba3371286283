"""The examples run."""

import runpy
from pathlib import Path

from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_readmes_picture_has_a_row_a_structure_and_a_column_a_texture(tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "true_swaps.py"))

    example["main"](str(tmp_path / "picture.png"), size=16)

    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (7 * 20 - 4, 4 * 20 - 4)
