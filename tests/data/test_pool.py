"""Work over many items in processes: in order, and a process that dies takes one item with it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from swapae.data.pool import available_cores, each


class Square:
    """Kills its process for 13, unless that is the main one."""

    def __init__(self, deadly=(), main=None):
        self.deadly, self.main = deadly, main

    def __call__(self, number):
        if number in self.deadly and os.getpid() != self.main:
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        return number * number


def dead(number):
    return -number


def test_without_processes_all_is_done_here():
    assert list(each(Square(), range(30), 0, dead)) == [n * n for n in range(30)]
    assert list(each(Square((1,), os.getpid()), [1, 2], 2, dead)) == [1, 4]
    assert list(each(Square(), [], 2, dead)) == []


def test_results_come_in_order_and_one_that_kills_its_process_is_named_alone():
    found = list(each(Square((13, 14, 90)), range(100), 2, dead))
    assert found == [-n if n in (13, 14, 90) else n * n for n in range(100)]


def test_an_error_of_the_work_is_passed_on_and_ends_the_processes():
    with pytest.raises(TypeError):
        list(each(Square(), [*range(20), "x"], 1, dead))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_processes_end_with_the_one_that_began_them_however_it_does(tmp_path):
    code = (
        "import sys, time, os, swapae.data.pool as pool\n"
        "if __name__ == '__main__':\n"
        "    for pid in pool.each(os.getpgid, [0] * 40, 1, print): pass\n"
        "    results = pool.each(time.sleep, [0.01] * 9 + [600], 1, print)\n"
        "    next(results)\n"
        "    import multiprocessing\n"
        "    print(*(p.pid for p in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(600)\n"
    )
    (tmp_path / "run.py").write_text(code)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert children
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 60
    while any(is_alive(pid) for pid in children):
        assert time.monotonic() < end, "they live on"
        time.sleep(0.05)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # ended, but nobody has asked how
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except OSError:
        return True


def test_there_is_a_core():
    assert available_cores() >= 1
