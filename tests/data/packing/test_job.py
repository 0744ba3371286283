"""Packing: what comes out, that a kill at any moment changes nothing of it, and what is refused."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.packs.tools import encoded, write, write_folder
from tests.pictures import landscape

from swapae.data.folder import FolderSource
from swapae.data.open import open_pack, open_source
from swapae.data.packing import job
from swapae.data.packing.job import Packing, pack_images
from swapae.data.stream import SampleStream
from swapae.data.transforms import DataConfig
from swapae.errors import UserError

KINDS = ["folder", "zip", "tar", "lmdb"]


def nothing(*_):
    pass


def pack(data, out, kind="zip", workers=0, force=False, **settings):
    packing = Packing(kind, **({"resize": "scale_shortside", "size": 12} | settings))
    return pack_images(open_pack(data), Path(out), packing, workers, nothing, force)


def tree(root):
    """Every file below a folder by content, hidden ones too."""
    files = sorted(path for path in Path(root).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Thirteen images, two of them broken."""
    root = tmp_path_factory.mktemp("data") / "photos"
    formats = ["JPEG", "PNG", "WEBP"]
    files = {
        f"{i % 3}/{i:02}.{formats[i % 3].lower()}": encoded(i, (20 + i, 17), formats[i % 3])
        for i in range(13)
    }
    files["1/04.png"] = files["1/04.png"][:150]
    files["2/11.webp"] = b"no picture"
    return write_folder(root, files)


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


# ── interrupted ──────────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    pass


