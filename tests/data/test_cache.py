"""A cache of pre-sized images: the same samples, made again whenever they would not be."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from swapae.data import cache as caches
from swapae.data.cache import CachedSource, cached, is_cache
from swapae.data.folder import FolderSource
from swapae.data.open import open_source
from swapae.data.stream import SampleStream
from swapae.data.transforms import DataConfig
from swapae.errors import UserError


def noise(path, size, seed, mode="RGB", **options):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Wide, tall, small, turned, transparent, damaged: all that a folder may hold."""
    images = tmp_path / "images"
    images.mkdir()
    noise(images / "a.png", (70, 40), 0)
    noise(images / "b.jpg", (33, 90), 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(images / "c.jpg", (160, 100), 2, exif=exif)
    noise(images / "d.png", (50, 50), 3, "RGBA")
    noise(images / "e.png", (60, 60), 4)
    (images / "e.png").write_bytes((images / "e.png").read_bytes()[:3000])
    (images / "f.png").write_text("no picture")
    noise(images / "g.png", (9, 12), 5)
    return images


def setting(cache, **changes):
    return DataConfig(
        **{"load_size": 32, "crop_size": 24, "zoom": 0.9, "cache": cache and str(cache)} | changes
    )


def opened(folder, config, heard=None, stop=None):
    source = FolderSource(folder, config)
    return cached(source, config, [].append if heard is None else heard.append, stop)


def samples(source, config):
    stream = SampleStream(source, config, stride=8, seed=5)
    return torch.stack(stream.__getitems__(list(range(40))))


@pytest.mark.parametrize("preprocess", ["scale_shortside", "resize", "none"])
@pytest.mark.parametrize("decode", ["exact", "rough"])
def test_the_samples_are_those_of_the_images_to_the_bit(folder, tmp_path, preprocess, decode):
    config = setting(tmp_path / "cache", preprocess=preprocess, decode=decode, flip=True)
    plain, kept = FolderSource(folder, config), opened(folder, config)
    assert isinstance(kept, CachedSource)
    assert torch.equal(samples(kept, config), samples(plain, config))
    is_exact = decode == "exact" or preprocess == "none"
    assert torch.equal(samples(kept, config), samples(FolderSource(folder), config)) is is_exact
    assert (kept.num_images, kept.name) == (plain.num_images, plain.name)
    assert sorted(kept.skipped) == sorted(plain.skipped)
    assert [path for path, _ in kept.skipped] == ["f.png", "e.png"]
    sizes = {image.size for image in kept.read(range(6))}
    assert len(sizes) == (1 if preprocess == "resize" else 5)


def test_a_cache_is_made_once_and_read_without_the_images(folder, tmp_path):
    config, heard = setting(tmp_path / "cache"), []
    first = samples(opened(folder, config, heard), config)
    assert len(heard) == 2
    assert "6 images" in heard[0]
    source, again = FolderSource(folder, config), []
    source.read = None
    kept = cached(source, config, again.append)
    for path in folder.iterdir():
        path.unlink()
    assert torch.equal(samples(kept, config), first)
    assert again == []
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".json", ".u8"]


