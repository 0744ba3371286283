"""Masks, strokes and recipes of the page, as plain modules in a browser: no server, no model."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.web.modules import imported

from swapae.editing import feathered, mask_of

pytestmark = pytest.mark.browser
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(browser: Any) -> Iterator[Run]:
    """Run the body of an async function of `given`, to which modules are known by their names."""
    names = {name: f"paint/{name}.js" for name in ("raster", "strokes", "png", "masks", "outline")}
    more = {"paint": "paint/recipe.js", "directions": "directions/recipe.js"}
    with imported(browser, **names, **more) as page:
        yield lambda body, argument=None: page.evaluate(f"async (given) => {{ {body} }}", argument)


def pixels(found: dict[str, Any]) -> np.ndarray:
    """A raster's bytes, which cross as a list."""
    return np.array(found["data"], dtype=np.uint8).reshape(found["height"], found["width"])


LISTED = "const listed = (found) => ({...found, data: [...found.data]});"


def drawn(run: Run, body: str, width: int = 24, height: int = 16) -> np.ndarray:
    """What `body` makes of an empty raster `it`."""
    return pixels(
        run(f"{LISTED} let it = raster.blank({width}, {height}); {body}; return listed(it)")
    ).astype(int)


def test_a_brush_covers_the_area_of_its_stroke_and_nothing_farther_away(run: Run) -> None:
    """A capsule: two half circles and a rectangle."""
    found = drawn(run, "raster.brushed(it, [6, 8], [16, 8], 6)")
    assert abs(found.sum() / 255 - (np.pi * 9 + 60)) < 1.5
    rows, columns = np.mgrid[:16, :24] + 0.5
    away = np.hypot(rows - 8, columns - columns.clip(6, 16))
    assert (found[away > 3.5] == 0).all()
    assert (found[away < 2.5] == 255).all()


def test_a_brush_of_one_pixel_paints_one_pixel(run: Run) -> None:
    """The least size there is."""
    found = drawn(run, "raster.brushed(it, [5.5, 3.5], [5.5, 3.5], 1)")
    assert found.sum() == 255
    assert found[3, 5] == 255


def test_strokes_over_each_other_do_not_add_up_and_an_eraser_takes_all_away(run: Run) -> None:
    """Soft edges, too."""
    once = drawn(run, "raster.brushed(it, [9, 8], [9, 8], 5)")
    twice = drawn(run, "for (const _ of [1, 2]) raster.brushed(it, [9, 8], [9, 8], 5)")
    erased = drawn(run, "raster.brushed(it, [9, 8], [9, 8], 5); raster.brushed(it, [9, 8], [9, 8], 7, true)")
    assert (once == twice).all()
    assert once.any()
    assert not erased.any()


def test_a_rectangle_covers_its_area_to_parts_of_pixels_whichever_corner_comes_first(run: Run) -> None:
    """Beyond the border it is cut."""
    found = drawn(run, "raster.boxed(it, [10.5, 12], [2, 3.25])")
    assert abs(found.sum() / 255 - 8.5 * 8.75) < 0.2
    assert (found[4:12, 2:10] == 255).all()
    assert found[3, 5] == round(0.75 * 255)
    assert drawn(run, "raster.boxed(it, [-9, -9], [99, 99])").min() == 255


def test_a_lasso_fills_its_outline_and_loops_of_it(run: Run) -> None:
    """A triangle by its area; a figure of eight on both sides."""
    triangle = drawn(run, "raster.filled(it, [[2, 2], [20, 2], [2, 14]])")
    assert abs(triangle.sum() / 255 - 18 * 12 / 2) < 1
    eight = drawn(run, "raster.filled(it, [[2, 2], [22, 14], [22, 2], [2, 14]])")
    assert eight[8, 4] == eight[8, 20] == 255
    assert eight[3, 12] == 0
    assert not drawn(run, "raster.filled(it, [[2, 2], [20, 2]])").any()


def test_the_feather_shown_is_that_of_the_pictures(run: Run) -> None:
    """`swapae.editing.feathered`, to a step of gray."""
    mask = (np.random.default_rng(0).random((13, 20)) > 0.6).astype(np.uint8) * 255
    it = "{width: 20, height: 13, data: Uint8Array.from(given)}"
    body = f"{LISTED} return listed(raster.feathered({it}, 3.7))"
    found = pixels(run(body, mask.ravel().tolist()))
    wanted = feathered(torch.from_numpy(mask / 255.0).float()[None, None], 3.7)[0, 0].numpy() * 255
    assert np.abs(found - wanted).max() < 0.51
    assert 0 < found.std() < mask.std()