@pytest.mark.parametrize("kind", KINDS)
def test_ended_at_every_single_write_to_the_disk_in_turn_it_ends_with_the_same_bytes(
    kind, tmp_path, monkeypatch
):
    """The n-th flush or rename fails, for every n there is; the second call then soon after as well."""
    files = {f"{i}.png": encoded(i, (16, 12)) for i in range(7)} | {"3.png": b"no picture"}
    photos = write_folder(tmp_path / "photos", files)
    monkeypatch.setattr(job, "COMMIT_IMAGES", 3)
    pack(photos, tmp_path / "whole", kind, shard_bytes=2048)
    expected = tree(tmp_path / "whole")
    flush, rename = os.fsync, os.replace
    state = {"left": -1}

    def dying(work):
        def call(*arguments):
            if state["left"] == 0:
                raise Killed
            state["left"] -= 1
            return work(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", dying(flush))
    monkeypatch.setattr(os, "replace", dying(rename))
    moments = 0
    while True:
        out = tmp_path / f"cut{moments}"
        state["left"] = moments
        try:
            pack(photos, out, kind, shard_bytes=2048)
            break
        except Killed:
            moments += 1
        state["left"] = 1 + moments % 3
        try:
            pack(photos, out, kind, shard_bytes=2048)
        except Killed:
            state["left"] = -1
            pack(photos, out, kind, shard_bytes=2048)
        assert tree(out) == expected
        shutil.rmtree(out)
    assert moments > 10


COMMAND = """
import sys
from pathlib import Path
from swapae.data.open import open_pack
from swapae.data.packing import job
job.COMMIT_IMAGES = 4
if __name__ == "__main__":
    kind, data, out, workers = sys.argv[1:]
    packing = job.Packing(kind, "scale_shortside", 96, shard_bytes=100_000)
    job.pack_images(open_pack(data), Path(out), packing, int(workers), lambda *_: None)
    print("done")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize(("kind", "workers"), [("zip", 1), ("lmdb", 0), ("tar", 0)])
def test_killed_by_the_system_at_random_moments_it_ends_with_the_same_bytes(kind, workers, tmp_path):
    root = write_folder(tmp_path / "photos", {f"{i:03}.png": encoded(i, (150, 120)) for i in range(40)})
    (tmp_path / "command.py").write_text(COMMAND)

    def start(out):
        words = [sys.executable, str(tmp_path / "command.py"), kind, str(root), str(out), str(workers)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    begin = time.monotonic()
    with start(tmp_path / "whole") as whole:
        assert whole.communicate()[0] == "done\n"
    seconds = time.monotonic() - begin
    rng = np.random.default_rng(KINDS.index(kind))
    hits = 0
    for _ in range(2):
        with start(tmp_path / "out") as child:
            for _ in range(1000):  # from the moment it has begun to write
                if (tmp_path / "out" / ".swapae" / "journal.jsonl").exists() or child.poll() is not None:
                    break
                time.sleep(0.002)
            time.sleep(rng.random() * seconds / 6)
            hits += child.poll() is None
            child.kill()
    with start(tmp_path / "out") as last:
        assert last.communicate()[0] == "done\n"
    assert hits > 0
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_what_is_complete_is_not_done_again(photos, tmp_path, monkeypatch):
    first = pack(photos, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    monkeypatch.setattr(job, "each", lambda *_: pytest.fail("encoded again"))
    assert pack(photos, tmp_path / "out") == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_what_was_done_is_not_done_again(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "COMMIT_IMAGES", 1)
    done = []

    def stop_after_five(number, total):
        done.append(number)
        if number == 5:
            raise KeyboardInterrupt

    packing = Packing("zip", "scale_shortside", 12)
    with pytest.raises(KeyboardInterrupt):
        pack_images(open_pack(photos), tmp_path / "out", packing, 0, stop_after_five)
    done.clear()
    pack_images(
        open_pack(photos), tmp_path / "out", packing, 0, lambda number, total: done.append((number, total))
    )
    assert done == [(number, 13) for number in range(6, 14)]


def test_an_incomplete_one_is_no_data(photos, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_images(open_pack(photos), tmp_path / "out", Packing(), 0, stop)
    with pytest.raises(
        UserError, match="is not complete, its making was ended: give the same swapae data prepare"
    ):
        open_source(tmp_path / "out", resolution=8)


# ── refused ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_other_files_is_refused_and_left_alone(photos, tmp_path, force):
    out = write_folder(tmp_path / "out", {"diary.txt": b"mine"})
    with pytest.raises(UserError, match=r"out holds other files \(diary.txt\)"):
        pack(photos, out, force=force)
    assert tree(out) == {"diary.txt": b"mine"}
    with pytest.raises(UserError, match="is a file"):
        pack(photos, out / "diary.txt", force=force)


def test_a_place_inside_the_images_is_refused(photos, tmp_path):
    root = shutil.copytree(photos, tmp_path / "photos")
    for out in (root, root / "out"):
        with pytest.raises(UserError, match="lies inside the images"):
            pack(root, out)
    assert not (root / "out").exists()


@pytest.mark.parametrize("is_complete", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_other_settings_or_images_are_refused_until_force_begins_anew(photos, tmp_path, kind, is_complete):
    root = shutil.copytree(photos, tmp_path / "photos")
    out = tmp_path / "out"
    pack(root, out, kind)
    if not is_complete:  # as if killed before the manifest, everything in its place
        manifest = json.loads((out / "manifest.json").read_text())
        (out / "manifest.json").unlink()
        (out / ".swapae").mkdir()
        (out / ".swapae" / "settings.json").write_text(json.dumps(manifest["settings"]))
        rows = map(json.loads, (out / "images.jsonl").read_text().splitlines())
        (out / ".swapae" / "journal.jsonl").write_text("".join(f'["{r["file"]}", "x", "y"]\n' for r in rows))
        (out / "images.jsonl").unlink()
    with pytest.raises(UserError, match=r"other images or settings \(size was 12, is 8\).*--force"):
        pack(root, out, kind, size=8)
    (root / "0" / "new.png").write_bytes(encoded(50))
    with pytest.raises(UserError, match="num_images was 13, is 14"):
        pack(root, out, kind)
    (out / "own.txt").write_bytes(b"mine")
    pack(root, out, kind, size=8, force=True)
    assert (out / "own.txt").read_bytes() == b"mine"
    (out / "own.txt").unlink()
    pack(root, tmp_path / "fresh", kind, size=8)
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_changed_file_is_told_as_such(photos, tmp_path):
    root = shutil.copytree(photos, tmp_path / "photos")
    pack(root, tmp_path / "out")
    os.utime(root / "0" / "00.jpeg", ns=(1, 1))
    with pytest.raises(UserError, match="a file was changed"):
        pack(root, tmp_path / "out")


def test_a_list_with_names_outside_makes_force_remove_nothing_there(photos, tmp_path):
    (tmp_path / "precious.png").write_bytes(b"mine")
    pack(photos, tmp_path / "out", "folder")
    with open(tmp_path / "out" / "images.jsonl", "a") as file:
        file.write(json.dumps({"file": "../../precious.png"}) + "\n")
    pack(photos, tmp_path / "out", "folder", size=8, force=True)
    assert (tmp_path / "precious.png").read_bytes() == b"mine"


def test_two_at_once_are_refused(photos, tmp_path):
    pytest.importorskip("fcntl")
    seen = []

    def meanwhile(*_):
        with pytest.raises(UserError, match="another process prepares") as caught:
            pack(photos, tmp_path / "out")
        seen.append(caught)

    pack_images(open_pack(photos), tmp_path / "out", Packing("zip", "scale_shortside", 12), 0, meanwhile)
    assert seen


def test_a_set_without_a_usable_image_is_refused_with_the_first_reason(tmp_path):
    root = write_folder(tmp_path / "photos", {"a.png": b"text", "b.png": b""})
    with pytest.raises(
        UserError, match=r"No image in .*photos can be used; the first: a\.png is not an image"
    ):
        pack(root, tmp_path / "out")


def test_a_full_disk_is_told_and_what_is_there_goes_on_later(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "COMMIT_IMAGES", 3)
    pack(photos, tmp_path / "whole")
    flush, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 6:
            raise OSError(28, "No space left on device")
        flush(descriptor)

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=r"No space left on device.*the same command goes on"):
            pack(photos, tmp_path / "out")
    pack(photos, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_a_working_file_that_was_tampered_with_is_refused(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "COMMIT_IMAGES", 1)

    def stop(number, total):
        if number == 5:
            raise KeyboardInterrupt

    packing = Packing("zip", "scale_shortside", 12)
    with pytest.raises(KeyboardInterrupt):
        pack_images(open_pack(photos), tmp_path / "out", packing, 0, stop)
    os.truncate(tmp_path / "out" / ".swapae" / "images.zip", 10)
    with pytest.raises(UserError, match="is not as it was left: --force"):
        pack(photos, tmp_path / "out")
