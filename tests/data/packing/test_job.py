"""Packing: what comes out."""

import hashlib
import json
import shutil

import pytest
from PIL import Image
from tests.data.packing.tools import KINDS, pack, tree
from tests.data.packs.tools import encoded, write
from tests.pictures import landscape

from swapae.data.folder import FolderSource
from swapae.data.open import open_pack, open_source
from swapae.data.stream import SampleStream
from swapae.data.transforms import DataConfig


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_sees_the_same_samples_to_the_bit(kind, photos, tmp_path):
    config = DataConfig(load_size=12, crop_size=8)
    manifest = pack(photos, tmp_path / "out", kind, shard_bytes=4096)
    assert (manifest["num_images"], len(manifest["errors"])) == (11, 2)
    packed = open_source(tmp_path / "out", resolution=12, config=config)
    good = shutil.copytree(photos, tmp_path / "good")
    for entry in manifest["errors"]:
        (good / entry["file"]).unlink()
    plain = FolderSource(good, config)
    assert packed.num_images == plain.num_images == 11
    streams = [SampleStream(source, config, 4, seed=3) for source in (plain, packed)]
    ours, theirs = ([image.tobytes() for image in stream.images(range(30))] for stream in streams)
    assert ours == theirs
    assert packed.skipped == []


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_processes_writes_the_same_bytes(kind, photos, tmp_path):
    pack(photos, tmp_path / "one", kind)
    pack(photos, tmp_path / "two", kind, workers=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_the_manifest_names_what_was_left_out_and_lists_the_hash_of_the_rest(photos, tmp_path):
    manifest = pack(photos, tmp_path / "out", "folder")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text()) == manifest
    reasons = {entry["file"]: entry["reason"] for entry in manifest["errors"]}
    assert list(reasons) == ["1/04.png", "2/11.webp"]
    assert reasons["1/04.png"].startswith("1/04.png is damaged or cut short")
    assert "not an image" in reasons["2/11.webp"]
    lines = (tmp_path / "out" / "images.jsonl").read_bytes()
    assert hashlib.sha256(lines).hexdigest() == manifest["images_sha256"]
    for row in map(json.loads, lines.splitlines()):
        data = (tmp_path / "out" / "images" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        with Image.open(tmp_path / "out" / "images" / row["file"]) as image:
            assert image.size == (row["width"], row["height"])
            assert min(image.size) == 12
        assert (photos / row["source"]).exists()
    assert not (tmp_path / "out" / ".swapae").exists()
    assert str(tmp_path / "out") not in json.dumps(manifest)


def test_jpeg_and_webp_have_their_quality_and_keep_has_the_bytes(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    landscape(120, 90, falloff=1.6).save(root / "a.png")
    (root / "b.JPG").write_bytes(encoded(1, format_name="JPEG"))
    sizes = {}
    for encoding in ("jpeg", "webp"):
        for quality in (30, 95):
            manifest = pack(
                root, tmp_path / f"{encoding}{quality}", encoding=encoding, quality=quality, size=64
            )
            sizes[encoding, quality] = manifest["num_bytes"]
        assert sizes[encoding, 30] < 0.7 * sizes[encoding, 95]
    pack(root, tmp_path / "kept", "folder", encoding="keep", resize="none", size=None)
    kept = tree(tmp_path / "kept" / "images")
    assert kept == {"a.png": (root / "a.png").read_bytes(), "b.jpg": (root / "b.JPG").read_bytes()}


def test_keep_names_what_has_no_suffix_by_its_format(tmp_path):
    word = write(
        "lmdb", tmp_path / "lsun", {"0a1b": encoded(1, format_name="WEBP"), "0a1c": encoded(2), "9": b"x"}
    )
    manifest = pack(word, tmp_path / "out", "tar", encoding="keep", resize="none", size=None)
    source = open_pack(tmp_path / "out")
    assert [source.name_of(i) for i in range(2)] == ["0a1b.webp", "0a1c.png"]
    assert [entry["file"] for entry in manifest["errors"]] == ["9"]


def test_keep_leaves_out_what_is_too_large_to_be_kept(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("swapae.data.packing.encoder.MAX_BYTES", 1000)
    manifest = pack(photos, tmp_path / "out", encoding="keep", resize="none", size=None)
    reasons = [entry["reason"] for entry in manifest["errors"]]
    assert any("has more than 1,000 bytes" in reason for reason in reasons)
    assert 0 < manifest["num_images"] < 11


def test_without_a_size_pictures_keep_theirs(photos, tmp_path):
    pack(photos, tmp_path / "out", resize="none", size=None)
    sizes = [image.size for image in open_source(tmp_path / "out", resolution=1).read([0, 1])]
    assert sizes == [(20, 17), (23, 17)]


@pytest.mark.parametrize("kind", ["zip", "lmdb", "hub"])
def test_a_pack_can_be_packed_again(kind, tmp_path):
    files = {f"{i}.png": encoded(i) for i in range(3)}
    word = write(kind, tmp_path / "set", files)
    assert pack(word, tmp_path / "out", "tar")["num_images"] == 3
    again = pack(tmp_path / "out", tmp_path / "again", "folder", resize="none", size=None)
    assert again["num_images"] == 3
