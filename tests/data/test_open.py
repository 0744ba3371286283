"""What the word for a set of images stands for."""

import pytest
from PIL import Image
from tests.data.packs.tools import encoded, write

from swapae.data.folder import FolderSource
from swapae.data.open import open_pack, open_source
from swapae.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "synthetic").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "synthetic" / "a.png")
    return tmp_path / "synthetic"


def test_a_path_is_a_folder_of_images(folder):
    for data in (folder, str(folder), "./synthetic"):
        source = open_source(data, resolution=16)
        assert isinstance(source, FolderSource)
        assert source.num_images == 1


def test_the_word_synthetic_is_the_generated_set_at_the_resolution(folder):
    source = open_source("synthetic", resolution=16)
    assert source.num_images is None
    assert source.skipped == []
    assert [image.size for image in source.read([0, 5])] == [(16, 16)] * 2


def test_a_folder_that_is_not_there_is_refused_with_a_hint(folder):
    with pytest.raises(UserError, match=r"no folder photos: .* or the word synthetic"):
        open_source("photos", resolution=16)
    with pytest.raises(UserError, match="did you mean synthetic"):
        open_source("sinthetic", resolution=16)


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".bin", ""])
def test_archives_are_known_by_their_first_bytes_not_by_their_names(folder, suffix):
    for kind in ("zip", "tar"):
        word = write(kind, folder / "pack", {"a.png": encoded()})
        renamed = (folder / f"pack.{kind}").rename(folder / f"other{suffix}")
        assert word
        assert open_source(renamed, resolution=16).num_images == 1


def test_a_file_that_is_no_set_is_refused_with_what_would_be(folder):
    with pytest.raises(
        UserError, match=r"a\.png is a file, but no set of images: give a folder of images, a zip"
    ):
        open_source(folder / "a.png", resolution=16)


def test_a_pack_has_encoded_images_and_the_generated_set_has_none(folder):
    assert open_pack(folder).name_of(0) == "a.png"
    with pytest.raises(UserError, match="synthetic holds no image files"):
        open_pack("synthetic")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', "[" * 9000, '{"format": "swapae prepared images"}']
)
def test_a_manifest_of_another_kind_makes_no_pack_of_a_folder(folder, text):
    (folder / "manifest.json").write_text(text)
    assert isinstance(open_source(folder, resolution=16), FolderSource)
