"""Recipes inside PNGs: all comes back to the bit, or there is one sentence."""

import base64
import contextlib
import io
import json
import random
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.web.studios import half, ids, photo, recipe, shipped

from swapae.cli.main import main
from swapae.errors import UserError
from swapae.web import carried, png
from swapae.web.schemas import NewDirection, OpenedRecipe, Recipe, SaveRequest
from swapae.web.studio import Studio


@pytest.fixture(scope="module")
def saved() -> tuple[Recipe, bytes]:
    """A recipe with all there can be in one, and the PNG of it."""
    studio, (a, b, c, *_) = shipped(), ids(shipped())
    studio.make_direction(NewDirection(name="mine", toward=[a, b], away=[c]))
    image, other = studio.add_image(photo(50, 81, seed=21)), studio.add_image(photo(40, 40, seed=22))
    mask = studio.add_mask(half(50, 81))
    of = Recipe.model_validate(
        {
            "structures": [{"image": image.id}, {"image": other.id, "weight": 0.5}],
            "textures": [{"image": b}, {"image": other.id}],
            "strength": 1.25,
            "directions": [{"name": "mine", "strength": 1.5, "mask": mask.id, "feather": 2.0}],
            "layers": [{"texture": c, "mask": mask.id, "strength": 0.8, "feather": 3.0}],
            "outside": "photo",
            "seed": 5,
        }
    )
    return of, studio.save(SaveRequest(recipe=of))


@pytest.fixture(scope="module")
def elsewhere() -> Studio:
    """Another studio, which knows nothing of the images."""
    studio = shipped()
    return Studio(studio.model, "synthetic64", max_side=256)


