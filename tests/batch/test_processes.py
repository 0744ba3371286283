"""Workers: what kills one costs its picture, and nothing else."""

import os
import signal
import sys
import time

import pytest
from tests.batch.tools import Copying, folder

from swapae.batch.outcome import Job
from swapae.batch.processes import Workers
from swapae.data.open import open_pack
from swapae.errors import UserError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def never():
    return False


def jobs_of(pack):
    return [Job(number, pack.name_of(number), pack.name_of(number)) for number in range(pack.num_images)]


def test_what_kills_its_process_is_tried_twice_and_the_rest_is_done(tmp_path):
    names = ["a.png", "b-kill.png", "c.png", "d-kill-once.png", *(f"e{i}.png" for i in range(6))]
    pack = open_pack(folder(tmp_path / "in", names))
    out = tmp_path / "out"
    out.mkdir()
    work = Copying(pack, out)
    with Workers([work, work], threads=1) as workers:
        found = {outcome.job.name: outcome for outcome in workers.outcomes(jobs_of(pack), never)}
        processes = [worker.process for worker in workers._all]
    assert sorted(found) == names
    assert {name for name, outcome in found.items() if outcome.error} == {"b-kill.png"}
    assert "killed the process that worked on it, twice" in found["b-kill.png"].error
    assert all(
        (out / name).read_bytes() == (tmp_path / "in" / name).read_bytes()
        for name in names
        if name != "b-kill.png"
    )
    assert not any(process.is_alive() for process in processes)


def test_asked_to_stop_they_finish_what_they_have_and_take_no_more(tmp_path):
    pack = open_pack(folder(tmp_path / "in", [f"{i}.png" for i in range(9)]))
    out = tmp_path / "out"
    out.mkdir()
    asked = []
    with Workers([Copying(pack, out, seconds=0.1)], threads=None) as workers:
        found = []
        for outcome in workers.outcomes(jobs_of(pack), lambda: bool(asked)):
            found.append(outcome)
            if len(found) == 2:
                os.kill(workers._all[0].process.pid, signal.SIGTERM)  # which schedulers send to all
                asked.append(True)
    assert 2 <= len(found) <= 3
    assert all(outcome.error is None for outcome in found)


def test_a_model_that_cannot_be_loaded_is_said_once(tmp_path):
    pack = open_pack(folder(tmp_path / "in", ["a.png"]))
    (tmp_path / "unloadable").touch()
    work = Copying(pack, tmp_path)
    begin = time.monotonic()
    with pytest.raises(UserError, match="no model today"), Workers([work, work], 1) as workers:
        list(workers.outcomes(jobs_of(pack), never))
    assert time.monotonic() - begin < 300
