"""Do a batch: go on where an earlier call ended, write down what is done, and let nothing stop the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from swapae.batch.manifest import FORMAT, Known, Lines, Row, held, manifests, name_of, state_of_manifests
from swapae.batch.outcome import Job, Outcome
from swapae.batch.plan import Batch, Plan, fingerprint, make_plan
from swapae.data.packs.pack import Pack
from swapae.errors import UserError, WriteError
from swapae.files import shown

if TYPE_CHECKING:
    from swapae.batch.work import Work

Stop = Callable[[], bool]
Progress = Callable[["Counts"], None]
Prepare = Callable[[int], AbstractContextManager["Pool"]]

CLAIM = 32  # pictures that are written down as begun at once
MOST_FULL = 8  # pictures in a row that find the disk full: then it ends


class Pool(Protocol):
    """What does jobs, wherever."""

    def outcomes(self, jobs: Iterable[Job], stop: Stop) -> Iterator[Outcome]:
        """Give outcomes as they come, until all are there or `stop` says so and what was begun is done."""
        ...


@dataclass
class Counts:
    """How far a batch, or a share of it, is.

    - images: of the set or the share, those that cannot be looked at included.
    - before: done by earlier calls.
    - done, failed: by this one.
    - full: why it ended early, where the disk is full.
    """

    images: int
    before: int = 0
    done: int = 0
    failed: int = 0
    full: str | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """Pictures that nobody has looked at yet."""
        return self.images - self.before - self.done - self.failed

    @property
    def seconds(self) -> float:
        """Since the first picture was begun."""
        return time.monotonic() - self.begun


class Recorder:
    """Writes down what becomes of pictures: in the manifest, and in the file of errors.

    Args:
        batch: whose folder it is.
        counts: are kept up.
    """

    def __init__(self, batch: Batch, counts: Counts) -> None:
        self.batch, self.counts = batch, counts
        self.manifest = Lines(batch.out / name_of("manifest", batch.share))
        self.errors = Lines(batch.out / name_of("errors", batch.share))
        self._late: list[Row] = []  # that found the disk full
        self._num_full = 0

    def begin(self, pack: Pack, known: Known) -> None:
        """Forget errors of the last time, for what failed is tried again; write settings down.

        Raises:
            WriteError: the folder cannot be written to.
        """
        is_new = self.manifest.path not in known.headers
        stale = [self.errors.path]
        if self.batch.share is None:
            stale += self.batch.out.glob("errors.*-of-*.jsonl")
            others = [path for path in manifests(self.batch.out) if path != self.manifest.path]
            stale += [path for path in others if path not in known.headers]  # of other settings
        for path in stale:
            path.unlink(missing_ok=True)
        if is_new:
            self.manifest.clear()
            header = {"format": FORMAT, "settings": self.batch.settings(), "fingerprint": fingerprint(pack)}
            self.manifest.add([header], is_lasting=True)

    def claimed(self, jobs: Sequence[Job], stop: Stop) -> Iterator[Job]:
        """Give jobs one by one, each written down as begun: so its file is known as ours, come what may.

        Raises:
            WriteError: the manifest cannot be written.
        """
        for start in range(0, len(jobs), CLAIM):
            some = jobs[start : start + CLAIM]
            rows = [{"input": job.name, "output": job.output, "state": "begun"} for job in some]
            self.manifest.add([*self._late, *rows], is_lasting=True)
            self._late.clear()
            for job in some:
                if self.counts.full or stop():
                    return
                yield job

    def take(self, outcome: Outcome) -> None:
        """Write down an outcome."""
        job = outcome.job
        row: Row = {"input": job.name, "output": job.output, "seconds": round(outcome.seconds, 4)}
        if outcome.error is None:
            self.counts.done += 1
            self._num_full = 0
            facts = {"bytes": outcome.size, "sha256": outcome.sha256, "mtime_ns": outcome.mtime}
            self._write(self.manifest, {**row, "state": "done", **facts})
            return
        self._num_full = self._num_full + 1 if outcome.is_full else 0
        if self._num_full >= MOST_FULL:
            self.counts.full = outcome.error
        self.fail(job.name, outcome.error)
        self._write(self.manifest, {**row, "state": "failed", "error": outcome.error})

    def fail(self, name: str, why: str) -> None:
        """Write down an error."""
        self.counts.failed += 1
        self._write(self.errors, {"input": name, "error": why})

    def finish(self) -> None:
        """Close the files; rows that the disk did not take are tried again, else redone the next time."""
        for row in self._late:
            try:
                self.manifest.add([row])
            except WriteError:
                break
        self.manifest.close()
        self.errors.close()

    def _write(self, lines: Lines, row: Row) -> None:
        try:
            lines.add([row])
        except WriteError:
            if lines is self.manifest:
                self._late.append(row)


def run(
    pack: Pack,
    batch: Batch,
    prepare: Prepare,
    progress: Progress,
    stop: Stop,
    force: bool = False,
) -> Counts:
    """Do what is left of a batch.

    Args:
        pack: the set.
        batch: what to do with it.
        prepare: loads what is needed for so many jobs; not called where none is left.
        progress: hears of every picture.
        stop: says when to end early.
        force: begin anew where settings differ, and overwrite files.

    Raises:
        UserError: the folder or the settings are not to be had, or nothing can be written there.
    """
    plan = make_plan(pack, batch, force)
    pool = prepare(len(plan.jobs)) if plan.jobs else None  # what cannot be loaded leaves no trace
    counts = Counts(plan.num_images, plan.num_before)
    with _opened(batch, counts) as recorder:
        if plan.state != state_of_manifests(batch.out):  # another process has just done some
            plan = make_plan(pack, batch, force)
            counts.images, counts.before = plan.num_images, plan.num_before
        recorder.begin(pack, plan.known)
        sweep(batch, plan)
        _refuse(pack, plan, recorder)
        if pool is not None:
            _work_on(plan, recorder, pool, progress, stop)
    return counts


def _refuse(pack: Pack, plan: Plan, recorder: Recorder) -> None:
    """Write down what cannot be done at all."""
    share = recorder.batch.share
    if share is None or share[0] == 1:
        for name, why in pack.skipped:
            recorder.counts.images += 1
            recorder.fail(name, why)
    for job in plan.refused:
        why = f"{shown(job.output)} exists already, and is not of this batch: move it, or give --force."
        recorder.fail(job.name, why)


def _work_on(
    plan: Plan, recorder: Recorder, pool: AbstractContextManager[Pool], progress: Progress, stop: Stop
) -> None:
    counts = recorder.counts

    def is_over() -> bool:
        return stop() or counts.full is not None

    with pool as ready:
        counts.begun = time.monotonic()
        try:
            for outcome in ready.outcomes(recorder.claimed(plan.jobs, is_over), is_over):
                recorder.take(outcome)
                progress(counts)
        except WriteError as error:  # of the manifest: what is not written down must not be begun
            counts.full = str(error)


@contextmanager
def _opened(batch: Batch, counts: Counts) -> Iterator[Recorder]:
    """Make the folder, keep others out of it, and open its files."""
    recorder = Recorder(batch, counts)
    recorder.manifest.open()
    assert recorder.manifest.file is not None
    try:
        with held(batch.out, recorder.manifest.file, batch.share):
            yield recorder
    finally:
        recorder.finish()


def sweep(batch: Batch, plan: Plan) -> None:
    """Remove unfinished files of an earlier call that was killed; those of other shares may be in use."""
    if batch.share is not None or not plan.known.headers:
        return
    for folder in {os.path.dirname(job.output) for job in plan.jobs}:
        for torn in (batch.out / folder).glob(".swapae-*.tmp"):
            torn.unlink(missing_ok=True)


def work_of(batch: Batch, pack: Pack, device: str) -> Work:
    """Load the model and the photos of an edit, once for all processes.

    Raises:
        UserError: one is missing or cannot be read.
    """
    from swapae.batch.editor import Editor
    from swapae.batch.work import Masks, Work

    if batch.masks is not None and not os.path.exists(batch.masks):
        raise UserError(f"there are no masks {shown(batch.masks)}.")
    editor = Editor(batch.edit, device, batch.backend)  # type: ignore[arg-type]
    masks = None if batch.masks is None else Masks(batch.masks)
    return Work(editor, pack, batch.out, masks, batch.format, batch.quality)