def test_a_mask_is_written_as_a_png_that_reads_as_the_same_mask(run: Run) -> None:
    """By Pillow, as the server does, and again in the page."""
    body = """
    const it = raster.blank(7, 5);
    it.data.forEach((_, at) => { it.data[at] = (at * 37) % 256; });
    const blob = await png.encoded(it);
    const again = await masks.decoded(blob);
    return {bytes: [...new Uint8Array(await blob.arrayBuffer())], isSame: raster.isEqual(it, again)};
    """
    found = run(body)
    picture = Image.open(io.BytesIO(bytes(found["bytes"])))
    picture.load()
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (7, 5))
    assert (np.array(picture).ravel() == np.arange(35) * 37 % 256).all()
    assert found["isSame"]


def test_a_picture_is_read_as_a_mask_as_the_command_reads_it(run: Run) -> None:
    """White is inside, black and what is transparent outside (`mask_of`)."""
    rng = np.random.default_rng(1)
    array = rng.integers(0, 256, (6, 5, 4), dtype=np.uint8)
    array[..., 3] = rng.choice([0, 255], (6, 5))
    picture = Image.fromarray(array)
    file = io.BytesIO()
    picture.save(file, "PNG")
    body = "return [...(await masks.decoded(new Blob([Uint8Array.from(given)]))).data]"
    found = np.array(run(body, list(file.getvalue()))).reshape(6, 5)
    assert np.abs(found - mask_of(picture)[0, 0].numpy() * 255).max() <= 1


def test_resizing_keeps_areas_where_it_shrinks_and_pixels_where_it_grows(run: Run) -> None:
    """Every old pixel counts as much as it covers."""
    small = drawn(run, "raster.boxed(it, [0, 0], [12, 16]); it = raster.resized(it, 7, 5)")
    assert small.shape == (5, 7)
    assert abs(small.mean() - 127.5) < 1
    large = drawn(run, "raster.boxed(it, [0, 0], [1, 1]); it = raster.resized(it, 48, 32)")
    assert (large[:2, :2] == 255).all()
    assert large.sum() == 4 * 255


STROKE = f"""{LISTED}
const base = raster.blank(24, 16);
const stroke = (tool, from, more = {{}}) => strokes.begun(tool, base, from, {{diameter: 3, ...more}});
"""


def test_shift_makes_a_stroke_straight_from_where_the_last_one_ended(run: Run) -> None:
    """As painting programs do; the mask before stays as it is."""
    body = """
    const one = stroke("brush", [12, 12], {before: [2, 3]});
    one.move([20, 14], {isStraight: true});
    one.move([21, 3], {isStraight: true});
    const wanted = raster.brushed(raster.blank(24, 16), [2, 3], [21, 3], 3);
    return [raster.isEqual(one.raster(), wanted), raster.isEmpty(base)];
    """
    assert run(STROKE + body) == [True, True]


def test_a_stroke_rastered_on_its_way_ends_as_one_that_was_not(run: Run) -> None:
    """Only what is new is drawn."""
    body = """
    const [one, other] = [stroke("brush", [3, 3]), stroke("brush", [3, 3])];
    for (const point of [[9, 4], [12, 9], [20, 12]]) { one.move(point); one.raster(); other.move(point); }
    return [raster.isEqual(one.raster(), other.raster()), raster.share(one.raster()) > 0.05];
    """
    assert run(STROKE + body) == [True, True]


def test_shift_makes_a_rectangle_square_and_an_eraser_takes_away(run: Run) -> None:
    """Towards the pointer."""
    body = """
    const square = stroke("rectangle", [12, 10]); square.move([4, 8], {isStraight: true});
    const eraser = strokes.begun("eraser", raster.blank(24, 16, 255), [12, 8], {diameter: 4});
    return [listed(square.raster()), listed(eraser.raster())];
    """
    square, erased = map(pixels, run(STROKE + body))
    assert (square > 0).sum() == 64
    assert (square[2:10, 4:12] == 255).all()
    assert erased[8, 12] == 0
    assert erased[0, 0] == 255


