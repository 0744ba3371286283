"""A zip is read in place, and what a dishonest one claims is not believed."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.data.packs.tools import encoded, some_files, write_zip

from swapae.data.packs import zip as packs_zip
from swapae.data.packs.pack import PackedSource, is_image_name, is_name_outside
from swapae.data.packs.zip import ZipPack, is_zip
from swapae.errors import UserError


def raw_zip(path, *entries):
    """Write entries whose names are not tidied up."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, data)
    return path


def patched(path, old, new):
    data = path.read_bytes()
    assert data.count(old) >= 1
    path.write_bytes(data.replace(old, new))
    return path


def names(pack):
    return [pack.name_of(i) for i in range(pack.num_images)]


def test_only_visible_image_files_count(tmp_path):
    files = {"a.png": encoded(), "notes.txt": b"text", "__MACOSX/._a.png": b"x", ".hidden/b.png": encoded()}
    assert names(ZipPack(write_zip(tmp_path / "a.zip", files))) == ["a.png"]


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "..\\a.png", "a\\..\\b.png"]
)
def test_names_that_point_outside_are_refused(name, tmp_path):
    pack = ZipPack(raw_zip(tmp_path / "a.zip", (name, encoded()), ("good.png", encoded())))
    assert names(pack) == ["good.png"]
    assert "points outside of the archive" in pack.skipped[0][1]


def test_names_inside_are_not_refused():
    for name in ("a.png", "a/b.png", "a..b/c..png", "..a/b.png", "a b/é.png"):
        assert not is_name_outside(name)
    assert is_image_name("./a/b.JPEG")
    assert not is_image_name("a/.b/c.png")


def test_a_bomb_is_refused_by_the_directory_before_anything_is_unpacked(tmp_path, monkeypatch):
    flat = io.BytesIO()
    Image.new("L", (6000, 6000)).save(flat, "BMP")
    path = write_zip(
        tmp_path / "a.zip", {"bomb.bmp": flat.getvalue(), "good.png": encoded()}, zipfile.ZIP_DEFLATED
    )
    monkeypatch.setattr(packs_zip.zlib, "decompressobj", None)
    pack = ZipPack(path)
    assert names(pack) == ["good.png"]
    assert "packed too densely" in pack.skipped[0][1]
    assert "would become 36,00" in pack.skipped[0][1]


def test_an_entry_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packs_zip, "MAX_BYTES", 1000)
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    pack = ZipPack(write_zip(tmp_path / "a.zip", {"a.png": buffer.getvalue(), "b.png": encoded(0, (4, 4))}))
    assert names(pack) == ["b.png"]
    assert f"a.png has {len(buffer.getvalue()):,} bytes, too many" in pack.skipped[0][1]


def test_no_more_is_unpacked_than_the_directory_says(tmp_path):
    """An entry that claims ten bytes and would give thirty million."""
    data = bytes(30_000_000)
    path = write_zip(tmp_path / "a.zip", {"a.png": data}, zipfile.ZIP_DEFLATED)
    patched(path, struct.pack("<I", len(data)), struct.pack("<I", 10))
    pack = ZipPack(path)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"a\.png is damaged in .*a\.zip: its checksum"):
            pack.open(0)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_byte_is_found_by_the_checksum(tmp_path, method):
    path = write_zip(tmp_path / "a.zip", {"a.png": encoded()}, method)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.png is damaged"):
        ZipPack(path).open(0)


def test_other_methods_and_encryption_are_named(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.png": encoded()}, zipfile.ZIP_LZMA)
    assert "packed by method 14" in ZipPack(path).skipped[0][1]
    path = write_zip(tmp_path / "b.zip", {"a.png": encoded()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is encrypted" in ZipPack(path).skipped[0][1]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_entries_of_one_name_the_first_is_used(tmp_path):
    pack = ZipPack(raw_zip(tmp_path / "a.zip", ("a.png", encoded(1)), ("a.png", encoded(2))))
    assert pack.open(0).read() == encoded(1)
    assert "is in the archive twice" in pack.skipped[0][1]


def test_what_is_no_sound_zip_is_refused_in_one_sentence(tmp_path):
    for number, data in enumerate((b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)[:10], b"text" * 99)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(data)
        with pytest.raises(UserError) as caught:
            ZipPack(path)
        assert "is damaged or no zip" in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="cannot be read"):
        ZipPack(tmp_path / "missing.zip")
    assert is_zip(tmp_path / "1.zip")
    assert not is_zip(tmp_path / "0.zip")


def test_damaged_archives_open_or_are_refused_and_nothing_else(tmp_path):
    rng = np.random.default_rng(0)
    whole = write_zip(tmp_path / "a.zip", some_files(), zipfile.ZIP_DEFLATED).read_bytes()
    tail = whole.index(b"PK\x01\x02")
    outcomes = {"opened": 0, "refused": 0}
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(tail, len(data)) if rng.random() < 0.7 else rng.integers(len(data)))
            data[place] = int(rng.integers(256))
        (tmp_path / "b.zip").write_bytes(data)
        try:
            source = PackedSource(ZipPack(tmp_path / "b.zip"))
            source.read(range(source.num_images))
            outcomes["opened"] += 1
        except UserError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 10