def text_in(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(png.text_of(data))
    return found


def with_document(document: object) -> bytes:
    return png.with_text(
        Image.new("RGB", (2, 2)), document if isinstance(document, str) else json.dumps(document)
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def refused(studio: Studio, data: bytes) -> str:
    before = list(studio.library), studio.directions()
    with pytest.raises(UserError) as caught:
        studio.open_recipe(data)
    assert (list(studio.library), studio.directions()) == before
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_saved_picture_opens_elsewhere_to_the_same_picture(
    saved: tuple[Recipe, bytes], elsewhere: Studio
) -> None:
    of, data = saved
    opened = elsewhere.open_recipe(data)
    assert opened.recipe == of
    assert opened.notice == ""
    assert [image.id for image in opened.images] == carried.images_of(of)
    assert [mask.id for mask in opened.masks] == carried.masks_of(of)
    assert [(one.name, one.own) for one in opened.directions] == [("mine", True)]
    assert elsewhere.save(SaveRequest(recipe=opened.recipe)) == data
    for image in opened.images:
        assert elsewhere.thumbnail(image.id) == shipped().thumbnail(image.id)


def test_the_command_makes_the_same_picture_of_it(
    saved: tuple[Recipe, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, data = saved
    file, out = tmp_path / "saved.png", tmp_path / "out.png"
    file.write_bytes(data)
    words = ["-m", "synthetic64", "-o", str(out), "--device", "cpu"]
    assert main(["render", str(file), *words]) == 0
    assert np.array_equal(_pixels(out.read_bytes()), _pixels(data))
    assert b"swapae" not in out.read_bytes()
    capsys.readouterr()
    assert main(["render", str(out), *words, "--force"]) == 1
    assert "carries no recipe" in capsys.readouterr().err


def test_a_saved_picture_carries_one_text_and_nothing_else(saved: tuple[Recipe, bytes]) -> None:
    _, data = saved
    place, kinds = 8, []
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        kinds.append(kind)
        place += length + 12
    assert set(kinds) == {b"IHDR", b"iTXt", b"IDAT", b"IEND"}
    assert set(text_in(data)) == {*Recipe.model_fields, "model", "images", "masks", "directions_used"}
    assert text_in(data)["model"]["name"] == "synthetic64"
    assert not Image.open(io.BytesIO(data)).getexif()


def test_opening_a_picture_twice_changes_nothing(saved: tuple[Recipe, bytes], elsewhere: Studio) -> None:
    _, data = saved
    opened = [elsewhere.open_recipe(data) for _ in range(2)]
    assert opened[0] == opened[1]
    assert [one.name for one in elsewhere.directions()].count("mine") == 1


def test_a_direction_of_a_name_that_is_taken_gets_a_number(saved: tuple[Recipe, bytes]) -> None:
    _, data = saved
    studio, (a, b, c, *_) = Studio(shipped().model, "synthetic64", max_side=256), ids(shipped())
    for key in (a, b, c):
        studio.library.add(shipped().library.image(key))
    studio.make_direction(NewDirection(name="mine", toward=[c], away=[a, b]))
    opened = studio.open_recipe(data)
    assert [move.name for move in opened.recipe.directions] == ["mine 2"]
    assert [one.name for one in opened.directions] == ["mine 2"]
    again = studio.save(SaveRequest(recipe=opened.recipe))
    assert np.array_equal(_pixels(again), _pixels(data))


def test_a_picture_that_another_program_has_saved_anew_is_still_read(saved: tuple[Recipe, bytes]) -> None:
    _, data = saved
    body = png.KEYWORD.encode() + b"\0\0\0en\0Rezept\0" + png.text_of(data).encode()
    start, end = data[:33], data[33:]
    anew = start + chunk(b"tEXt", b"Software\0other") + chunk(b"iTXt", body) + end
    assert png.text_of(anew) == png.text_of(data)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: d.pop("images"), "images"),
        (lambda d: d.update(images={}), "lacks, or has too many"),
        (lambda d: d.update(masks={}), "lacks, or has too many"),
        (lambda d: d.update(directions_used=[]), "lacks, or has too many"),
        (lambda d: d.update(surprise=1), "surprise"),
        (lambda d: d.update(version=2), "version"),
        (lambda d: d["structures"].append({"image": "0" * 64}), "lacks, or has too many"),
        (lambda d: _first(d).update(structure="!"), "no base64"),
        (lambda d: _first(d).update(structure="AAAA"), "3 bytes"),
        (lambda d: _first(d).update(texture=_floats(256, np.nan)), "not finite"),
        (lambda d: _first(d).update(texture=_floats(256, 1)), "not what it says"),
        (lambda d: _first(d).update(size=[50, 82]), "photo has another size"),
        (lambda d: _first(d).update(size=[4096, 4096]), "up to 256 pixels"),
        (lambda d: _first(d).update(size=[0, 5]), "size"),
        (lambda d: _first(d).update(thumbnail=""), "thumbnail is none"),
        (lambda d: _first(d).update(thumbnail=_webp(300)), "thumbnail is too large"),
        (lambda d: _mask(d).update(data=_packed(b"")), "in place of"),
        (lambda d: _mask(d).update(data=_packed(bytes(50 * 81 - 1))), "in place of"),
        (lambda d: _mask(d).update(data=_packed(bytes(10**7))), "more than 4,050 bytes"),
        (lambda d: _mask(d).update(data="AAAA"), "cannot be unpacked"),
        (lambda d: d["directions_used"][0].update(sigma=-1.0), "σ of -1"),
        (lambda d: d["directions_used"][0].update(sigma=1e308), "σ of 1e+308"),
        (lambda d: d["directions_used"][0].update(num_images=10**400), "num_images"),
        (lambda d: d["directions_used"][0].update(shape=[128]), "which are no 128"),
        (lambda d: d["directions_used"][0].update(vector=_floats(256, 1)), "length of 1"),
        (lambda d: d["model"].update(texture_channels=8), "another model, 'synthetic64'"),
        (lambda d: d["model"].update(fingerprint="x"), "fingerprint"),
    ],
)
def test_what_is_spoilt_is_refused_whole(
    saved: tuple[Recipe, bytes], elsewhere: Studio, spoil: Any, said: str
) -> None:
    document = text_in(saved[1])
    spoil(document)
    assert said in refused(elsewhere, with_document(document))


def test_a_picture_from_a_stranger_changes_no_image_that_is_here(saved: tuple[Recipe, bytes]) -> None:
    studio = shipped()
    document = text_in(saved[1])
    key = document["structures"][0]["image"]
    before = studio.thumbnail(key), studio.library.image(key).photo
    _first(document).update(photo=carried._raster(photo(50, 81, seed=99)).model_dump(), thumbnail=_webp(64))
    studio.open_recipe(with_document(document))
    assert studio.thumbnail(key) == before[0]
    assert np.array_equal(studio.library.image(key).photo, before[1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        '{"a":' * 10_000,
        "{" + '"a":1,' * 10**6 + '"b":1}',
        "1e999",
        '"' * 99,
    ],
)
def test_a_text_that_is_no_recipe_is_refused(elsewhere: Studio, text: str) -> None:
    assert refused(elsewhere, with_document(text)).startswith("the recipe in this picture is damaged: ")


def test_a_recipe_of_other_weights_comes_with_a_word(saved: tuple[Recipe, bytes], elsewhere: Studio) -> None:
    document = text_in(saved[1])
    document["model"]["fingerprint"] = "0" * 64
    assert "other weights" in elsewhere.open_recipe(with_document(document)).notice


@pytest.mark.parametrize(
    "make", ["nothing", "jpeg", "plain png", "no end", "cut", "packed otherwise", "half utf8"]
)
def test_a_file_without_a_whole_recipe_is_refused(elsewhere: Studio, make: str) -> None:
    key = png.KEYWORD.encode() + b"\0"
    files = {
        "nothing": b"",
        "jpeg": b"\xff\xd8\xff\xe0",
        "plain png": png.SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""),
        "no end": png.SIGNATURE + struct.pack(">I4s", 2**32 - 1, b"IDAT"),
        "cut": png.SIGNATURE + chunk(b"iTXt", key + b"\1\0\0\0" + zlib.compress(b"{}" * 50))[:-9],
        "packed otherwise": png.SIGNATURE + chunk(b"iTXt", key + b"\1\7\0\0" + zlib.compress(b"{}")),
        "half utf8": png.SIGNATURE + chunk(b"iTXt", key + b"\0\0\0\0\xff"),
    }
    refused(elsewhere, files[make])


