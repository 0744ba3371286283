"""Two trainers never share a run folder, and a dead one never keeps it."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.tools import names_in

from swapae.errors import UserError
from swapae.training.lock import locked

HOLD = """
import sys, time, os
from pathlib import Path
sys.path[:0] = {path!r}
if {is_without}:
    import fcntl
    def refuse(*_): raise OSError({errno}, "no locks")
    fcntl.flock = refuse
from swapae.training.lock import locked
with locked(Path({root!r})):
    if not {forks} or os.fork() == 0:
        print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["flock", "file"])
def is_without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways to lock: the system's, and a file where the file system knows no locks."""
    if request.param == "file":

        def refuse(*_: object) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", refuse)
    return bool(request.param == "file")


def holder(root: Path, is_without: bool = False, forks: bool = False) -> "subprocess.Popen[str]":
    """Another process that holds the lock."""
    code = HOLD.format(path=sys.path, root=str(root), is_without=is_without, errno=errno.ENOLCK, forks=forks)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: "subprocess.Popen[str]") -> None:
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def test_a_second_trainer_is_refused_with_process_and_machine_and_may_come_after_the_first_was_killed(
    tmp_path: Path, is_without: bool
) -> None:
    root = tmp_path / "run"
    child = holder(root, is_without)
    try:
        with pytest.raises(UserError) as error, locked(root):
            pass
        assert f"is being trained by process {child.pid} on {socket.gethostname()}, since 2" in str(
            error.value
        )
    finally:
        end(child)
    with locked(root):  # at once, though nobody has unlocked it
        lock = root / (".lock-claim" if is_without else ".lock")
        assert json.loads(lock.read_text())["pid"] == os.getpid()
        with pytest.raises(UserError, match=f"process {os.getpid()} on"), locked(root):
            pass
    assert names_in(root) == []


def test_a_folder_made_for_the_lock_goes_with_it_if_nothing_came_to_lie_there(
    tmp_path: Path, is_without: bool
) -> None:
    with locked(tmp_path / "a" / "run"):
        assert names_in(tmp_path / "a" / "run") == [".lock-claim" if is_without else ".lock"]
    assert not (tmp_path / "a" / "run").exists()
    with locked(tmp_path / "b"):
        (tmp_path / "b" / "file").touch()
    assert names_in(tmp_path / "b") == ["file"]


def test_a_process_forked_from_a_trainer_does_not_hold_the_lock_after_it(tmp_path: Path) -> None:
    child = holder(tmp_path / "run", forks=True)
    try:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        with locked(tmp_path / "run"):
            pass
    finally:
        end(child)


@pytest.mark.parametrize("is_without", ["file"], indirect=True)
def test_without_locks_only_what_is_known_to_be_dead_is_taken_over(tmp_path: Path, is_without: bool) -> None:
    assert is_without
    lock = tmp_path / ".lock-claim"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    me = {"pid": os.getpid(), "host": socket.gethostname(), "since": "then"}
    kept = [
        "",  # says nothing
        json.dumps(me),  # lives, and its birth is not known
        json.dumps(me | {"pid": dead.pid, "host": "elsewhere"}),  # cannot be looked at from here
    ]
    for text in kept:
        lock.write_text(text)
        with pytest.raises(UserError, match=r"if it is gone, remove .*\.lock-claim\."), locked(tmp_path):
            pass
        assert lock.read_text() == text
    for owner in (me | {"pid": dead.pid}, me | {"born": "of an earlier process of this number"}):
        lock.write_text(json.dumps(owner))
        with locked(tmp_path):
            pass
        assert names_in(tmp_path) == []
    lock.write_text(json.dumps(me | {"pid": dead.pid}))
    (tmp_path / ".lock-claim-ends").mkdir()  # somebody is taking it over, or died at it
    with pytest.raises(UserError, match=r"if it is gone, remove .*lock-claim-ends\."), locked(tmp_path):
        pass
