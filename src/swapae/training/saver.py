"""Writing while training goes on: checkpoints, the log, pictures; and what is done when the disk is full."""

import time
from collections.abc import Callable, Mapping

from torch import Tensor

from swapae.errors import UserError, WriteError
from swapae.training.best import keep_best_model
from swapae.training.checkpoint import Learner, collect, save_checkpoint
from swapae.training.config import TrainConfig
from swapae.training.disk import MARGIN, bytes_of_save, free_bytes, shown_bytes
from swapae.training.engine import Engine
from swapae.training.evaluate import AbandonedError, Evaluation, measure
from swapae.training.report import DivergedError
from swapae.training.run import RunFolder, append_log

PAUSE = 5.0  # seconds between two looks at a full disk


class Saver:
    """Writes in the first process, and lets all of them know how a save went.

    Args:
        run: where.
        learner: what is saved.
        config: says what to do when the disk is full.
        engine: the processes.
        shown: images `[B, 3, H, W]` for pictures and measurements.
        tell: hears of what cannot be written.
        is_asked_to_stop: ends a pause; the same in all processes.
        evaluation: what is measured now and then, beside what is at every save.
    """

    def __init__(
        self,
        run: RunFolder,
        learner: Learner,
        config: TrainConfig,
        engine: Engine,
        shown: Tensor,
        tell: Callable[[str], None],
        is_asked_to_stop: Callable[[], bool],
        evaluation: Evaluation | None = None,
    ) -> None:
        self.run = run
        self.learner = learner
        self.config = config
        self.engine = engine
        self.shown = shown
        self.tell = tell
        self.is_asked_to_stop = is_asked_to_stop
        self.evaluation = evaluation
        self.needed = bytes_of_save(learner) + MARGIN
        self._waiting: list[Mapping[str, float]] = []  # lines of the log that found no room
        self._is_failing = False

    def check_space(self, is_new: bool) -> None:
        """Look whether two saves will find room. A run that goes on has its policy for when they do not.

        Raises:
            UserError: they will not, and the run is new, or stops on a full disk.
        """
        needed, free = 2 * self.needed, free_bytes(self.run.root)
        if free >= needed or not self.engine.is_first:
            return
        text = f"this run needs {shown_bytes(needed)} to save, {self.run.root} has {shown_bytes(free)} free"
        if is_new or self.config.on_disk_full == "stop":
            raise UserError(f"{text}: free some, or give another place with -o.")
        self.tell(f"{text}: free some.")

    # ---- checkpoints

    def is_due(self, is_last: bool) -> bool:
        """Whether an evaluation is due, with which a checkpoint is saved; one that was abandoned still is."""
        state = self.learner.state
        return self.evaluation is not None and (
            self.evaluation.is_due(state.evaluated, state.images_seen)
            or (is_last and state.evaluated != state.images_seen)
        )

    def measure(self, evaluates: bool = False) -> None:
        """Measure what a checkpoint is kept for. All processes call it."""
        figures = self._evaluate(self.evaluation) if self.evaluation is not None and evaluates else {}
        if self.engine.is_first:
            found = measure(self.learner.ema.model, self.shown.to(self.engine.device))
            self.learner.state.metrics = found | figures

    def _evaluate(self, evaluation: Evaluation) -> dict[str, float]:
        """Evaluate; training goes on without figures where that fails, or is not waited for."""
        state = self.learner.state
        try:
            figures = evaluation.figures(self.learner.ema.model)
        except AbandonedError:
            return {}
        except UserError as error:
            self.tell(f"{error} Nothing was measured on {self.config.eval.data} this time; training goes on.")
            figures = {}
        else:
            if not state.evaluated:
                self.tell(f"{evaluation.note}; so it will be every {evaluation.interval:,} images.")
        state.evaluated = state.images_seen
        return figures

    def save(self, is_last: bool) -> None:
        """Save, or do what was asked for where that cannot be done. All processes call it.

        Args:
            is_last: there is no later save that could make up for this one.

        Raises:
            WriteError: it cannot be saved, and the run stops on that, or ends here.
            DivergedError: a weight is not finite.
        """
        has_told = False
        while (error := self._attempt()) is not None:
            policy = self.config.on_disk_full
            if policy == "continue" and not is_last:
                self.tell(f"{error} Nothing is saved now; training goes on, and the next save tries again.")
                return
            if policy != "pause" or (is_last and self.is_asked_to_stop()):
                raise WriteError(
                    f"{error} What was learnt since the last checkpoint is not saved; free some space, and "
                    "the same command goes on from there."
                )
            if not has_told:
                self.tell(f"{error} Training waits until there is room.")
            has_told = True
            is_last = self._wait() or is_last

    def _attempt(self) -> WriteError | None:
        """Save in the first process; all get to know what was in the way."""
        error: WriteError | DivergedError | None = None
        if self.engine.is_first:
            try:
                self._write()
            except (WriteError, DivergedError) as found:
                error = found
        error = self.engine.from_first(error)
        if isinstance(error, DivergedError):
            raise error
        return error

    def _write(self) -> None:
        """Write the averaged model, then the checkpoint: after a kill between them, steps are done again."""
        free = free_bytes(self.run.root)
        if free < self.needed:
            has, needs = shown_bytes(free), shown_bytes(self.needed)
            raise WriteError(f"the disk is full: {self.run.root} has {has} free, a checkpoint needs {needs}.")
        self.learner.state.augment = self.learner.strength.state()
        tensors = collect(self.learner)
        self._write_lines()
        self.learner.ema.model.save_pretrained(self.run.model, force=True, card=False)
        save_checkpoint(self.run, self.learner.state, tensors, self.config)
        keep_best_model(self.run, self.config, self.learner.state.images_seen)

    def _wait(self) -> bool:
        """Wait before the next attempt; whether the end was asked for meanwhile, so that it is the last."""
        end = time.monotonic() + PAUSE
        while self.engine.from_first(time.monotonic() < end):
            if self.is_asked_to_stop():
                return True
            time.sleep(0.1)
        return False

    # ---- what training can do without

    def log(self, line: Mapping[str, float]) -> None:
        """Add a line to the log; if there is no room it is kept, and comes before the next one."""
        if self.engine.is_first:
            self._waiting.append(line)
            self.optional(self._write_lines)

    def optional(self, write: Callable[[], None]) -> None:
        """Write, in the first process, what training can do without; tell when that begins to fail.

        Raises:
            WriteError: the run stops on that.
        """
        if not self.engine.is_first:
            return
        try:
            write()
            self._is_failing = False
        except WriteError as error:
            if self.config.on_disk_full == "stop":
                raise
            if not self._is_failing:
                self.tell(f"{error} Training goes on without.")
            self._is_failing = True

    def _write_lines(self) -> None:
        append_log(self.run, *self._waiting)
        self._waiting.clear()
