import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.web.studios import codes_of, ids, photo, pixels, recipe, shipped

from swapae import SwappingAutoencoder, box
from swapae.editing import Direction, Directions, attribute, click_mask, place_at, similarity
from swapae.editing.files import Maker
from swapae.errors import UserError
from swapae.web.about import about, samples_of
from swapae.web.errors import UnknownId
from swapae.web.schemas import ClickRequest, NewDirection, RenderRequest
from swapae.web.shelf import Shelf
from swapae.web.studio import Studio


def test_the_gallery_is_there_at_once_and_is_what_the_commands_encode() -> None:
    studio = shipped()
    samples = samples_of("synthetic64")
    infos = studio.gallery()
    assert [info.title for info in infos] == [sample.about for sample in samples.values()]
    sample = next(iter(samples.values()))
    assert torch.equal(codes_of(studio, infos[0].id).structure, sample.codes(studio.model).structure)
    assert infos[0].has_photo
    assert infos[0].id == infos[0].sha256
    thumbnail = Image.open(io.BytesIO(studio.thumbnail(infos[0].id)))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (64, 64))


def test_a_gallery_of_codes_alone_is_shown_as_the_model_decodes_it() -> None:
    studio = Studio.open("clothing", device="cpu")
    info = studio.gallery()[0]
    assert (info.title, info.has_photo) == ("t-shirt", False)
    other = studio.gallery()[1].id
    assert studio.render(RenderRequest(recipe=recipe(info.id, other))).width == info.width
    shown = np.array(Image.open(io.BytesIO(studio.thumbnail(info.id)))).astype(int)
    assert np.abs(shown - pixels(studio, recipe(info.id))).mean() < 8


def test_about_tells_what_a_page_needs() -> None:
    info = shipped().about()
    assert (info.name, info.size, info.multiple, info.places) == ("synthetic64", 64, 4, [16, 16])
    assert (info.structure_channels, info.texture_channels) == (8, 256)
    assert info.title == "rendered forms and materials, a domain whose true swaps are known"
    assert info.card.startswith("# synthetic64")
    assert str(box.FOLDER) not in info.model_dump_json()


def test_a_run_is_called_by_its_folder_and_knows_its_size(tmp_path: Path) -> None:
    run = tmp_path / "mine"
    shipped().model.save_pretrained(run / "model", card=False)
    (run / "config.yaml").write_text("discriminator: {image_size: 128}\n")
    found = about(str(run))
    assert (found.name, found.size, found.title, found.card) == ("mine", 128, "", "")
    assert about(str(run / "model")).name == "mine"
    assert samples_of(str(run)) == {}


def test_an_image_is_encoded_once_and_a_large_one_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(shipped().model, "small", max_side=96)
    info = studio.add_image(photo(120, 192, seed=31))
    assert (info.width, info.height, info.shrunk, info.title) == (96, 60, True, "")
    again = studio.add_image(photo(120, 192, seed=31))
    assert again == info
    monkeypatch.setattr(SwappingAutoencoder, "encode", None)
    assert pixels(studio, recipe(info.id, info.id, strength=0.3)).shape == (60, 96, 3)
    studio.forget_image(info.id)
    with pytest.raises(UnknownId):
        studio.thumbnail(info.id)
    with pytest.raises(UnknownId):
        studio.forget_image(info.id)


def test_masks_come_back_as_they_went_in() -> None:
    studio = shipped()
    gray = photo(30, 20)[..., 0]
    info = studio.add_mask(gray)
    assert (info.width, info.height) == (20, 30)
    assert np.array_equal(np.array(Image.open(io.BytesIO(studio.mask(info.id)))), gray)
    with pytest.raises(UnknownId):
        studio.mask("0" * 64)


