"""Every kind of recipe is what `swapae.editing` makes, to the bit."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.web.studios import codes_of, decoded, float_photo, half, ids, photo, pixels, recipe, shipped

from swapae.cli.main import main
from swapae.codes import Codes
from swapae.editing import (
    Direction,
    Layer,
    apply,
    interpolate,
    kept_outside,
    mix,
    painted,
    region_mask,
    within,
)
from swapae.errors import UserError
from swapae.images import resize, to_pil
from swapae.web.errors import UnknownId
from swapae.web.render import Pace, fitted, smaller
from swapae.web.schemas import Recipe, RenderRequest, StripRequest
from swapae.web.studio import Studio

LIGHT = Direction("light", "texture", torch.nn.functional.normalize(torch.arange(256.0) - 99, dim=0), 0.3)
SHAPE = Direction("shape", "structure", torch.nn.functional.normalize(torch.arange(8.0) - 3, dim=0), 0.4)


@pytest.fixture(scope="module", autouse=True)
def _directions() -> None:
    shipped().shelf.carry([LIGHT, SHAPE])


def test_a_swap_is_the_first_structure_with_the_other_texture() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    own, other = codes_of(studio, a), codes_of(studio, b)
    swapped = Codes(own.structure, other.texture, own.size)
    assert np.array_equal(pixels(studio, recipe(a, b)), decoded(studio, swapped))


def test_without_a_texture_it_is_the_reconstruction() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    plain = decoded(studio, codes_of(studio, a))
    assert np.array_equal(pixels(studio, recipe(a)), plain)
    assert np.array_equal(pixels(studio, recipe(a, b, strength=0.0)), plain)
    assert not np.array_equal(pixels(studio, recipe(a, b)), plain)


@pytest.mark.parametrize("path", ["sphere", "line"])
@pytest.mark.parametrize("strength", [0.4, 1.5, -1.0])
def test_a_strength_goes_on_past_the_swap(strength: float, path: str) -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    own, other = codes_of(studio, a), codes_of(studio, b)
    wanted = interpolate(own, other, texture=strength, path=path)  # type: ignore[arg-type]
    assert np.array_equal(pixels(studio, recipe(a, b, strength=strength, path=path)), decoded(studio, wanted))


@pytest.mark.parametrize("path", ["sphere", "line"])
def test_textures_and_structures_mix_by_weights(path: str) -> None:
    studio, keys = shipped(), ids(shipped())[:8]
    every = [codes_of(studio, key) for key in keys]
    weights = [1.0, 2, 0, 0.5, 3, 1, 1, 4]
    parts = [{"image": key, "weight": weight} for key, weight in zip(keys, weights, strict=True)]
    mixed = Recipe.model_validate({"structures": parts, "textures": parts[::-1], "path": path})
    structure = mix(every, structures=weights, path=path).structure  # type: ignore[arg-type]
    texture = mix(every[::-1], textures=weights[::-1], path=path).texture  # type: ignore[arg-type]
    wanted = Codes(structure, texture, every[0].size)
    assert np.array_equal(pixels(studio, mixed), decoded(studio, wanted))


def test_a_structure_of_another_size_is_that_of_the_resized_photo() -> None:
    studio, (a, *_) = shipped(), ids(shipped())
    odd = photo(50, 81)
    added = studio.add_image(odd)
    parts = [{"image": a}, {"image": added.id}]
    mixed = Recipe.model_validate({"structures": parts})
    other = studio.model.encode_image(resize(Image.fromarray(odd), (64, 64)))
    own = codes_of(studio, a)
    wanted = mix([own, Codes(other.structure, own.texture, own.size)], structures=[1, 1])
    assert np.array_equal(pixels(studio, mixed), decoded(studio, wanted))
    studio.library.image(added.id).photo = None
    other_way = Recipe.model_validate({"structures": parts[::-1]})
    assert pixels(studio, mixed).shape == (64, 64, 3)  # it is remembered
    assert pixels(studio, other_way).shape == (50, 81, 3)  # the gallery's photo is there
    studio.library.image(added.id).resized.clear()
    with pytest.raises(UserError, match="add it again"):
        studio.render(RenderRequest(recipe=mixed, side=60))


def test_directions_are_taken_in_their_order_and_masks_keep_them_in() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    mask = studio.add_mask(half(64, 64))
    held = {"mask": mask.id, "feather": 3.0}
    moves = [
        {"name": "light", "strength": 1.5},
        {"name": "shape", "strength": -2.0, **held},
        {"name": "light", "strength": 2.0, **held},
    ]
    base = apply(interpolate(codes_of(studio, a), codes_of(studio, b), texture=0.5), LIGHT, 1.5)
    inside = region_mask(torch.from_numpy(half(64, 64)).float()[None, None] / 255, base, 4, 3.0)
    codes = within(base, apply(apply(base, SHAPE, -2.0), LIGHT, 2.0), inside)
    free = pixels(studio, recipe(a, b, strength=0.5, directions=moves, outside="free"))
    assert np.array_equal(free, decoded(studio, codes))
    plain = pixels(studio, recipe(a, b, strength=0.5, directions=moves))
    assert np.array_equal(plain[:, 35:], decoded(studio, base)[:, 35:])
    assert not np.array_equal(plain[:, 35:], free[:, 35:])
    assert np.array_equal(plain[:, :29], free[:, :29])


@pytest.mark.parametrize("outside", ["plain", "photo", "free"])
def test_layers_are_painted_over_each_other(outside: str) -> None:
    studio, (a, b, c, *_) = shipped(), ids(shipped())
    shot = photo(50, 81, seed=2)
    own = studio.model.encode_image(Image.fromarray(shot))
    image = studio.add_image(shot)
    left, top = half(50, 81), half(81, 50).T.copy()
    masks = [studio.add_mask(left), studio.add_mask(top)]
    layers = [
        {"texture": b, "mask": masks[0].id, "feather": 5.0, "strength": 0.75},
        {"texture": c, "mask": masks[1].id, "feather": 0.0, "strength": 1.25},
        {"texture": a, "mask": masks[1].id, "visible": False},
    ]
    arrays = [torch.from_numpy(mask).float()[None, None] / 255 for mask in (left, top)]
    regions = [region_mask(mask, own, 4, feather) for mask, feather in zip(arrays, (5.0, 0.0), strict=True)]
    wanted = painted(
        own,
        [
            Layer(codes_of(studio, b).texture, regions[0], 0.75),
            Layer(codes_of(studio, c).texture, regions[1], 1.25),
        ],
    )
    frame = studio.model.decode(wanted)
    if outside != "free":
        around = float_photo(shot) if outside == "photo" else studio.model.decode(own)
        uncovered = torch.ones(1, 1, 1, 1)
        for mask, feather in zip(arrays, (5.0, 0.0), strict=True):
            uncovered = uncovered * (1 - region_mask(mask, own, 4, feather, detail=4))
        frame = kept_outside(around, frame, (1 - uncovered)[..., :50, :81])
    found = pixels(studio, recipe(image.id, layers=layers, outside=outside))
    assert np.array_equal(found, np.array(to_pil(frame[0].numpy())))


def test_the_commands_make_the_same_pictures(tmp_path: Path) -> None:
    studio = shipped()
    shots = [photo(50, 81, seed=3), photo(64, 40, seed=4)]
    a, b = (studio.add_image(shot).id for shot in shots)
    mask = studio.add_mask(half(50, 81))
    for name, array in zip(("a", "b", "m"), (*shots, half(50, 81)), strict=True):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / f"{name}.png") for name in "abm"]
    layers = [{"texture": b, "mask": mask.id, "feather": 3.0}]
    cases = {
        "swap": (["swap", *files[:2], "--strength", "1.3"], recipe(a, b, strength=1.3, path="line")),
        "paint": (
            ["paint", files[0], "--texture", files[1], "--mask", files[2], "--feather", "3"],
            recipe(a, layers=layers),
        ),
    }
    for name, (words, same) in cases.items():
        out = tmp_path / f"{name}-out.png"
        assert main([*words, "-m", "synthetic64", "-o", str(out), "--device", "cpu"]) == 0
        assert np.array_equal(pixels(studio, same), np.array(Image.open(out))), name


def test_a_seed_fixes_the_noise_and_none_adds_none() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    own, other = codes_of(studio, a), codes_of(studio, b)
    swapped = Codes(own.structure, other.texture, own.size)
    noisy = pixels(studio, recipe(a, b, seed=3))
    assert np.array_equal(noisy, decoded(studio, swapped, 3))
    assert not np.array_equal(noisy, pixels(studio, recipe(a, b)))
    assert not np.array_equal(noisy, pixels(studio, recipe(a, b, seed=4)))


def test_a_side_makes_pictures_smaller_never_larger() -> None:
    studio = shipped()
    image = studio.add_image(photo(50, 81))
    full = pixels(studio, recipe(image.id))
    assert pixels(studio, recipe(image.id), side=4000).shape == full.shape == (50, 81, 3)
    small = pixels(studio, recipe(image.id), side=27)
    assert np.array_equal(small, np.array(resize(Image.fromarray(full), (27, 17))))
    assert fitted(Image.new("RGB", (1000, 1)), 10).size == (10, 1)


def test_a_quick_frame_is_smaller_only_where_the_full_one_is_slow() -> None:
    studio = shipped()
    image = studio.add_image(photo(96, 128, seed=5))
    of = recipe(image.id, ids(studio)[0])
    pace, studio._renderer.pace = studio._renderer.pace, Pace()
    try:
        studio._renderer.pace.take(24 * 32, 5.0)  # the first of a size has buffers to make
        quick = studio.render(RenderRequest(recipe=of, quality="fast", format="png"))
        assert (quick.full, quick.width, quick.height) == (True, 128, 96)
        for seconds in (0.08, 0.9, 2.0, 0.3, 1.5):  # a busy machine, but not always
            studio._renderer.pace.take(24 * 32, seconds)
            assert studio.render(RenderRequest(recipe=of, quality="fast", format="png")).full
        for _ in range(5):
            studio._renderer.pace.take(24 * 32, 0.4)
        quick = studio.render(RenderRequest(recipe=of, quality="fast", format="png"))
        assert (quick.full, quick.width, quick.height) == (False, 64, 48)
        asked = studio.render(RenderRequest(recipe=of, quality="full", format="png"))
        assert (asked.full, asked.width, asked.height) == (True, 128, 96)
    finally:
        studio._renderer.pace = pace


def test_smaller_codes_keep_a_plain_picture_plain() -> None:
    studio = shipped()
    own = studio.model.encode_image(Image.new("RGB", (130, 65), (200, 80, 40)))
    less = smaller(own, 0.5)
    assert less.structure.shape[2:] == (8, 16)  # of 17 and 33 places
    assert less.size == (30, 63)
    assert smaller(own, 1.0) is own
    colours = decoded(studio, less).reshape(-1, 3).mean(0), decoded(studio, own).reshape(-1, 3).mean(0)
    assert np.abs(colours[0] - colours[1]).max() < 25


def test_a_mask_in_a_quick_frame_still_keeps_what_is_outside() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    mask = studio.add_mask(half(64, 64))
    of = recipe(a, layers=[{"texture": b, "mask": mask.id}])
    picture = np.array(studio._renderer.picture(of, 0.5))
    bare = np.array(studio._renderer.picture(recipe(a), 0.5))
    assert picture.shape == (32, 32, 3)
    assert np.array_equal(picture[:, 16:], bare[:, 16:])
    assert not np.array_equal(picture[:, :16], bare[:, :16])


def test_a_row_along_a_direction_shows_its_strengths() -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    mask = studio.add_mask(half(64, 64))
    layers = [{"texture": b, "mask": mask.id}]
    moves = [{"name": "light", "strength": 0.3}, {"name": "shape", "strength": 1.0, "mask": mask.id}]
    for outside in ("plain", "photo", "free"):
        of = recipe(a, b, strength=0.5, directions=moves, layers=layers, outside=outside)
        made = studio.strip(
            StripRequest(recipe=of, name="light", strengths=[-2, 0.0, 1.5], side=64, format="png")
        )
        assert (made.width, made.height) == (192, 64)
        row = np.array(Image.open(io.BytesIO(made.data))).astype(int)
        for number, strength in enumerate((-2, 0.0, 1.5)):
            moved = [moves[0] | {"strength": strength}, moves[1]]
            alone = pixels(
                studio, recipe(a, b, strength=0.5, directions=moved, layers=layers, outside=outside)
            )
            assert np.abs(row[:, 64 * number : 64 * (number + 1)] - alone).max() <= 1


def test_what_is_not_there_is_said() -> None:
    studio, (a, *_) = shipped(), ids(shipped())
    with pytest.raises(UnknownId, match="0000"):
        studio.render(RenderRequest(recipe=recipe("0" * 64)))
    with pytest.raises(UnknownId, match="mask"):
        studio.render(RenderRequest(recipe=recipe(a, layers=[{"texture": a, "mask": a}])))
    with pytest.raises(UnknownId, match="Did you mean 'light'"):
        studio.render(RenderRequest(recipe=recipe(a, directions=[{"name": "ligth", "strength": 1}])))


def test_a_photo_that_has_gone_is_asked_for_again() -> None:
    studio, (a, *_) = shipped(), ids(shipped())
    image, mask = studio.add_image(photo(64, 64, seed=9)), studio.add_mask(half(64, 64))
    of = recipe(image.id, layers=[{"texture": a, "mask": mask.id}], outside="photo")
    assert pixels(studio, of).shape == (64, 64, 3)
    studio.library.image(image.id).photo = None
    with pytest.raises(UserError, match="only its codes"):
        studio.render(RenderRequest(recipe=of, side=63))


def test_the_frame_outside_masks_is_decoded_once_for_all_strengths(monkeypatch: pytest.MonkeyPatch) -> None:
    studio, (a, b, *_) = shipped(), ids(shipped())
    mask = studio.add_mask(half(64, 64)[::-1].copy())
    calls: list[int] = []
    decode = studio.model.decode
    monkeypatch.setattr(studio.model, "decode", lambda *given: (calls.append(1), decode(*given))[1])
    for strength in (0.31, 0.32, 0.33):
        layer = {"texture": b, "mask": mask.id, "strength": strength}
        pixels(studio, recipe(a, strength=0.123, layers=[layer], textures=[{"image": b}]))
    assert len(calls) == 4
    pixels(studio, recipe(a, strength=0.123, layers=[layer], textures=[{"image": b}]))
    assert len(calls) == 4  # the same again is not computed again


def test_a_first_row_of_pictures_of_a_large_photo_is_made_small_at_once() -> None:
    studio = Studio(shipped().model, "synthetic64", max_side=256)
    image = studio.add_image(photo(256, 192)).id
    renderer = studio._renderer
    assert renderer.scale_of(recipe(image), 96, 9) == 96 / 256
    for _ in range(2):  # the first tells nothing
        renderer.pace.take(64 * 48, 0.001)
    assert renderer.scale_of(recipe(image), 96, 9) == 1.0
    for _ in range(5):
        renderer.pace.take(64 * 48, 9.0)
    assert renderer.scale_of(recipe(image), 96, 9) == 96 / 256
