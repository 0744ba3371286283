"""The training loop, counted in images (model-spec §9; paper appendix B)."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import Tensor

from swapae.data.cache import cached
from swapae.data.open import open_source
from swapae.data.source import Source
from swapae.data.stream import SampleStream, loader
from swapae.training.advice import is_out_of_memory, out_of_memory
from swapae.training.checkpoint import Learner, State, load_checkpoint
from swapae.training.config import TrainConfig, check
from swapae.training.engine import Engine, start
from swapae.training.evaluate import Evaluation, evaluation_of
from swapae.training.group import joined
from swapae.training.guard import Guard, limit_of
from swapae.training.health import TEXTURES
from swapae.training.lock import locked
from swapae.training.meter import Meter
from swapae.training.origin import check_origin
from swapae.training.report import DivergedError, Quiet, Reporter, default_reporter
from swapae.training.retention import checkpoints_in
from swapae.training.rollback import roll_back
from swapae.training.run import RunFolder, check_run, open_run, trim_log
from swapae.training.saver import Saver
from swapae.training.setup import fitting, images_to_show, make_learner, restart
from swapae.training.show import Show
from swapae.training.step import Steps, set_rates
from swapae.training.tensorboard import check_installed
from swapae.training.transfer import begin, write_record


@dataclass(frozen=True)
class RunSummary:
    """What a call of `train` did.

    Attributes:
        run: the run directory.
        images_seen: images seen so far, over all calls.
        seconds: time spent training, over all calls.
        is_complete: whether the run reached its total.
        losses: the latest mean of every term.
    """

    run: Path
    images_seen: int
    seconds: float
    is_complete: bool
    losses: dict[str, float] = field(default_factory=dict)


@joined
def train(
    config: TrainConfig,
    data: str | Path,
    run: str | Path,
    *,
    device: str = "auto",
    reporter: Reporter | None = None,
    stop: Callable[[], bool] | None = None,
    init_from: str | Path | None = None,
) -> RunSummary:
    """Train a model, or go on with a training, until `config.total_images` images were seen.

    Args:
        config: the whole run; a run goes on only with the config it began with.
        data: what `open_source` takes: a folder of images, a pack, hf:NAME, or `synthetic`.
        run: the run directory; it is made, or gone on with.
        device: "auto", "cpu", "cuda", "mps".
        reporter: hears of progress; by default a bar on a terminal, and plain lines elsewhere.
        stop: asked before every step; when it says True the run is saved and ended.
        init_from: a run, a checkpoint or a model whose weights a new run begins with, as far as they fit
            (transfer.py); a run that goes on remembers, and refuses another.

    Raises:
        UserError: config, data and run directory do not go together, something cannot be read or written,
            or the training diverges.
    """
    # Refuse what cannot work before anything is made.
    check(config)
    if config.tensorboard:
        check_installed()
    engine = start(device, config)
    source = open_source(data, resolution=config.data.load_size, config=config.data)
    folder = RunFolder(Path(run))
    reporter = (reporter or default_reporter()) if engine.is_first else Quiet()
    evaluation = evaluation_of(config, engine, stop)
    training = Training(engine, config, str(data), source, folder, reporter, stop, evaluation)
    init_from = None if init_from is None else str(init_from)
    check_run(folder, config, str(data), source)
    check_origin(folder, init_from)
    shown = images_to_show(source, config)
    try:
        with locked(folder.root) if engine.is_first else nullcontext():
            return train_alone(training, shown, init_from)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    # Out here, for with the error the frames have gone that held the tensors.
    has_begun = bool(checkpoints_in(folder.checkpoints))
    raise out_of_memory(config, engine.device, engine.num_processes, has_begun)


@dataclass
class Training:
    """What stays the same from the first step to the last."""

    engine: Engine
    config: TrainConfig
    data: str
    source: Source
    folder: RunFolder
    reporter: Reporter
    stop: Callable[[], bool] | None
    evaluation: Evaluation | None = None

    def is_asked_to_stop(self) -> bool:
        """Ask; all processes get the same answer."""
        return self.engine.agree(self.stop is not None and self.stop())


def train_alone(training: Training, shown: Tensor, init_from: str | None) -> RunSummary:
    """Train in a folder in which nobody else trains now; so its content is looked at once more."""
    engine, config, folder, reporter = training.engine, training.config, training.folder, training.reporter
    check_run(folder, config, training.data, training.source)
    origin = check_origin(folder, init_from)

    # Networks, optimizers, averages; and the state to go on from.
    learner = make_learner(config, engine)
    load_checkpoint(folder.checkpoints, learner, reporter.message)
    transfer = begin(origin, folder, learner, config, reporter.message)
    if learner.state.images_seen >= config.total_images:
        seen = f"{learner.state.images_seen} of {config.total_images}"
        reporter.message(
            f"{folder.root} is complete, it has seen {seen} images; raise total_images to go on."
        )
        return summary_of(folder, learner.state, config)

    # The run directory.
    asked = training.is_asked_to_stop
    saver = Saver(folder, learner, config, engine, shown, reporter.message, asked, training.evaluation)
    saver.check_space(is_new=not checkpoints_in(folder.checkpoints))
    engine.wait()
    if engine.is_first:
        open_run(folder, config)
        trim_log(folder, learner.state.images_seen)
    with engine.first_alone():
        training.source = cached(training.source, config.data, reporter.message, training.stop)
    show = None
    if engine.is_first:
        data = training.data, training.source
        show = Show(folder, config, data, shown, reporter.message, saver.optional)
    if transfer is not None:
        if engine.is_first:
            write_record(folder, transfer)
        saver.save(is_last=True)  # from now on the other run is not needed

    # Steps; where they diverge, once more from the last checkpoint on, with lower rates.
    guard = Guard(limit_of(config), engine.greatest)
    steps = Steps(learner.networks, learner.optimizers, config, engine, guard, learner.strength)
    reporter.start(learner.state.images_seen, config.total_images)
    try:
        while True:
            try:
                go_on(training, learner, steps, saver, show)
                break
            except DivergedError as error:
                begin_anew = partial(restart, config=config)
                roll_back(learner, folder.checkpoints, config, error, begin_anew, reporter.message)
                if engine.is_first:
                    trim_log(folder, learner.state.images_seen)
    finally:
        if show is not None:
            show.close()
        reporter.stop()
    return summary_of(folder, learner.state, config)


def go_on(training: Training, learner: Learner, steps: Steps, saver: Saver, show: Show | None) -> None:
    """Train from the learner's state on, to the end or until it is asked to stop; then all is saved.

    Raises:
        DivergedError: its numbers have run away.
        WriteError: it cannot be saved.
    """
    engine, config, reporter = training.engine, training.config, training.reporter
    state = learner.state
    if show is not None:
        show.start(state.images_seen)
    meter = Meter(state, engine, steps.guard)
    engine.restore(state.scaling)

    # Data: a function of the seed and of the images seen; each process reads its part of every batch.
    stream = SampleStream(training.source, config.data, config.model.stride, config.seed)
    places = engine.places(config.batch_size, config.accumulate)
    batches = loader(stream, config.batch_size, state.images_seen, config.data.workers, places)
    try:
        while state.images_seen < config.total_images and not training.is_asked_to_stop():
            # One step on new images: now of the discriminators, now of encoder and generator.
            real = engine.place(fitting(next(batches), config))
            random = engine.generator(step_seed(config.seed, state.images_seen))
            steps.loss = config.loss.at(state.images_seen)
            set_rates(learner.optimizers, config, state.rate_scale, state.images_seen)
            before = state.images_seen
            state.images_seen += config.batch_size
            state.steps += 1
            steps.reads_gradients = is_line_near(before, state.images_seen + config.batch_size, config)
            if state.steps % 2 == 1:
                meter.add(steps.discriminator_step(real, random))
                if (state.steps + 1) // 2 % config.loss.r1_interval == 0:
                    meter.add(steps.r1_step(real, random))
            else:
                meter.add(steps.generator_step(real, random))
                learner.ema.update(2 * config.batch_size, state.images_seen)

            # Draw, tell, save.
            is_last = state.images_seen >= config.total_images
            if is_last or _passes(before, state.images_seen, config.snapshot_images):
                found = show.grids(learner.ema, state.images_seen) if show is not None else None
                meter.add_of_first(found, TEXTURES)
            is_due = saver.is_due(is_last)
            is_saved = is_last or is_due or _passes(before, state.images_seen, config.checkpoint_images)
            if is_saved:
                saver.measure(is_due)
            if is_saved or _passes(before, state.images_seen, config.log_images):
                line = meter.line() | (state.metrics if is_saved else {})
                saver.log(line)
                known = training.source.skipped
                known.extend(entry for entry in engine.gather(list(known)) if entry not in known)
                if show is not None:
                    show.line(line)
                if news := steps.guard.news(state.skipped):
                    reporter.message(news)
            reporter.progress(state.images_seen, meter.images_per_second, state.losses)
            if is_saved:
                meter.settle()
                saver.save(is_last)
                if show is not None:
                    show.saved()
        if state.images_seen < config.total_images:  # it was stopped
            saver.measure()
            meter.settle()
            saver.save(is_last=True)
            if show is not None:
                show.saved()
    finally:
        del batches  # ends the processes that read ahead


def is_line_near(before: int, following: int, config: TrainConfig) -> bool:
    """Whether a line of the log comes after this step or the next one: they are of different kinds."""
    intervals = config.log_images, config.checkpoint_images, config.eval.interval(config.checkpoint_images)
    is_due = any(_passes(before, following, interval) for interval in intervals)
    return is_due or following >= config.total_images


def step_seed(seed: int, images_seen: int) -> int:
    """Give the seed of the patches and the noise of one step."""
    return (seed * 0x9E3779B97F4A7C15 + images_seen * 0xBF58476D1CE4E5B9 + 1) % 2**63


def summary_of(folder: RunFolder, state: State, config: TrainConfig) -> RunSummary:
    """Sum up where a run is."""
    is_complete = state.images_seen >= config.total_images
    return RunSummary(folder.root, state.images_seen, state.seconds, is_complete, dict(state.losses))


def _passes(before: int, after: int, interval: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after]."""
    return after // interval > before // interval
