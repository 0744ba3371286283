"""LMDB of encoded images, as LSUN comes: any keys, read-only, without a lock."""

import multiprocessing
import os
import stat
import sys

import lmdb
import numpy as np
import pytest
from tests.data.packs.tools import encoded, write_lmdb

from swapae.data.open import open_source
from swapae.data.packs import remember
from swapae.data.packs.lmdb import LmdbPack
from swapae.data.packs.pack import PackedSource
from swapae.errors import UserError

KEYS = [b"0a1b\x00\xff", b"00007ddabe2e1ec8ab5c0bd92c4c71de3e1d9e14", b"x" * 511]


@pytest.fixture
def lsun(tmp_path):
    """Values are WebP, as in LSUN; keys are any bytes, and the order of writing is another."""
    root = tmp_path / "church_outdoor_train_lmdb"
    root.mkdir()
    with lmdb.open(str(root), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for seed, key in enumerate(KEYS):
            transaction.put(key, encoded(seed, format_name="WEBP", lossless=True))
    return root


def test_any_keys_are_taken_in_their_order(lsun):
    pack = LmdbPack(lsun)
    assert pack.num_images == 3
    assert [pack.name_of(i) for i in range(3)] == [KEYS[1].decode(), "0a1b\x00\\xff", "x" * 511]
    source = open_source(lsun, resolution=12)
    with_seed = [1, 0, 2]
    for i, image in enumerate(source.read([0, 1, 2])):
        rng = np.random.default_rng(with_seed[i])
        pixels = rng.integers(0, 200, 3) + rng.integers(0, 56, (18, 24, 3))
        assert np.array_equal(np.asarray(image), pixels)


def test_no_lock_is_taken_and_none_is_made(lsun, monkeypatch):
    (lsun / "lock.mdb").unlink()
    before = sorted(os.listdir(lsun)), (lsun / "data.mdb").stat().st_mtime_ns
    open_source(lsun, resolution=12).read([0, 1, 2])
    assert (
        (sorted(os.listdir(lsun)), (lsun / "data.mdb").stat().st_mtime_ns)
        == before
        == (["data.mdb"], before[1])
    )


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may write everywhere")
def test_it_may_lie_where_nothing_may_be_written(lsun):
    lsun.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert open_source(lsun, resolution=12).read([0])
    finally:
        lsun.chmod(stat.S_IRWXU)


def test_the_file_itself_can_be_given(lsun):
    assert open_source(lsun / "data.mdb", resolution=12).num_images == 3


def test_two_sources_of_one_file_live_beside_each_other_and_are_closed_behind_them(lsun):
    one, two = LmdbPack(lsun), LmdbPack(lsun / "data.mdb")
    assert one.open(0).read() == two.open(0).read()
    del one
    assert two.open(1).read()
    del two
    lmdb.open(str(lsun), readonly=True, lock=False).close()  # which it refuses while another is open


def test_keys_of_a_large_one_are_remembered_in_the_users_cache(lsun, monkeypatch, tmp_path):
    monkeypatch.setenv("SWAPAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(remember, "LARGE_BYTES", 0)
    first = LmdbPack(lsun)
    with monkeypatch.context() as context:
        context.setattr(LmdbPack, "_read_keys", lambda _: pytest.fail("read through again"))
        again = LmdbPack(lsun)
    assert again.fingerprint() == first.fingerprint()
    assert again.open(1).read() == first.open(1).read()
    assert sorted(os.listdir(lsun)) == ["data.mdb", "lock.mdb"]


def test_one_cut_short_is_refused_before_the_process_would_die_of_it(tmp_path):
    root = write_lmdb(tmp_path / "a", {f"{i}.png": encoded(i, (60, 60)) for i in range(9)})
    os.truncate(root / "data.mdb", (root / "data.mdb").stat().st_size - 5000)
    with pytest.raises(UserError, match=r"data\.mdb is cut short: it should have"):
        LmdbPack(root)
    os.truncate(root / "data.mdb", 3000)
    with pytest.raises(UserError, match=r"is damaged or cannot be read as an LMDB|is cut short"):
        LmdbPack(root)
    (root / "data.mdb").write_bytes(b"text" * 5000)
    with pytest.raises(UserError, match="is no LMDB"):
        LmdbPack(root)


def test_without_the_package_the_extra_is_named(lsun, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(UserError, match=r"pip install 'swapae\[lmdb\]'"):
        PackedSource(LmdbPack(lsun))


def _tell(pack, pipe):
    pack.open(0)
    pipe.send((os.getpid(), pack._environment[0]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_opens_its_own_environment(lsun):
    pack = LmdbPack(lsun)
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    child = context.Process(target=_tell, args=(pack, theirs))
    child.start()
    assert mine.poll(30)
    assert mine.recv() == (child.pid, child.pid)
    child.join(30)
    assert pack._environment[0] == os.getpid()