def touched(folder, config):
    status = (folder / "a.png").stat()
    os.utime(folder / "a.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    return config


def added(folder, config):
    noise(folder / "aa.png", (20, 20), 9)
    return config


def renamed(folder, config):
    (folder / "a.png").rename(folder / "z.png")
    return config


CHANGES = {
    "a file was touched": touched,
    "a file was added": added,
    "a file was renamed": renamed,
    "another side": lambda _, config: setting(config.cache, load_size=40),
    "another rule": lambda _, config: setting(config.cache, preprocess="scale_width"),
    "another decoding": lambda _, config: setting(config.cache, decode="quick"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_cache_that_no_longer_fits_is_made_anew(folder, tmp_path, change):
    config = setting(tmp_path / "cache")
    before = opened(folder, config).fingerprint()
    changed, heard = change(folder, config), []
    kept = opened(folder, changed, heard)
    assert "made anew" in heard[0]
    assert kept.fingerprint() != before
    assert torch.equal(samples(kept, changed), samples(FolderSource(folder, changed), changed))
    assert len(list((tmp_path / "cache").glob("pixels-*"))) == 1


def test_what_comes_after_the_rule_needs_no_new_cache(folder, tmp_path):
    opened(folder, setting(tmp_path / "cache"))
    heard = []
    opened(folder, setting(tmp_path / "cache", crop_size=16, flip=False, zoom=1.0, workers=2), heard)
    assert heard == []


@pytest.mark.parametrize("damage", ["cut", "gone", "index", "version"])
def test_a_damaged_cache_is_made_anew(folder, tmp_path, damage):
    config = setting(tmp_path / "cache")
    expected = samples(opened(folder, config), config)
    index, pixels = tmp_path / "cache" / "index.json", next((tmp_path / "cache").glob("pixels-*"))
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "gone":
        pixels.unlink()
    elif damage == "index":
        index.write_text(index.read_text()[:-20])
    else:
        index.write_text(json.dumps(json.loads(index.read_text()) | {"version": 0}))
    heard = []
    assert torch.equal(samples(opened(folder, config, heard), config), expected)
    assert len(heard) == 2


def test_another_pillow_is_another_cache(folder, tmp_path, monkeypatch):
    config = setting(tmp_path / "cache")
    before = opened(folder, config).fingerprint()
    monkeypatch.setattr(caches.PIL, "__version__", "0.0")
    assert opened(folder, config).fingerprint() != before


def test_without_the_setting_nothing_is_kept(folder):
    source = FolderSource(folder)
    assert cached(source, setting(None), [].append) is source


def test_a_set_without_end_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"synthetic has no end and cannot be cached: set data\.cache to none"
    ):
        cached(open_source("synthetic", resolution=8), setting(tmp_path / "cache"), [].append)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(folder, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "index.json").write_text("{}")
    for place, words in ((tmp_path / "full", "holds other files"), (folder / "a.png", "is a file")):
        with pytest.raises(UserError, match=words):
            opened(folder, setting(place))
    assert (tmp_path / "full" / "index.json").read_text() == "{}"


def test_a_making_that_is_stopped_or_fails_leaves_the_older_cache(folder, tmp_path, monkeypatch):
    old = setting(tmp_path / "cache")
    expected = samples(opened(folder, old), old)
    answers = iter([False, False, True])
    new = setting(tmp_path / "cache", load_size=48)
    stopped = opened(folder, new, stop=lambda: next(answers))
    assert isinstance(stopped, FolderSource)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        UserError, match=r"cannot hold the images \(No space left on device\): give data\.cache"
    ):
        opened(folder, new)
    monkeypatch.undo()
    heard = []
    assert torch.equal(samples(opened(folder, old, heard), old), expected)
    assert heard == []
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_long_work_is_told_of(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(caches, "SECONDS_BETWEEN", 0.0)
    heard = []
    opened(folder, setting(tmp_path / "cache"), heard)
    assert "3 of 6 images are at size." in heard


def test_a_worker_opens_the_same_file_or_says_that_it_is_gone(folder, tmp_path):
    config = setting(tmp_path / "cache")
    kept = opened(folder, config)
    expected = samples(kept, config)
    sent = pickle.dumps(kept)
    assert len(sent) < 5_000
    assert torch.equal(samples(pickle.loads(sent), config), expected)
    opened(folder, setting(tmp_path / "cache", load_size=48))
    with pytest.raises(UserError, match="cannot be read"):
        pickle.loads(sent).read([0])


def test_a_cache_can_be_given_as_the_images(folder, tmp_path):
    config = setting(tmp_path / "cache")
    expected = samples(opened(folder, config), config)
    assert is_cache(tmp_path / "cache")
    assert not is_cache(folder)
    source = open_source(tmp_path / "cache", resolution=32, config=config)
    assert torch.equal(samples(source, config), expected)
    assert cached(source, config, [].append) is source
    with pytest.raises(UserError, match="scale_shortside to 32 px, asked for is scale_shortside to 64 px"):
        open_source(tmp_path / "cache", resolution=64, config=setting(None, load_size=64))
    next(Path(tmp_path / "cache").glob("pixels-*")).unlink()
    with pytest.raises(UserError, match="holds no sound images"):
        open_source(tmp_path / "cache", resolution=32)
