"""Worker processes: each does one job at a time, and none takes another with it when it dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from swapae.batch.outcome import Job, Outcome, died, in_words
from swapae.errors import UserError

if TYPE_CHECKING:
    from swapae.batch.work import Work

Stop = Callable[[], bool]

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]
LIVES = 2  # processes that a job may cost
POLL = 0.25  # seconds after which a request to stop is seen
GRACE = 5.0  # seconds in which an idle process has to end


class Here:
    """This process, where no other is wanted."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def outcomes(self, jobs: Iterable[Job], stop: Stop) -> Iterator[Outcome]:
        """Do jobs one after the other."""
        for job in jobs:
            if stop():
                return
            yield self.work(job)


class Workers:
    """Processes with a copy of the work, as a context; they end with it, and with this process.

    Args:
        works: the work of each, on its device.
        threads: with which each computes; None leaves that to torch.
    """

    def __init__(self, works: Sequence[Work], threads: int | None) -> None:
        self.works, self.threads = works, threads
        self._all: list[_Worker] = []

    def __enter__(self) -> Workers:
        for work in self.works:
            self._all.append(_Worker(work, self.threads))
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        for worker in self._all:
            worker.end(at_once=kind is not None)

    def outcomes(self, jobs: Iterable[Job], stop: Stop) -> Iterator[Outcome]:
        """Do jobs, and give the outcomes as they come.

        A job whose process dies is done once more, in another one. When `stop` says so, no more are begun,
        and those that are begun are finished.

        Raises:
            UserError: the model cannot be loaded, in none of the processes.
        """
        left, again = iter(jobs), deque[Job]()
        deaths: Counter[int] = Counter()
        while True:
            is_over = stop()
            for worker in [worker for worker in self._all if worker.is_idle and not is_over]:
                job = again.popleft() if again else next(left, None)
                is_over = job is None
                if job is not None:
                    worker.begin(job)
            busy = [worker for worker in self._all if worker.job is not None]
            loading = [worker for worker in self._all if not worker.is_ready]
            if is_over and not busy:
                return
            for worker in self._answering([*busy, *loading]):
                job, answer = worker.job, worker.answer()
                if isinstance(answer, Outcome):
                    yield answer
                elif answer is not None:
                    self._replace(worker, answer)
                    if job is None:
                        continue
                    deaths[job.number] += 1
                    if deaths[job.number] < LIVES:
                        again.append(job)
                    else:
                        yield died(job)

    def _answering(self, workers: Sequence[_Worker]) -> list[_Worker]:
        ready = set(wait([worker.pipe for worker in workers], POLL))
        return [worker for worker in workers if worker.pipe in ready]

    def _replace(self, worker: _Worker, why: str) -> None:
        """Put another process in the place of one that died; of one that never got ready, none.

        Raises:
            UserError: it was the last.
        """
        worker.end(at_once=True)
        place = self._all.index(worker)
        if worker.is_ready:
            self._all[place] = _Worker(worker.work, self.threads)
            return
        del self._all[place]
        if not self._all:
            raise UserError(why)


class _Worker:
    """One process, seen from this one."""

    def __init__(self, work: Work, threads: int | None) -> None:
        self.work = work
        self.job: Job | None = None
        self.is_ready = False
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, work, threads), daemon=True)
        with _signals_held():
            self.process.start()
        other.close()

    @property
    def is_idle(self) -> bool:
        return self.is_ready and self.job is None

    def begin(self, job: Job) -> None:
        self.job = job
        try:
            self.pipe.send(job)
        except OSError:  # it is dead, which its answer will say
            pass

    def answer(self) -> Outcome | str | None:
        """Take what it says: an outcome; None, that it is ready; or a sentence on why it is no more."""
        try:
            answer: Outcome | str | None = self.pipe.recv()
        except (EOFError, OSError):
            return (
                "the processes end while they load the model: is there memory for it? Take fewer --workers."
            )
        if answer is None:
            self.is_ready = True
        elif isinstance(answer, Outcome):
            self.job = None
        return answer

    def end(self, at_once: bool) -> None:
        self.pipe.close()
        if not at_once:
            self.process.join(GRACE)
        if self.process.is_alive():
            self.process.kill()  # it lets SIGTERM pass
        self.process.join()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let a process begin with signals held back, until it says that it lets them pass."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ── in the processes ─────────────────────────────────────────────────────────────────────────────


def _serve(pipe: Connection, work: Work, threads: int | None) -> None:
    """Load the model, and do jobs until nobody sends any more."""
    for number in SIGNALS:  # schedulers send them to all: the first process decides
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    try:
        work.load(threads)
    except Exception as error:
        pipe.send(in_words(error))
        return
    pipe.send(None)
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(work(job))


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
