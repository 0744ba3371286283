"""The process that holds the model: one order after the other, each cut off at its deadline."""

import contextlib
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Literal

from swapae.errors import UserError

AGAIN = 0.1  # seconds after which a cut that had to wait is tried again
# Where codes are counted and put in order: never cut there, or the count would be wrong ever after.
WHOLE = ("swapae/web/library.py", "swapae/web/shelf.py", "swapae/runtime/codes_cache.py")

Ending = Literal["done", "refused", "unknown", "overdue", "memory", "failed"]


@dataclass(frozen=True)
class Order:
    """A method to be called, within so many seconds."""

    method: str
    arguments: tuple[object, ...]
    seconds: float


@dataclass(frozen=True)
class Reply:
    """How an order ended; `value` is the answer (done), an id (unknown) or a traceback (failed)."""

    ending: Ending
    value: object = None
    sentence: str = ""


class Overdue(BaseException):
    """Time is up. No Exception: whoever expects damaged files must not take it for one."""


def work(connection: Connection, make: Callable[[], object]) -> None:
    """Make what does the work, say so, and carry out orders until the other side has gone."""
    if threading.current_thread() is threading.main_thread():  # of a process; Ctrl-C is the server's affair
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError), connection:
        try:
            studio = make()
        except UserError as error:
            connection.send(Reply("refused", sentence=str(error)))
            return
        connection.send(Reply("done"))
        clock = Clock()
        while True:
            connection.send(carry_out(studio, connection.recv(), clock))


def carry_out(studio: object, order: Order, clock: "Clock") -> Reply:
    """Do what an order says; whatever happens becomes a reply."""
    try:
        with clock.cut_off(order.seconds):
            return Reply("done", getattr(studio, order.method)(*order.arguments))
    except Overdue:
        return Reply("overdue")
    except UserError as error:
        known = getattr(error, "id", None)
        return Reply("refused" if known is None else "unknown", known, str(error))
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return Reply("memory", sentence="there is not enough memory for this: take smaller images.")
        return Reply("failed", traceback.format_exc())


class Clock:
    """Raises `Overdue` in the middle of the work when its time is up.

    The signal's handler runs between two steps of Python, so a single operation of torch is finished first.
    Without such signals, or where an operation takes too long, the server ends the process instead.
    """

    def __init__(self) -> None:
        self._end: float | None = None
        self._has_timer = hasattr(signal, "setitimer") and _is_main_thread()
        if self._has_timer:
            signal.signal(signal.SIGALRM, self._ring)

    @contextlib.contextmanager
    def cut_off(self, seconds: float) -> Iterator[None]:
        """Allow the work inside so many seconds."""
        if not self._has_timer:
            yield
            return
        self._end = time.monotonic() + seconds
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), AGAIN)
        try:
            yield
        finally:
            self._end = None
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._end is None or time.monotonic() < self._end or _is_whole(frame):
            return
        self._end = None
        raise Overdue


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_whole(frame: FrameType | None) -> bool:
    """Whether a step belongs to code that must not be left half done."""
    while frame is not None:
        if frame.f_code.co_filename.replace("\\", "/").endswith(WHOLE):
            return True
        frame = frame.f_back
    return False
