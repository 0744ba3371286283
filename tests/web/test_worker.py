"""The worker's side: orders, endings, and a clock that leaves the library whole when it cuts work off."""

import time
from pathlib import Path
from typing import Any

import pytest

from swapae.errors import UserError
from swapae.web import worker
from swapae.web.errors import UnknownId
from swapae.web.worker import WHOLE, Clock, Order, carry_out


class Doing:
    """Does what a test wants."""

    def __init__(self, work: Any) -> None:
        self.work = work


def ending(work: Any, seconds: float = 5.0) -> worker.Reply:
    return carry_out(Doing(work), Order("work", (), seconds), Clock())


def fail(error: Exception) -> Any:
    def work() -> None:
        raise error

    return work


def test_every_end_of_an_order_is_a_reply() -> None:
    assert ending(lambda: 5) == worker.Reply("done", 5)
    assert ending(fail(UserError("no."))) == worker.Reply("refused", None, "no.")
    assert ending(fail(UnknownId("abc", "gone."))) == worker.Reply("unknown", "abc", "gone.")
    assert ending(fail(MemoryError())).ending == "memory"
    failed = ending(fail(RuntimeError("inside")))
    assert failed.ending == "failed"
    assert "RuntimeError: inside" in str(failed.value)


def test_work_is_cut_off_at_its_deadline_and_the_next_is_not() -> None:
    clock = Clock()
    start = time.monotonic()
    slow = carry_out(Doing(lambda: time.sleep(30)), Order("work", (), 0.1), clock)
    assert slow.ending == "overdue"
    assert time.monotonic() - start < 10
    assert carry_out(Doing(lambda: time.sleep(0.3)), Order("work", (), 20.0), clock).ending == "done"


def test_a_cut_is_no_exception_that_a_reader_of_damaged_files_would_swallow() -> None:
    def swallowing() -> None:
        try:
            time.sleep(30)
        except Exception:
            time.sleep(30)

    assert ending(swallowing, 0.1).ending == "overdue"


def test_what_must_not_be_left_half_done_is_finished_first() -> None:
    """The library's own steps are told by the file they stand in."""
    steps: list[str] = []
    source = "def whole():\n    steps.append('begun')\n    time.sleep(1.3)\n    steps.append('done')\n"
    names: dict[str, Any] = {"steps": steps, "time": time}
    exec(compile(source, f"/somewhere/{WHOLE[0]}", "exec"), names)

    def work() -> None:
        names["whole"]()
        time.sleep(30)

    assert ending(work, 1.0).ending == "overdue"
    assert steps == ["begun", "done"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_files_that_are_never_cut_are_there(name: str) -> None:
    assert (Path(worker.__file__).parents[2] / name).is_file()
