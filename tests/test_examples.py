"""The examples run."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Photo = Callable[..., Path]

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_readmes_picture_has_a_row_a_structure_and_a_column_a_texture(tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "true_swaps.py"))

    example["main"](str(tmp_path / "picture.png"), size=16)

    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (7 * 20 - 4, 4 * 20 - 4)


def test_a_folder_gets_a_look_and_what_cannot_be_read_is_told(
    photo: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    for seed in range(2):
        photo(f"photos/{seed}.jpg", seed=seed)
    (tmp_path / "photos" / "note.jpg").write_text("no picture")
    look = photo("snow.jpg", seed=7)
    example = runpy.run_path(str(EXAMPLES / "folder_in_a_look.py"))

    (refused,) = example["main"](str(tmp_path / "photos"), str(look), str(tmp_path / "out"), str(tiny_model))

    assert "note.jpg" in refused
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]
    with Image.open(tmp_path / "out" / "0.png") as picture:
        assert picture.size == (20, 16)


def test_an_exported_model_swaps_at_three_strengths_without_pytorch(
    photo: Photo, tiny_model: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")
    from swapae.cli.main import main

    assert main(["export", str(tiny_model), "--onnx", str(tmp_path / "exported"), "--quiet"]) == 0
    a, b = photo("a.png", seed=1), photo("b.png", seed=2)
    example = runpy.run_path(str(EXAMPLES / "onnx_swap.py"))

    example["main"](str(tmp_path / "exported"), str(a), str(b), str(tmp_path / "out.png"))

    made = [tmp_path / f"out_{strength}.png" for strength in ("0.5", "1", "1.25")]
    assert main(["swap", str(a), str(b), "-m", str(tiny_model), "-o", str(tmp_path / "by_torch.png")]) == 0
    with Image.open(made[1]) as one, Image.open(tmp_path / "by_torch.png") as other:
        pairs = zip(one.tobytes(), other.convert("RGB").tobytes(), strict=True)
        assert max(abs(x - y) for x, y in pairs) <= 1
    assert len({path.read_bytes() for path in made}) == 3
