"""The studio under ONNX Runtime: the frames are those of torch."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.web.studios import half, ids, photo, pixels, recipe, shipped

from swapae.cli.main import main
from swapae.web.opening import Opening
from swapae.web.schemas import ClickRequest, SaveRequest
from swapae.web.studio import Studio

pytest.importorskip("onnx", reason="needs the extra swapae[onnx]")
pytest.importorskip("onnxruntime", reason="needs the extra swapae[onnx]")


@cache
def under_onnx() -> Studio:
    """What `swapae studio --backend onnx` makes in the model's process."""
    return Opening("synthetic64", "cpu", "onnx")()  # type: ignore[return-value]


def frames(studio: Studio) -> dict[str, np.ndarray]:
    """What the screens ask for, of the same images."""
    a, b, c = ids(studio)[:3]
    shot = studio.add_image(photo(50, 81, seed=3)).id
    mask = studio.add_mask(half(64, 64)).id
    parts: list[dict[str, Any]] = [{"image": a, "weight": 1.0}, {"image": b, "weight": 2.0}]
    move = {"name": studio.directions()[0].name, "strength": 1.5}
    recipes = {
        "swap": recipe(a, b, strength=1.3),
        "photo": recipe(shot, c),
        "mix": recipe(a, textures=parts),
        "paint": recipe(a, layers=[{"texture": b, "mask": mask, "feather": 2.0}]),
        "direction": recipe(a, b, directions=[move]),
        "direction in a mask": recipe(a, directions=[move | {"mask": mask}]),
    }
    return {name: pixels(studio, one) for name, one in recipes.items()}


def test_every_kind_of_frame_is_that_of_torch_within_a_level() -> None:
    expected = frames(shipped())
    for name, frame in frames(under_onnx()).items():
        assert np.abs(frame.astype(int) - expected[name].astype(int)).max() <= 1, name
        assert frame.std() > 10, name


def test_a_click_finds_the_same_region() -> None:
    masks = []
    for studio in (shipped(), under_onnx()):
        click = ClickRequest(image=ids(studio)[0], x=0.5, y=0.5)
        masks.append(np.array(Image.open(io.BytesIO(studio.click_mask(click)[1]))))
    assert (masks[0] != masks[1]).mean() < 0.01


def test_about_names_what_runs_the_model() -> None:
    assert (under_onnx().about().backend, under_onnx().about().device) == ("onnx", "cpu")
    assert shipped().about().backend == "torch"


def test_sessions_are_few_and_have_the_threads_of_torch() -> None:
    frames(under_onnx())
    runner = under_onnx().model._runner()
    sessions = runner._sessions()._sessions  # type: ignore[attr-defined]
    before = dict(sessions)
    assert 1 < len(before) <= 4
    threads = {one.get_session_options().intra_op_num_threads for one in before.values()}
    assert threads == {torch.get_num_threads()}
    frames(under_onnx())
    assert sessions == before


def test_a_picture_saved_under_one_renders_under_the_other(tmp_path: Path) -> None:
    a, b = ids(shipped())[:2]
    file = tmp_path / "saved.png"
    file.write_bytes(shipped().save(SaveRequest(recipe=recipe(a, b, seed=None))))
    for backend in ("torch", "onnx"):
        words = ["render", str(file), "-m", "synthetic64", "--device", "cpu", "--backend", backend]
        assert main([*words, "-o", str(tmp_path / f"{backend}.png")]) == 0
    one, other = (np.array(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("torch", "onnx"))
    assert np.abs(one - other).max() <= 1
