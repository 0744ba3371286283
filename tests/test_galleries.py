"""Galleries of pictures and of codes, written as the maker writes them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import swapae
from swapae import Codes, SwappingAutoencoder, UserError, box
from swapae.galleries import CODES, FORMAT, LIST, gallery

Photo = Callable[..., Path]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> SwappingAutoencoder:
    return SwappingAutoencoder.from_pretrained(tiny_model, device="cpu")


def write(folder: Path, samples: list[dict[str, object]]) -> Path:
    folder = folder / box.GALLERY
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LIST).write_text(json.dumps({"format": FORMAT, "samples": samples}), encoding="utf-8")
    return folder


@pytest.fixture
def pictures(photo: Photo, tmp_path: Path) -> Path:
    for seed, name in enumerate(("a", "b")):
        photo(f"m/gallery/{name}.png", seed=seed)
    entries = [{"name": n, "about": f"noise {n}", "file": f"{n}.png", "source": {"index": 3}} for n in "ab"]
    write(tmp_path / "m", entries)
    return tmp_path / "m"


@pytest.fixture
def codes(tmp_path: Path, model: SwappingAutoencoder) -> Path:
    torch.manual_seed(0)
    own = model.encode(torch.rand(2, 3, 16, 20) * 2 - 1)
    folder = write(tmp_path / "m", [{"name": f"n{i}", "about": "noise", "place": i} for i in (1, 0)])
    Codes(own.structure.half(), own.texture.half(), own.size).save(folder / CODES)
    return tmp_path / "m"


def test_pictures_are_shown_as_they_are_and_encoded(pictures: Path, model: SwappingAutoencoder) -> None:
    samples = gallery(pictures)
    assert list(samples) == ["a", "b"]
    one = samples["a"]
    assert (one.about, one.source) == ("noise a", {"index": 3})
    file = pictures / "gallery" / "a.png"
    np.testing.assert_array_equal(np.asarray(one.show(model)), np.asarray(Image.open(file)))
    torch.testing.assert_close(one.codes(model).texture, model.encode_image(file).texture)


def test_codes_are_decoded_and_come_as_float32(codes: Path, model: SwappingAutoencoder) -> None:
    samples = gallery(str(codes))
    assert list(samples) == ["n1", "n0"]
    stored = Codes.load(codes / "gallery" / CODES)
    own = samples["n0"].codes(model)
    assert own.structure.dtype == own.texture.dtype == torch.float32
    assert torch.equal(own.texture, stored.texture[:1].float())
    assert samples["n0"].picture is None
    assert samples["n0"].show(model).size == (20, 16)
    swap = Codes(own.structure, samples["n1"].codes(model).texture, own.size)
    assert model.decode(swap).shape == (1, 3, 16, 20)


def test_a_name_means_the_box_unless_a_folder_has_a_gallery(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "FOLDER", tmp_path)
    (pictures / box.WEIGHTS).touch()
    (tmp_path / "here" / "m").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert list(swapae.gallery("m")) == ["a", "b"]
    write(Path("m"), [])
    assert swapae.gallery("m") == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "no model 'nothing' in the box"), (".", "has no gallery: there is no folder gallery in it")],
)
def test_no_gallery_is_one_sentence(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        gallery(name)


@pytest.mark.parametrize(
    "entry",
    [{"name": "a"}, {"name": "a", "about": "", "place": 7}, {"name": "a", "about": "", "place": "x"}, 3],
)
def test_a_damaged_gallery_is_one_sentence(entry: object, codes: Path) -> None:
    (codes / "gallery" / LIST).write_text(json.dumps({"format": FORMAT, "samples": [entry]}))
    with pytest.raises(UserError, match=r"is damaged \(.*\); install swapae anew"):
        gallery(codes)
    (codes / "gallery" / LIST).write_text(json.dumps({"format": "another", "samples": []}))
    with pytest.raises(UserError, match="its format is not"):
        gallery(codes)
