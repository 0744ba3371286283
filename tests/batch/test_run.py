"""What is written down, and what stops a batch and what does not; without a model."""

import json
import os

import pytest
from tests.batch.tools import Scripted, batch_of, folder, run_with

from swapae.batch import run as running
from swapae.batch.manifest import Lines
from swapae.batch.outcome import Outcome
from swapae.errors import UserError, WriteError

NAMES = [f"{i:02}.png" for i in range(12)]
FULL = "out/x.png cannot be written (No space left on device)."


def done(batch):
    def outcome(job):
        path = batch.out / job.output
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"result")
        status = os.stat(os.path.join(batch.data, job.name))
        return Outcome(job, 0.25, None, False, status.st_size, status.st_mtime_ns, "ab")

    return outcome


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def batch(tmp_path, tiny_model):
    return batch_of(folder(tmp_path / "in", NAMES), tmp_path / "out", tiny_model)


def test_every_picture_is_written_down_as_begun_and_then_as_done_with_what_it_was(batch):
    counts = run_with(batch, Scripted(done(batch)))
    header, *found = rows(batch.out / "manifest.jsonl")
    assert header["settings"] == json.loads(json.dumps(batch.settings()))
    assert [row["input"] for row in found if row["state"] == "begun"] == NAMES
    last = found[-1]
    status = os.stat(os.path.join(batch.data, NAMES[-1]))
    facts = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": "ab", "seconds": 0.25}
    assert last == {"input": NAMES[-1], "output": NAMES[-1], "state": "done", **facts}
    assert (counts.images, counts.done, counts.failed, counts.left) == (12, 12, 0, 0)
    assert not (batch.out / "errors.jsonl").exists()


def test_the_same_call_goes_on_and_tries_again_what_failed(batch):
    good = done(batch)
    first = Scripted(lambda job: Outcome(job, error="bad.") if job.number in (1, 2) else good(job))
    counts = run_with(batch, first, stop=lambda: len(first.jobs) >= 5)
    assert (counts.done, counts.failed, counts.left) == (3, 2, 7)
    assert rows(batch.out / "errors.jsonl") == [{"input": n, "error": "bad."} for n in NAMES[1:3]]
    second = Scripted(good)
    counts = run_with(batch, second)
    assert [job.number for job in second.jobs] == [1, 2, *range(5, 12)]
    assert (counts.before, counts.done, counts.left) == (3, 9, 0)
    assert not (batch.out / "errors.jsonl").exists()
    third = Scripted(good)
    assert run_with(batch, third).before == 12
    assert third.jobs == []


def test_the_result_of_a_picture_that_was_begun_when_all_was_killed_is_ours_to_write_again(batch):
    class Killed(BaseException):
        pass

    good = done(batch)

    def dies(job):
        good(job)
        raise Killed

    with pytest.raises(Killed):
        run_with(batch, Scripted(dies))
    assert (batch.out / NAMES[0]).exists()
    (batch.out / ".swapae-torn.tmp").write_bytes(b"half")
    with open(batch.out / "manifest.jsonl", "ab") as file:
        file.write(b'{"input": "00.p')
    counts = run_with(batch, Scripted(good))
    assert (counts.done, counts.failed) == (12, 0)
    assert not list(batch.out.glob(".swapae-*"))


def test_a_full_disk_ends_it_after_some_pictures_and_the_same_call_goes_on(batch):
    good = done(batch)
    full = Scripted(lambda job: good(job) if job.number < 2 else Outcome(job, error=FULL, is_full=True))
    counts = run_with(batch, full)
    assert (counts.done, counts.failed, counts.full) == (2, running.MOST_FULL, FULL)
    assert counts.left == 12 - 2 - running.MOST_FULL
    assert run_with(batch, Scripted(good)).done == 10


def test_one_picture_that_is_too_large_for_the_disk_stops_nothing(batch):
    good = done(batch)
    pool = Scripted(lambda job: Outcome(job, error=FULL, is_full=True) if job.number % 2 else good(job))
    counts = run_with(batch, pool)
    assert (counts.done, counts.failed, counts.full, counts.left) == (6, 6, None, 0)


def test_nothing_is_begun_that_cannot_be_written_down(batch, monkeypatch):
    monkeypatch.setattr(running, "CLAIM", 4)
    good, add = done(batch), Lines.add
    state = {"full": False}

    def failing(lines, new, is_lasting=False):
        if state["full"]:
            raise WriteError("manifest.jsonl cannot be written (No space left on device).")
        add(lines, new, is_lasting)

    def outcome(job):
        state["full"] = job.number >= 2
        return good(job)

    monkeypatch.setattr(Lines, "add", failing)
    pool = Scripted(outcome)
    counts = run_with(batch, pool)
    assert [job.number for job in pool.jobs] == [0, 1, 2, 3]
    assert "manifest.jsonl cannot be written" in counts.full
    state["full"] = False
    again = Scripted(good)
    counts = run_with(batch, again)  # two were done, but could not be written down
    assert [job.number for job in again.jobs] == list(range(2, 12))
    assert (counts.before, counts.failed) == (2, 0)


def test_other_settings_are_refused_and_forced_ones_begin_anew(batch, tmp_path, tiny_model):
    run_with(batch, Scripted(done(batch)))
    before = (batch.out / "manifest.jsonl").read_bytes()
    other = batch_of(tmp_path / "in", batch.out, tiny_model, strength=0.5)
    with pytest.raises(UserError, match=r"strength was 1\.0, is 0\.5"):
        run_with(other, Scripted(done(other)))
    assert (batch.out / "manifest.jsonl").read_bytes() == before
    counts = run_with(other, Scripted(done(other)), force=True)
    assert (counts.before, counts.done) == (0, 12)
    assert rows(batch.out / "manifest.jsonl")[0]["settings"]["strength"] == 0.5
    assert run_with(other, Scripted(done(other))).before == 12


def test_what_cannot_be_loaded_leaves_no_trace(batch):
    def prepare(num_jobs):
        raise UserError("the texture cannot be read.")

    from swapae.data.open import open_pack

    with pytest.raises(UserError, match="texture"):
        running.run(open_pack(batch.data), batch, prepare, lambda counts: None, lambda: False)
    assert not batch.out.exists()


def test_shares_write_beside_each_other_and_a_call_for_all_finds_what_they_did(batch, tmp_path, tiny_model):
    for number in (1, 2):
        share = batch_of(tmp_path / "in", batch.out, tiny_model, share=(number, 3))
        assert run_with(share, Scripted(done(share))).done == 4
    assert {path.name for path in batch.out.glob("*.jsonl")} == {f"manifest.{i}-of-3.jsonl" for i in (1, 2)}
    rest = Scripted(done(batch))
    assert run_with(batch, rest).before == 8
    assert [job.number for job in rest.jobs] == [2, 5, 8, 11]


def test_a_file_in_the_way_is_told_of_and_kept(batch):
    batch.out.mkdir()
    (batch.out / NAMES[3]).write_bytes(b"mine")
    counts = run_with(batch, Scripted(done(batch)))
    assert (counts.done, counts.failed) == (11, 1)
    assert (batch.out / NAMES[3]).read_bytes() == b"mine"
    [error] = rows(batch.out / "errors.jsonl")
    assert error["input"] == NAMES[3]
    assert "exists already" in error["error"]
