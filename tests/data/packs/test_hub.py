"""Hugging Face sets: saved, of Parquet files, or in the cache; the column of images is found."""

import os
import socket
import sys

import datasets
import pytest
from huggingface_hub import constants
from tests.data.packs.tools import encoded, write_folder, write_hub

from swapae.data.open import open_pack, open_source
from swapae.data.packs.hub import Word, parse
from swapae.errors import UserError

IMAGE = datasets.Image()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf_cache")


def rows(count=3, first=0, **columns):
    cells = [{"bytes": encoded(i), "path": None} for i in range(first, first + count)]
    return {name: cells if kind is IMAGE else list(range(count)) for name, kind in columns.items()}


def made(count=3, first=0, **columns):
    features = {name: IMAGE if kind is IMAGE else datasets.Value(kind) for name, kind in columns.items()}
    return datasets.Dataset.from_dict(rows(count, first, **columns), datasets.Features(features))


def bytes_of(word):
    pack = open_pack(word)
    found = []
    for number in range(pack.num_images):
        with pack.open(number) as file:
            found.append(file.read())
    return found


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("hf:user/name", ("user/name", None, None, None)),
        ("hf:user/name:test", ("user/name", None, "test", None)),
        ("hf:user/name:large:test", ("user/name", "large", "test", None)),
        ("hf:user/name:test#photo", ("user/name", None, "test", "photo")),
        ("hf:/data/set#photo", ("/data/set", None, None, "photo")),
        ("hf:C:\\sets\\one:train", ("C:\\sets\\one", None, "train", None)),
    ],
)
def test_a_word_is_taken_apart(word, parts):
    assert parse(word) == Word(*parts)


@pytest.mark.parametrize("word", ["hf:", "hf::train", "hf:a:b:c:d", "hf:a#"])
def test_a_word_of_another_form_is_refused(word):
    with pytest.raises(UserError, match="is no data set: write hf:NAME"):
        open_source(word, resolution=12)


def test_the_column_of_images_is_found_among_others(tmp_path):
    made(label="int64", photo=IMAGE, text="string").save_to_disk(str(tmp_path / "set"))
    assert bytes_of(f"hf:{tmp_path}/set") == [encoded(i) for i in range(3)]


def test_none_and_several_are_told_with_the_columns_there_are(tmp_path):
    made(label="int64").save_to_disk(str(tmp_path / "none"))
    made(a=IMAGE, b=IMAGE, label="int64").save_to_disk(str(tmp_path / "two"))
    with pytest.raises(UserError, match=r"none has no column of images among label: name one after a #"):
        open_source(f"hf:{tmp_path}/none", resolution=12)
    with pytest.raises(UserError, match=r"two has several columns of images \(a, b\) among a, b, label"):
        open_source(f"hf:{tmp_path}/two", resolution=12)
    assert open_source(f"hf:{tmp_path}/two#b", resolution=12).num_images == 3
    with pytest.raises(UserError, match="has no column c: it has a, b, label"):
        open_source(f"hf:{tmp_path}/two#c", resolution=12)


def test_splits_are_chosen_by_name_and_train_is_the_first_choice(tmp_path):
    splits = {"test": made(1, 7, image=IMAGE), "train": made(2, 0, image=IMAGE)}
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "set"))
    assert bytes_of(f"hf:{tmp_path}/set") == [encoded(0), encoded(1)]
    assert bytes_of(f"hf:{tmp_path}/set:test") == [encoded(7)]
    with pytest.raises(UserError, match=r"has no split tset: write hf:.*:SPLIT, one of test, train"):
        open_source(f"hf:{tmp_path}/set:tset", resolution=12)
    del splits["train"]
    splits["extra"] = splits["test"]
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "no_train"))
    with pytest.raises(UserError, match="has several splits: write"):
        open_source(f"hf:{tmp_path}/no_train", resolution=12)
    write_hub(tmp_path / "single", {"a.png": encoded()})
    with pytest.raises(UserError, match="is one split"):
        open_source(f"hf:{tmp_path}/single:test", resolution=12)


def test_a_folder_of_parquet_files_is_a_set_also_with_images_of_no_declared_type(tmp_path):
    (tmp_path / "set").mkdir()
    made(2, image=IMAGE, label="int64").to_parquet(str(tmp_path / "set" / "train-00000.parquet"))
    assert bytes_of(f"hf:{tmp_path}/set") == [encoded(0), encoded(1)]
    (tmp_path / "plain").mkdir()
    plain = datasets.Dataset.from_dict({"jpg": [encoded(4)], "key": ["a"]})
    plain = plain.cast_column("jpg", datasets.Value("binary"))
    plain.to_parquet(str(tmp_path / "plain" / "train-00000.parquet"))
    assert bytes_of(f"hf:{tmp_path}/plain") == [encoded(4)]


def test_images_that_a_set_keeps_as_files_are_read_from_there(tmp_path):
    write_folder(tmp_path / "set", {"train/a.png": encoded(1), "train/b.png": encoded(2)})
    assert sorted(bytes_of(f"hf:{tmp_path}/set")) == sorted([encoded(1), encoded(2)])


def test_a_set_in_the_cache_is_used_by_its_name_without_the_network(tmp_path, monkeypatch):
    folder = tmp_path / "photos_of_a_friend"
    folder.mkdir()
    made(2, image=IMAGE).to_parquet(str(folder / "train-00000.parquet"))
    datasets.load_dataset(str(folder))  # it is in the cache now, under the name of its folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, lambda *_, **__: pytest.fail("the network was asked"))
    monkeypatch.chdir(tmp_path)
    assert bytes_of("hf:photos_of_a_friend") == [encoded(0), encoded(1)]
    assert (datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE) == (False, False)
    with pytest.raises(UserError, match=r"no data set of that name in the cache.*HF_HUB_OFFLINE=0"):
        open_source("hf:somebody/else", resolution=12)
    assert os.environ.get("HF_HUB_OFFLINE") is None


def test_a_row_without_an_image_is_listed_and_stood_in_for(tmp_path):
    (tmp_path / "gone.png").write_bytes(encoded(5))
    gone = {"bytes": None, "path": str(tmp_path / "gone.png")}
    cells = {"image": [{"bytes": encoded(0), "path": None}, None, gone]}
    features = datasets.Features({"image": IMAGE})
    (tmp_path / "set").mkdir()
    datasets.Dataset.from_dict(cells, features).to_parquet(str(tmp_path / "set" / "train-0.parquet"))
    (tmp_path / "gone.png").unlink()
    source = open_source(f"hf:{tmp_path}/set", resolution=12)
    assert len({image.tobytes() for image in source.read([0, 1, 2])}) == 1
    assert [name for name, _ in source.skipped] == ["row 1", "row 2"]
    assert "holds no image" in source.skipped[0][1]
    assert "does not exist" in source.skipped[1][1]


def test_a_folder_that_is_no_set_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(UserError, match="cannot be read as a Hugging Face data set") as caught:
        open_source(f"hf:{tmp_path}/set", resolution=12)
    assert "\n" not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'swapae\[datasets\]'"):
        open_source("hf:any", resolution=12)