def test_a_checksum_that_is_wrong_is_said(saved: tuple[Recipe, bytes], elsewhere: Studio) -> None:
    data = bytearray(saved[1])
    data[data.index(b"iTXt") + 200] ^= 1
    assert "checksum" in refused(elsewhere, bytes(data))


def test_a_bomb_takes_no_more_memory_than_a_recipe_may(elsewhere: Studio) -> None:
    key = png.KEYWORD.encode() + b"\0\1\0\0\0"
    bomb = png.SIGNATURE + chunk(b"iTXt", key + zlib.compress(bytes(10**8), 9))
    assert len(bomb) < 200_000
    tracemalloc.start()
    try:
        assert "more than" in refused(elsewhere, bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * png.MOST_TEXT
    finally:
        tracemalloc.stop()


def test_too_many_pixels_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "MOST_PIXELS", 10_000)
    reader = carried._Reader(shipped().model.config, 256)
    raster = carried.Raster(size=[80, 80], data=_packed(bytes(6400)))
    assert reader.pixels(raster, 1).shape == (80, 80)
    with pytest.raises(ValueError, match="10,000"):
        reader.pixels(carried.Raster(size=[80, 80], data="no zlib"), 1)


def test_a_recipe_too_large_to_be_carried_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MOST_TEXT", 1000)
    with pytest.raises(UserError, match="takes"):
        shipped().save(SaveRequest(recipe=recipe(ids(shipped())[0])))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_pixels_come_back_to_the_bit(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    channels = data.draw(st.sampled_from([1, 3]))
    numbers = data.draw(st.binary(min_size=height * width * channels, max_size=height * width * channels))
    pixels = np.frombuffer(numbers, np.uint8).reshape(height, width, *[3] * (channels == 3))
    reader = carried._Reader(shipped().model.config, 64)
    assert np.array_equal(reader.pixels(carried._raster(pixels), channels), pixels)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_done_to_a_file_it_opens_or_is_refused(
    saved: tuple[Recipe, bytes], elsewhere: Studio, data: st.DataObject
) -> None:
    """Bytes and texts changed at random: the same recipe comes out, another valid one, or one sentence."""
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    if data.draw(st.booleans()):
        spoilt = bytearray(saved[1])
        for _ in range(chance.randint(1, 4)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        given_bytes = bytes(spoilt[: chance.choice([len(spoilt), chance.randrange(len(spoilt))])])
    else:
        text = list(png.text_of(saved[1])[:4000] if chance.random() < 0.3 else png.text_of(saved[1]))
        for _ in range(chance.randint(1, 4)):
            text[chance.randrange(len(text))] = chance.choice('"{}[]:,0x9-eN\\ü')
        given_bytes = with_document("".join(text))
    with contextlib.suppress(UserError):
        assert isinstance(elsewhere.open_recipe(given_bytes), OpenedRecipe)


def _pixels(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)))


def _first(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["images"][document["structures"][0]["image"]]
    return found


def _mask(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(document["masks"].values()))
    return found


def _floats(num: int, value: float) -> str:
    return base64.b64encode(np.full(num, value, "<f4").tobytes()).decode()


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def _webp(side: int) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, "WEBP")
    return base64.b64encode(buffer.getvalue()).decode()
