"""One function over many items in several processes, in order, whatever an item does to its process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 8  # items sent to a process at once


def each(work: Callable[[T], R], items: Sequence[T], workers: int, died: Callable[[T], R]) -> Iterator[R]:
    """Yield `work(item)` for every item, in order.

    A process that dies, as decoders with a fault in them make it, takes nothing with it: what it had is done
    again one by one, and `died(item)` is yielded for the item that kills its process a second time. With
    `workers` 0, or few items, all is done in this process.

    Args:
        work: a function that can be pickled; it is sent to each process once.
        items: what it is called with.
        workers: the number of processes.
        died: called in this process.
    """
    if workers < 1 or len(items) <= CHUNK:
        yield from map(work, items)
        return
    left = iter(items)
    pending: deque[tuple[list[T], Future[list[R]] | None]] = deque()
    executor = _executor(work, workers)
    try:
        while True:
            try:
                while len(pending) <= 2 * workers and (chunk := list(islice(left, CHUNK))):
                    pending.append((chunk, None))
                    pending[-1] = chunk, executor.submit(_run, chunk)
                if not pending:
                    return
                results = _result(pending[0][1])
            except BrokenProcessPool:
                executor.shutdown(cancel_futures=True)
                yield from _one_by_one(work, [item for chunk, _ in pending for item in chunk], died)
                pending.clear()
                executor = _executor(work, workers)
            else:
                pending.popleft()
                yield from results
    finally:
        executor.shutdown(cancel_futures=True)


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _result(future: Future[list[R]] | None) -> list[R]:
    if future is None:  # it was not sent any more
        raise BrokenProcessPool
    return future.result()


def _one_by_one(work: Callable[[T], R], items: Sequence[T], died: Callable[[T], R]) -> Iterator[R]:
    executor = _executor(work, 1)
    try:
        for item in items:
            try:
                yield from executor.submit(_run, [item]).result()
            except BrokenProcessPool:
                executor.shutdown()
                executor = _executor(work, 1)
                yield died(item)
    finally:
        executor.shutdown(cancel_futures=True)


def _executor(work: Callable[[Any], Any], workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(work,))


# ── in the processes ─────────────────────────────────────────────────────────────────────────────

_WORK: list[Callable[[Any], Any]] = []


def _begin(work: Callable[[Any], Any]) -> None:
    """Keep the function; leave Ctrl-C to the main process; end when that one ends, however it does."""
    _WORK[:] = [work]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _run(items: list[Any]) -> list[Any]:
    return [_WORK[0](item) for item in items]
