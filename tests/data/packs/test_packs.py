"""What holds for every place of images: the same pictures, in the same order, in every process."""

import io
import multiprocessing
import os
import pickle
import sys

import pytest
from PIL import Image
from tests.data.packs.tools import KINDS, PACKS, encoded, some_files, write, write_folder
from tests.pictures import landscape

from swapae.data.cache import cached
from swapae.data.folder import FolderSource
from swapae.data.open import open_pack, open_source
from swapae.data.stream import SampleStream, loader
from swapae.data.transforms import DataConfig
from swapae.errors import UserError

SMALL = DataConfig(load_size=12, crop_size=12)


def digests(source, indices):
    return [image.tobytes() for image in source.read(indices)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_gives_the_pictures_of_the_folder_in_its_order(kind, tmp_path):
    files = some_files()
    expected = FolderSource(write_folder(tmp_path / "plain", files))
    word = write(kind, tmp_path / "pack", files)
    pack, source = open_pack(word), open_source(word, resolution=12)
    assert isinstance(pack, PACKS[kind])
    assert source.num_images == pack.num_images == 4
    assert source.skipped == []
    assert digests(source, [2, 0, 1, 3, 0]) == digests(expected, [2, 0, 1, 3, 0])
    assert [image.mode for image in source.read([0, 1])] == ["RGB", "RGB"]
    names = [f"row {i}" for i in range(4)] if kind == "hub" else list(files)
    assert [pack.name_of(i) for i in range(4)] == names
    with pack.open(1) as file:
        assert file.read() == list(files.values())[1]


@pytest.mark.parametrize("kind", KINDS)
def test_colours_do_not_depend_on_the_path(kind, tmp_path):
    """The published reader swapped red and blue by whether the path held `lsun`."""
    red, blue = encoded(0), encoded(1)
    with Image.open(io.BytesIO(red)) as image:
        own = image.convert("RGB").tobytes()
    for place in ("lsun", "lsun/bedroom_train_lmdb", "photos", "LSUN_bgr"):
        word = write(kind, tmp_path / place / "set", {"a.png": red, "b.png": blue})
        assert open_source(word, resolution=12).read([0])[0].tobytes() == own


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_survives_the_way_to_a_worker_and_opens_there_by_itself(kind, tmp_path):
    source = open_source(write(kind, tmp_path / "pack", some_files()), resolution=12)
    before = pickle.dumps(source)
    expected = digests(source, [0, 1, 2, 3])
    for state in (before, pickle.dumps(source)):
        assert digests(pickle.loads(state), [0, 1, 2, 3]) == expected


def _send(source, pipe):
    pipe.send(digests(source, [3, 1, 0]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_reads_beside_its_parent(kind, tmp_path):
    source = open_source(write(kind, tmp_path / "pack", some_files()), resolution=12)
    expected = digests(source, [3, 1, 0])  # it is open in this process
    context = multiprocessing.get_context("fork")
    pairs = [context.Pipe() for _ in range(2)]
    children = [context.Process(target=_send, args=(source, theirs)) for _, theirs in pairs]
    for child in children:
        child.start()
    assert digests(source, [3, 1, 0]) == expected
    for child, (mine, _) in zip(children, pairs, strict=True):
        assert mine.poll(30)
        assert mine.recv() == expected
        child.join(30)
        assert child.exitcode == 0
    assert digests(source, [3, 1, 0]) == expected


def test_workers_of_a_training_give_the_same_batches(tmp_path):
    word = write("lmdb", tmp_path / "pack", some_files())

    def batches(workers):
        stream = SampleStream(open_source(word, resolution=12, config=SMALL), SMALL, 4, seed=0)
        source = loader(stream, 2, 0, workers)
        return [next(source).numpy().tobytes() for _ in range(3)]

    assert batches(0) == batches(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_is_found_without_decoding_and_stays_until_an_image_changes(
    kind, tmp_path, monkeypatch
):
    files = some_files()
    word = write(kind, tmp_path / "pack", files)
    with monkeypatch.context() as context:
        context.setattr(Image, "open", None)
        first = open_pack(word).fingerprint()
        assert open_pack(word).fingerprint() == first
    changed = write(kind, tmp_path / "other", files | {"a.jpg": encoded(9, format_name="JPEG")})
    assert open_pack(changed).fingerprint() != first
    fewer = write(kind, tmp_path / "fewer", dict(list(files.items())[1:]))
    assert open_pack(fewer).fingerprint() != first


@pytest.mark.parametrize("kind", ["zip", "tar", "lmdb", "hub"])
def test_what_cannot_be_decoded_is_listed_once_and_stood_in_for_by_the_next(kind, tmp_path):
    files = some_files() | {"b/c.png": b"no picture", "e.JPG": encoded()[:90]}
    source = open_source(write(kind, tmp_path / "pack", files), resolution=12)
    good = source.read([0, 2])
    numbers = list(files).index("b/c.png"), list(files).index("e.JPG")
    for _ in range(2):
        for number in numbers:
            following = next(i % 4 for i in range(number, number + 4) if i % 4 not in numbers)
            assert digests(source, [number]) == digests(source, [following])
    assert good
    assert len(source.skipped) == 2
    reasons = " ".join(reason for _, reason in source.skipped)
    assert "is not an image" in reasons
    assert "is damaged or cut short" in reasons


@pytest.mark.parametrize("kind", KINDS)
def test_jpegs_are_decoded_in_part_where_the_config_says_so(kind, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    landscape(400, 300, falloff=1.5).save(buffer, "JPEG", quality=95)
    word = write(kind, tmp_path / "pack", {"a.jpg": buffer.getvalue()})
    quick = DataConfig(load_size=40, crop="none", decode="rough")
    expected = FolderSource(write_folder(tmp_path / "plain", {"a.jpg": buffer.getvalue()}), quick).read([0])
    source = open_source(word, resolution=40, config=quick)
    assert source.read([0])[0].tobytes() == expected[0].tobytes()
    exact = DataConfig(load_size=40, crop="none")
    other = open_source(word, resolution=40, config=exact).read([0])[0]
    assert other.size == (53, 40)
    assert other.tobytes() != expected[0].tobytes()


@pytest.mark.parametrize("kind", ["zip", "tar", "lmdb", "hub"])
def test_a_pack_can_be_cached_at_its_size(kind, tmp_path):
    word = write(kind, tmp_path / "pack", some_files())
    config = DataConfig(load_size=12, crop_size=12, cache=str(tmp_path / "cache"))
    source = open_source(word, resolution=12, config=config)
    kept = cached(source, config, lambda _: None)
    assert kept is not source
    assert digests(kept, [0, 1, 2, 3]) == digests(source, [0, 1, 2, 3])
    told = []
    cached(open_source(word, resolution=12, config=config), config, told.append)
    assert told == []


@pytest.mark.parametrize("kind", ["zip", "tar", "shards", "lmdb"])
def test_reading_changes_nothing_in_the_place_of_the_data(kind, tmp_path):
    word = write(kind, tmp_path / "data" / "pack", some_files())
    everything = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "data").rglob("*"))
    source = open_source(word, resolution=12)
    source.read([0, 1, 2, 3])
    source.fingerprint()
    assert sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "data").rglob("*")) == everything


@pytest.mark.parametrize("kind", ["zip", "lmdb"])
def test_an_empty_pack_is_refused(kind, tmp_path):
    with pytest.raises(UserError, match=r"no images in .*pack"):
        open_source(write(kind, tmp_path / "pack", {}), resolution=12)


@pytest.mark.parametrize("kind", ["zip", "lmdb"])
def test_a_pack_cut_short_is_refused(kind, tmp_path):
    files = {f"{i}.png": encoded(i, (40, 40)) for i in range(8)}
    word = write(kind, tmp_path / "pack", files)
    path = os.path.join(word, "data.mdb") if kind == "lmdb" else word
    os.truncate(path, os.path.getsize(path) // 2)
    with pytest.raises(UserError, match=r"pack.* is (cut short|damaged)"):
        open_source(word, resolution=12)


@pytest.mark.skipif(sys.platform != "linux", reason="file names must be text there")
@pytest.mark.parametrize("kind", ["tar", "lmdb"])
def test_a_name_that_is_no_text_can_be_read_and_listed(kind, tmp_path):
    name = os.fsdecode(b"\xff.png")
    source = open_source(write(kind, tmp_path / "pack", {name: encoded()}), resolution=12)
    assert source.read([0])[0].size == (24, 18)
    broken = open_source(write(kind, tmp_path / "broken", {name: b"x", "z.png": encoded()}), resolution=12)
    broken.read([0, 1])
    assert str(broken.skipped).encode("utf-8")
    assert len(broken.skipped) == 1