def test_brushes_grow_by_single_pixels_and_large_ones_by_more_within_bounds(run: Run) -> None:
    """[ and ] from end to end."""
    body = """
    const {resizedBrush, MOST_BRUSH} = strokes;
    const sizes = [[5, 1], [5, -1], [1, -1], [100, 1]].map(([size, by]) => resizedBrush(size, by));
    return [...sizes, resizedBrush(MOST_BRUSH, 1) === MOST_BRUSH];
    """
    assert run(body) == [6, 4, 1, 110, True]


def test_the_outline_goes_along_the_sides_of_what_is_inside(run: Run) -> None:
    """A rectangle has four sides; nothing has none."""
    box = "raster.boxed(raster.blank(9, 9), [2, 3], [6, 5])"
    found = run(f"return [outline.outlined({box}), outline.outlined(raster.blank(3, 3))]")
    assert found == ["M2 3H6M2 5H6M2 3V5M6 3V5", ""]


RECIPE = {
    "textures": [{"image": "b", "weight": 1}],
    "strength": 1,
    "directions": [{"name": "texture1", "strength": 1, "mask": "m1", "feather": 0}],
    "layers": [
        {"texture": "b", "mask": "m1", "strength": 1, "feather": 0, "visible": True},
        {"texture": "c", "mask": "m2", "strength": 1, "feather": 0, "visible": True},
    ],
}


def edited(run: Run, body: str) -> Any:
    """What becomes of `RECIPE`, which itself must stay."""
    found = run(
        "const before = JSON.stringify(given);"
        f"const made = {body}; return [made, JSON.stringify(given) === before]",
        RECIPE,
    )
    assert found[1]
    return found[0]


def test_directions_follow_the_mask_of_a_layer_that_is_painted_on(run: Run) -> None:
    """But not while another layer has the old one."""
    found = edited(run, "paint.repainted(given, 0, 'm9')")
    assert [layer["mask"] for layer in found["layers"]] == ["m9", "m2"]
    assert found["directions"][0]["mask"] == "m9"
    shared = edited(run, "paint.repainted({...given, layers: [given.layers[0], given.layers[0]]}, 0, 'm9')")
    assert shared["directions"][0]["mask"] == "m1"


def test_layers_are_moved_deleted_and_changed_without_touching_the_others(run: Run) -> None:
    """In a new recipe."""
    order = [layer["mask"] for layer in edited(run, "paint.moved(given, 0, 1)")["layers"]]
    assert order == ["m2", "m1"]
    assert edited(run, "paint.moved(given, 1, 1)")["layers"] == RECIPE["layers"]
    assert edited(run, "paint.removed(given, 0)")["layers"] == RECIPE["layers"][1:]
    assert edited(run, "paint.changed(given, 1, {visible: false})")["layers"][1]["visible"] is False


def test_painting_what_the_whole_picture_is_made_of_is_noticed(run: Run) -> None:
    """Else a first stroke would show nothing."""
    assert edited(run, "paint.isPaintedOver(given, 'b')") is True
    assert edited(run, "paint.isPaintedOver(given, 'c')") is False
    assert edited(run, "paint.isPaintedOver({...given, strength: 0}, 'b')") is False


def test_a_direction_that_moves_nothing_is_no_part_of_the_recipe(run: Run) -> None:
    """One with a mask is: the mask is kept for the next move."""
    found = edited(run, "directions.moving(given, 'structure2', {strength: 0.5})")
    assert [move["name"] for move in found["directions"]] == ["texture1", "structure2"]
    assert (
        edited(run, "directions.moving(given, 'structure2', {strength: 0})")["directions"]
        == RECIPE["directions"]
    )
    assert edited(run, "directions.moving(given, 'texture1', {strength: 0})")["directions"][0]["mask"] == "m1"
    assert edited(run, "directions.moving(given, 'texture1', {strength: 0, mask: null})")["directions"] == []


def test_small_pictures_along_a_direction_do_not_depend_on_how_far_it_is_moved(run: Run) -> None:
    """But on everything else."""
    body = """
    const key = (recipe) => directions.stripKey(recipe, "texture2");
    const other = directions.moving(given, "texture2", {strength: 2});
    const changed = [{...given, strength: 0.5}, directions.moving(given, "texture1", {strength: 2})];
    return [other, ...changed].map((recipe) => key(recipe) === key(given));
    """
    assert run(body, json.loads(json.dumps(RECIPE))) == [True, False, False]
