"""Tar shards: with an index or without, and what is wrong in one is named."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest
from tests.data.packs.tools import encoded, some_files, write_shards, write_tar

from swapae.data.open import open_source
from swapae.data.packs import pack as packs_pack
from swapae.data.packs import remember
from swapae.data.packs import tar as packs_tar
from swapae.data.packs.pack import PackedSource
from swapae.data.packs.tar import INDEX, TarPack, index_lines, is_tar
from swapae.errors import UserError


def rows_of(pack):
    return [list(entry) for entry in pack._entries]


def write_index(root, pack, **changes):
    shards = [(path.name, path.stat().st_size) for path in sorted(root.glob("*.tar"))]
    lines = list(index_lines(shards, rows_of(pack)))
    head = json.loads(lines[0]) | changes
    (root / INDEX).write_text(json.dumps(head) + "\n" + "".join(lines[1:]))


def no_scan(*_):
    raise AssertionError("scanned")


def test_an_index_spares_reading_the_headers(tmp_path, monkeypatch):
    root = write_shards(tmp_path / "set", some_files())
    scanned = TarPack(root)
    write_index(root, scanned)
    monkeypatch.setattr(packs_tar, "_scanned", no_scan)
    indexed = TarPack(root)
    assert rows_of(indexed) == rows_of(scanned)
    assert indexed.fingerprint() == scanned.fingerprint()
    assert indexed.open(2).read() == list(some_files().values())[2]


@pytest.mark.parametrize(
    "changes",
    [{"version": 99}, {"format": "other"}, {"shards": []}, {"shards": [["0.tar", 1], ["1.tar", 2]]}],
)
def test_an_index_that_does_not_fit_is_not_believed(tmp_path, changes):
    root = write_shards(tmp_path / "set", some_files())
    write_index(root, TarPack(root), **changes)
    assert TarPack(root).num_images == 4
    assert TarPack(root).open(0).read() == some_files()["a.jpg"]


@pytest.mark.parametrize(
    "row",
    [
        '["a.png", 9, 0, 1]',
        '["a.png", -1, 0, 1]',
        '["a.png", 0, 0, 99999999]',
        '["a.png", 0, -5, 1]',
        '["a.png", 0, 0, -1]',
        '["a.png", 0, 0]',
        '["a.png", "0", 0, 1]',
        '{"a": 1}',
        "[",
        "[" * 5000,
    ],
)
def test_an_index_with_places_outside_the_shards_is_not_believed(tmp_path, row):
    root = write_shards(tmp_path / "set", some_files())
    write_index(root, TarPack(root))
    with open(root / INDEX, "a") as file:
        file.write(row + "\n")
    assert [TarPack(root).name_of(i) for i in range(4)] == list(some_files())


def test_what_was_found_in_large_shards_is_remembered_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SWAPAE_CACHE", str(tmp_path / "cache"))
    root = write_shards(tmp_path / "set", some_files())
    TarPack(root)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(remember, "LARGE_BYTES", 0)
    first = TarPack(root)
    (kept,) = (tmp_path / "cache" / "tar").glob("*.json")
    with monkeypatch.context() as context:
        context.setattr(packs_tar, "_scanned", no_scan)
        assert rows_of(TarPack(root)) == rows_of(first)
    write_tar(root / "1.tar", {"new.png": encoded(7)})
    assert "new.png" in [row[0] for row in rows_of(TarPack(root))]
    kept.write_text("{")
    for path in (tmp_path / "cache" / "tar").glob("*.json"):
        path.write_text('{"key": 1, "rows": 2}')
    assert TarPack(root).num_images == 3


def test_only_plain_image_files_inside_count(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("./good.png", "../out.png", "/rooted.png", "note.txt", ".x/hidden.png"):
            info = tarfile.TarInfo(name)
            info.size = len(encoded())
            archive.addfile(info, io.BytesIO(encoded()))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    pack = TarPack(tmp_path / "a.tar")
    assert [pack.name_of(i) for i in range(pack.num_images)] == ["good.png"]
    reasons = dict(pack.skipped)
    assert "points outside" in reasons["../out.png"]
    assert "points outside" in reasons["/rooted.png"]
    assert "is not a plain file" in reasons["link.png"]


def test_an_entry_too_large_and_one_there_twice_are_listed(tmp_path, monkeypatch):
    write_tar(tmp_path / "0.tar", {"a.png": encoded(1), "b.png": encoded(2, (90, 90))})
    write_tar(tmp_path / "1.tar", {"a.png": encoded(3)})
    monkeypatch.setattr(packs_tar, "MAX_BYTES", 10_000)
    pack = TarPack(tmp_path)
    assert [pack.name_of(i) for i in range(pack.num_images)] == ["a.png"]
    assert pack.open(0).read() == encoded(1)
    assert "too many to be read safely" in dict(pack.skipped)["b.png"]
    assert "is there twice" in dict(pack.skipped)["a.png"]
    assert packs_pack.MAX_BYTES > 10_000


def test_a_tar_damaged_in_the_middle_says_so_and_gives_what_is_before(tmp_path):
    files = {f"{i}.png": encoded(i) for i in range(5)}
    path = write_tar(tmp_path / "a.tar", dict(reversed(files.items())))
    data = bytearray(path.read_bytes())
    third = TarPack(path)._entries[2].start - 512
    data[third + 100] ^= 0xFF
    path.write_bytes(data)
    pack = TarPack(path)
    assert pack.num_images == 2
    assert f"is damaged: what follows byte {third:,} cannot be read" in pack.skipped[0][1]


@pytest.mark.parametrize(
    ("cut", "left", "word"), [(100, 4, "4.png is cut short"), (-100, 4, "a.tar is damaged")]
)
def test_a_tar_cut_short_says_so_and_gives_what_is_before(tmp_path, cut, left, word):
    files = {f"{i}.png": encoded(i) for i in range(5)}
    path = write_tar(tmp_path / "a.tar", dict(reversed(files.items())))
    path.write_bytes(path.read_bytes()[: TarPack(path)._entries[4].start + cut])
    pack = TarPack(path)
    assert pack.num_images == left
    assert word in pack.skipped[0][1]
    assert pack.open(3).read() == encoded(3)


def test_a_packed_tar_and_other_files_are_refused_with_the_fix(tmp_path):
    path = write_tar(tmp_path / "a.tar", some_files())
    packed = tmp_path / "b.tar"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for word in (packed, tmp_path / "c"):
        (tmp_path / "c").write_text("text")
        with pytest.raises(UserError, match="is a file, but no set of images"):
            open_source(word, resolution=12)
    with pytest.raises(UserError, match="has to be unpacked"):
        TarPack(packed)
    assert is_tar(path)
    assert not is_tar(packed)


def test_a_folder_with_images_or_folders_beside_tars_is_a_folder_of_images(tmp_path):
    root = write_shards(tmp_path / "set", some_files())
    (root / "own.png").write_bytes(encoded(5))
    source = open_source(root, resolution=12)
    assert source.num_images == 1
    assert not isinstance(source, PackedSource)


def test_damaged_tars_open_or_are_refused_and_nothing_else(tmp_path):
    rng = np.random.default_rng(0)
    whole = write_tar(tmp_path / "a.tar", some_files()).read_bytes()
    outcomes = {"opened": 0, "refused": 0}
    for number in range(150):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            place = int(rng.integers(512) if number % 2 else rng.integers(len(data)))
            data[place] = int(rng.integers(256))
        (tmp_path / "b.tar").write_bytes(data)
        try:
            source = PackedSource(TarPack(tmp_path / "b.tar"))
            source.read(range(source.num_images))
            outcomes["opened"] += 1
        except UserError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 10
