"""A kill at any moment changes nothing of what comes out in the end."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tests.data.packing.tools import KINDS, pack, tree
from tests.data.packs.tools import encoded, write_folder

from swapae.data.open import open_pack, open_source
from swapae.data.packing import job
from swapae.data.packing.job import Packing, pack_images
from swapae.errors import UserError


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
        words = [
            "nice",
            "-n",
            "19",
            sys.executable,
            str(tmp_path / "command.py"),
            kind,
            str(root),
            str(out),
            str(workers),
        ]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    begin = time.monotonic()
    with start(tmp_path / "whole") as whole:
        assert whole.communicate()[0] == "done\n"
    seconds = time.monotonic() - begin
    rng = np.random.default_rng(KINDS.index(kind))
    hits = 0
    for _ in range(2):
        with start(tmp_path / "out") as child:
            journal = tmp_path / "out" / ".swapae" / "journal.jsonl"
            while not journal.exists() and child.poll() is None:  # from the moment it has begun to write
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