def test_a_click_marks_the_places_that_click_mask_marks() -> None:
    studio, big = shipped(), samples_of("synthetic64")["vase-tartan"].picture
    assert big is not None
    image = studio.add_image(np.array(big.convert("RGB").crop((0, 0, 61, 50))))
    codes = codes_of(studio, image.id)
    place = place_at(30.5, 49, codes, 4)
    least = similarity(codes, place, centered=True).median().item()
    info, data = studio.click_mask(
        ClickRequest(image=image.id, x=0.5, y=1.0, threshold=least, connected=True)
    )
    found = np.array(Image.open(io.BytesIO(data)))
    wanted = click_mask(codes, place, least, connected_only=True, centered=True)[0, 0].numpy()
    assert found.shape == (50, 61)
    assert (info.width, info.height) == (61, 50)
    assert np.array_equal(found, 255 * wanted.repeat(4, 0).repeat(4, 1)[:50, :61])
    assert 0 < found.mean() < 255


def test_a_direction_of_two_groups_is_that_of_attribute_and_its_file_is_read_by_the_command() -> None:
    studio, keys = shipped(), ids(shipped())
    asked = NewDirection(name="snowy", toward=keys[:3], away=keys[3:6])
    info = studio.make_direction(asked)
    every = [codes_of(studio, key) for key in keys]
    wanted = attribute("snowy", every[:3], every[3:6])
    assert (info.of, info.kind, info.images, info.own) == ("texture", "attribute", 6, True)
    assert info.apart == wanted.gap
    assert info.sigma_degrees == pytest.approx(np.degrees(wanted.sigma))
    with pytest.raises(UserError, match="already"):
        studio.make_direction(asked)
    other = Studio(studio.model, "other")
    (loaded,) = other.load_directions(studio.direction_file("snowy"))
    assert loaded == info
    assert torch.equal(other.shelf.named("snowy").vector, wanted.vector)
    studio.forget_direction("snowy")
    with pytest.raises(UnknownId):
        studio.direction_file("snowy")


def test_groups_that_tell_nothing_apart_are_said() -> None:
    a = ids(shipped())[0]
    with pytest.raises(UserError, match="same mean"):
        shipped().make_direction(NewDirection(name="none", toward=[a], away=[a]))


def test_directions_of_the_model_stay_and_come_first(tmp_path: Path) -> None:
    model = shipped().model
    vector = torch.nn.functional.normalize(torch.ones(8), dim=0)
    made = Directions(
        (Direction("form", "structure", vector, 0.5, num_images=7, share=0.25),), Maker.of(model)
    )
    folder = tmp_path / "mine"
    model.save_pretrained(folder)
    made.save(folder / "directions.safetensors")
    made.save(tmp_path / "more.safetensors")
    studio = Studio.open(str(folder), device="cpu", directions=[tmp_path / "more.safetensors"])
    (info,) = studio.directions()
    assert (info.name, info.of, info.kind, info.share, info.own) == (
        "form",
        "structure",
        "principal",
        0.25,
        False,
    )
    with pytest.raises(UserError, match="stays"):
        studio.forget_direction("form")


def test_a_file_that_holds_no_directions_of_this_model_is_refused(tmp_path: Path) -> None:
    shelf = shipped().shelf
    with pytest.raises(UserError, match=r"^the file is damaged") as caught:
        shelf.load(b"nonsense")
    assert "/" not in str(caught.value)
    vector = torch.nn.functional.normalize(torch.ones(4), dim=0)
    other = Directions((Direction("form", "structure", vector, 0.5),), Maker(4, 8, 16, "0" * 64))
    other.save(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="another model"):
        shelf.load((tmp_path / "other.safetensors").read_bytes())
    with pytest.raises(UserError, match="no name that the studio takes"):
        Shelf(other.maker, [Direction(" form", "structure", vector, 0.5)])


def test_a_longest_side_that_no_image_can_have_is_refused() -> None:
    for side in (3, 5000):
        with pytest.raises(UserError, match="longest side"):
            Studio(shipped().model, "small", max_side=side)
