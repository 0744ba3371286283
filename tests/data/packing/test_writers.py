"""The bytes of packs are what other programs read."""

import tarfile
import zipfile

import lmdb
import pytest
from tests.data.packs.tools import encoded

from swapae.data.packing import writers
from swapae.data.packing.journal import Entry, Journal
from swapae.data.packing.writers import LmdbWriter, TarWriter, ZipWriter
from swapae.data.packs.tar import TarPack
from swapae.data.packs.zip import ZipPack

FILES = {f"{i:02}/é {i}.png": encoded(i, (8 + i, 9)) for i in range(12)} | {"y" * 190 + ".png": encoded(40)}


def written(writer):
    entries = []
    for name, data in FILES.items():
        entries.append(Entry(name, name, len(data), "", (0, 0), writer.add(name, data)))
    writer.flush()
    writer.finish(entries)
    writer.close()
    return entries


@pytest.fixture
def places(tmp_path):
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    return work, out


@pytest.mark.parametrize(
    ("most", "is_long"), [((0xFFFF, 0xFFFFFFFF), False), ((5, 1000), True), ((5, 0xFFFFFFFF), True)]
)
def test_a_zip_is_one_for_other_programs_also_past_the_limits_of_the_old_form(
    places, monkeypatch, most, is_long
):
    monkeypatch.setattr(writers, "MAX_16", most[0])
    monkeypatch.setattr(writers, "MAX_32", most[1])
    written(ZipWriter(*places))
    path = places[1] / "images.zip"
    if most == (0xFFFF, 0xFFFFFFFF):
        assert b"PK\x06\x06" not in path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert {info.filename: archive.read(info) for info in archive.infolist()} == FILES
            assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    else:
        assert b"PK\x06\x06" in path.read_bytes()


def test_a_zip_of_more_entries_than_the_old_form_counts_is_read_by_others(places):
    writer = ZipWriter(*places)
    names = [f"{number:06}.png" for number in range(66_000)]
    entries = [Entry(name, name, 0, "", (0, 0), writer.add(name, b"")) for name in names]
    writer.finish(entries)
    writer.close()
    with zipfile.ZipFile(places[1] / "images.zip") as archive:
        assert archive.namelist() == names


def test_places_beyond_four_gigabytes_are_written_in_the_long_form(tmp_path, monkeypatch):
    """A sparse file: a hole of five gigabytes, then an image."""
    writer = ZipWriter(tmp_path, tmp_path / "out")
    (tmp_path / "out").mkdir()
    growing = writer._file
    growing.cut(0)
    growing._file.truncate(5 << 30)
    growing.flush()
    growing._file.seek(0, 2)
    place = writer.add("a.png", encoded())
    assert place[0] == 5 << 30
    writer.finish([Entry("a.png", "a.png", len(encoded()), "", (0, 0), place)])
    path = tmp_path / "out" / "images.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.read("a.png") == encoded()
    with ZipPack(path).open(0) as file:
        assert file.read() == encoded()


def test_shards_are_tars_for_other_programs_and_as_long_as_was_said(places):
    written(TarWriter(*places, shard_bytes=6000))
    shards = sorted(places[1].glob("*.tar"))
    assert len(shards) > 2
    found = {}
    for shard in shards:
        assert shard.stat().st_size <= 6000 + tarfile.RECORDSIZE
        assert shard.stat().st_size % tarfile.RECORDSIZE == 0
        with tarfile.open(shard) as archive:
            for member in archive:
                found[member.name] = archive.extractfile(member).read()
                assert (member.mtime, member.uid, member.mode) == (0, 0, 0o644)
    assert found == FILES
    with_index = TarPack(places[1])
    (places[1] / "index.jsonl").unlink()
    assert with_index._entries == TarPack(places[1])._entries
    assert len(with_index._entries) == len(FILES)


def test_an_lmdb_has_the_names_as_keys_and_is_the_same_each_time(places, tmp_path, monkeypatch):
    monkeypatch.setattr(LmdbWriter, "NUM_IN_COMMIT", 5)
    written(LmdbWriter(*places))
    with (
        lmdb.open(str(places[1]), readonly=True, lock=False) as environment,
        environment.begin() as transaction,
    ):
        assert {bytes(key).decode(): bytes(value) for key, value in transaction.cursor()} == FILES
    first = (places[1] / "data.mdb").read_bytes()
    (places[1] / "data.mdb").unlink()
    written(LmdbWriter(*places))
    assert (places[1] / "data.mdb").read_bytes() == first


@pytest.mark.parametrize("kind", [ZipWriter, LmdbWriter, lambda *places: TarWriter(*places, 6000)])
def test_finishing_twice_is_finishing_once(places, kind):
    entries = written(kind(*places))
    before = {path.name: path.read_bytes() for path in places[1].iterdir()}
    again = kind(*places)
    again.resume(entries)
    again.finish(entries)
    again.close()
    assert {path.name: path.read_bytes() for path in places[1].iterdir()} == before


def test_a_journal_is_believed_as_far_as_it_is_whole(tmp_path):
    journal = Journal(tmp_path / "j")
    entries = [
        Entry("a.png", "a.jpg", 5, "f0", (3, 4), (7, 8)),
        Entry("b.png", "b\udcff", error="is broken."),
    ]
    journal.add(entries)
    assert Journal(tmp_path / "j").entries == entries
    whole = (tmp_path / "j").read_bytes()
    for tail in (b'["c.png", "c', b"[1, 2]\n", b"\xff\n", b"{}\n", b'["c.png", "c", 1, "x", [1], []]\n'):
        (tmp_path / "j").write_bytes(whole + tail)
        assert Journal(tmp_path / "j").entries == entries
        assert (tmp_path / "j").read_bytes() == whole
