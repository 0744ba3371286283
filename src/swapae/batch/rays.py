"""A batch by Ray Data: on a cluster of Ray, or on one that is made of this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any

from swapae.batch.outcome import Job, Outcome, died
from swapae.errors import UserError
from swapae.files import shown

if TYPE_CHECKING:
    from swapae.batch.processes import Stop
    from swapae.batch.work import Work

LOCAL = "local"
WAVE = 16_384  # jobs that are given to Ray at once: their rows are written down before
BLOCK = 32  # jobs of a task, at most: what they have done is heard of when all are done
FACTS = [one.name for one in fields(Outcome) if one.name != "job"]
BLOCK_BYTES = 1 << 20  # what Ray expects a task to give back at most, else it wants a larger store
TASKS_EACH = 8  # tasks an actor gets, at least, so that none waits long for the others in the end
STORE_BYTES = 256 << 20  # only the names of pictures go through it


class RayActors:
    """Actors of Ray with a copy of the work, as a context.

    Pictures and results are read and written where the actors are, so all machines must see both folders
    under the same paths, and have this package. Ray's statistics of use are off where it is started here.

    Args:
        work: what each does.
        address: of the cluster, as `ray.init` takes it; `local` starts one on this machine, and ends it.
        workers: how many actors; None for one per GPU, or else per core, of the cluster.

    Raises:
        UserError: Ray is not installed.
    """

    def __init__(self, work: Work, address: str, workers: int | None) -> None:
        try:
            import ray.data  # noqa: F401
        except ImportError:
            raise UserError("Ray is not installed: pip install 'swapae[scale]'.") from None
        self.work, self.address, self.workers = work, address, workers
        self._is_ours = False
        self._has_gpus = False

    def __enter__(self) -> RayActors:
        import ray

        if not ray.is_initialized():
            self._connect()
        found = ray.cluster_resources()
        self._has_gpus = found.get("GPU", 0) >= 1 and self.work.editor.device in ("auto", "cuda")
        self.workers = self.workers or int(found.get("GPU" if self._has_gpus else "CPU", 1)) or 1
        return self

    def __exit__(self, *problem: object) -> None:
        if self._is_ours:
            import ray

            ray.shutdown()

    def outcomes(self, jobs: Iterable[Job], stop: Stop) -> Iterator[Outcome]:
        """Do jobs, and give the outcomes as they come.

        What an actor takes with it when it dies, jobs that waited for it too, is done once more: each in a
        task of its own, for as long as that gets any of them done.

        Raises:
            UserError: Ray cannot do it.
        """
        left = iter(jobs)
        while not stop() and (wave := list(islice(left, WAVE))):
            missing = {job.number: job for job in wave}
            is_single, before = False, 0
            while missing and not (is_single and len(missing) == before) and not stop():
                is_single, before = before > 0, len(missing)
                for outcome in self._done(list(missing.values()), is_single, stop):
                    del missing[outcome.job.number]
                    yield outcome
            if stop():
                return
            yield from map(died, missing.values())

    def _connect(self) -> None:
        """Start Ray, or find it; it keeps its hands off signals, its statistics and this terminal.

        Raises:
            UserError: it cannot be had.
        """
        import ray

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as it is to be; else it warns
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        given: dict[str, Any] = {
            "address": self.address,
            "logging_level": logging.ERROR,
            "log_to_driver": False,
        }
        if self.address == LOCAL:
            given |= {
                "num_cpus": self.workers,
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
        try:
            ray.init(**given)
        except Exception as error:  # whatever its transports raise
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(f"there is no Ray at {shown(self.address)} ({shown(first)}).") from None
        for number, handler in before.items():
            signal.signal(number, handler)
        self._is_ours = True

    def _done(self, jobs: list[Job], is_single: bool, stop: Stop) -> Iterator[Outcome]:
        import ray.data

        assert self.workers is not None
        known = {job.number: job for job in jobs}
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        context.max_errored_blocks = -1  # those of actors that died: the jobs are done once more
        context.target_max_block_size = BLOCK_BYTES
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # it shows tracebacks of what is ignored
        block = 1 if is_single else max(1, min(BLOCK, len(jobs) // (TASKS_EACH * self.workers)))
        items = [{"number": job.number, "output": job.output} for job in jobs]
        rows = ray.data.from_items(items, override_num_blocks=-(-len(jobs) // block))
        done = rows.map_batches(
            _Actor,
            fn_constructor_args=(self.work,),
            compute=ray.data.ActorPoolStrategy(
                size=min(self.workers, len(jobs)), max_tasks_in_flight_per_actor=1 if is_single else None
            ),
            batch_size=None,
            batch_format="numpy",
            max_task_retries=0,
            **({"num_gpus": 1} if self._has_gpus else {"num_cpus": 1}),
        )
        try:
            with contextlib.redirect_stdout(sys.stderr):  # Ray tells there of actors that died
                for row in done.iter_rows():
                    yield Outcome(known[row["number"]], **{fact: row[fact] for fact in FACTS})
                    if stop():
                        return
        except ray.exceptions.RayError as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(f"Ray ended the work ({shown(first)}); the same command goes on.") from None


class _Actor:
    """The work, in a process of Ray's."""

    def __init__(self, work: Work) -> None:
        self.work = work
        work.load(None)

    def __call__(self, table: dict[str, Any]) -> dict[str, list[Any]]:
        outcomes = []
        for number, output in zip(table["number"], table["output"], strict=True):
            outcomes.append(self.work(Job(int(number), self.work.pack.name_of(int(number)), str(output))))
        columns: dict[str, list[Any]] = {"number": [one.job.number for one in outcomes]}
        return columns | {fact: [getattr(one, fact) for one in outcomes] for fact in FACTS}
