"""What the word for a set of images stands for."""

import pytest
from PIL import Image

from swapae.data.folder import FolderSource
from swapae.data.open import open_source
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
