"""Scenes of which one thing changes: they are the truth against which edits are shown and measured."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from swapae.data.synthetic import render, sample_scenes, silhouette

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    import benchmarks.edit_scenes

    return benchmarks.edit_scenes


DRAWN = sample_scenes(3, [4])


def means(structure: object, texture: object) -> np.ndarray:
    """The mean red, green and blue of a picture."""
    return render(structure, texture, 32)[0].mean((0, 1))  # type: ignore[arg-type]


def test_light_from_cool_to_warm_is_redder_and_less_blue(scenes: ModuleType) -> None:
    red_over_blue = [
        np.subtract(*means(DRAWN.structure, scenes.warmed(DRAWN.texture, warmth))[[0, 2]])
        for warmth in (-1, 0, 1)
    ]
    assert np.all(np.diff(red_over_blue) > 2)


def test_a_turn_keeps_the_floor_and_a_whole_one_changes_nothing(scenes: ModuleType) -> None:
    once = scenes.spun(DRAWN.structure, 1.0)
    np.testing.assert_allclose(once.rotation, DRAWN.structure.rotation, atol=1e-6)
    quarter = scenes.spun(DRAWN.structure, 0.25)
    np.testing.assert_allclose(quarter.rotation[:, 2], DRAWN.structure.rotation[:, 2], atol=1e-6)
    np.testing.assert_allclose(quarter.rotation[0] @ quarter.rotation[0].T, np.eye(3), atol=1e-5)
    assert not np.allclose(quarter.rotation, DRAWN.structure.rotation, atol=0.1)


def test_a_grown_thing_covers_more(scenes: ModuleType) -> None:
    small, own = (silhouette(scenes.grown(DRAWN.structure, scale), 32).mean() for scale in (0.7, 1.0))
    assert small / own == pytest.approx(0.49, abs=0.05)


def test_between_two_structures_the_ends_are_these(scenes: ModuleType) -> None:
    far = scenes.grown(scenes.lit(DRAWN.structure, 0.2), 0.8)
    for share, expected in ((0.0, DRAWN.structure), (1.0, far)):
        middle = scenes.between(DRAWN.structure, far, share)
        np.testing.assert_allclose(middle.light, expected.light, atol=1e-6)
        np.testing.assert_allclose(middle.scale, expected.scale, atol=1e-6)
    half = scenes.between(DRAWN.structure, far, 0.5)
    assert np.linalg.norm(half.light) == pytest.approx(1)
    assert half.scale[0] == pytest.approx(0.9 * DRAWN.structure.scale[0])


def test_clothes_are_of_one_picture_and_light_and_backdrop_of_another(scenes: ModuleType) -> None:
    other = sample_scenes(3, [5]).texture
    made = scenes.clothed(DRAWN.texture, other)
    assert made.material == other.material
    np.testing.assert_array_equal(made.palette, other.palette)
    np.testing.assert_array_equal(made.light, DRAWN.texture.light)
    np.testing.assert_array_equal(made.backdrop, DRAWN.texture.backdrop)


def test_decibels_are_those_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.edit_cells import decibels, near
    from PIL import Image

    black, gray = Image.new("RGB", (4, 4)), Image.new("RGB", (4, 4), (51, 51, 51))
    assert decibels(black, gray) == pytest.approx(20 * np.log10(255 / 51))
    assert near([gray], [gray, black], [black]).endswith("dB (unedited 76.1)")
