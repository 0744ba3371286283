"""The training loop, counted in images (model-spec §9; paper appendix B)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from swapae.data.cache import cached
from swapae.data.open import open_source
from swapae.data.stream import SampleStream, loader
from swapae.images import save_image
from swapae.training.checkpoint import Learner, State, collect, load_checkpoint, save_checkpoint
from swapae.training.config import TrainConfig, check
from swapae.training.engine import joined, start
from swapae.training.meter import Meter
from swapae.training.origin import check_origin
from swapae.training.report import Quiet, Reporter, default_reporter
from swapae.training.run import DataReport, RunFolder, append_log, check_run, open_run, trim_log
from swapae.training.setup import fitting, images_to_show, make_learner
from swapae.training.snapshot import snapshot
from swapae.training.step import Steps
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
    engine = start(device, config)
    source = open_source(data, resolution=config.data.load_size, config=config.data)
    folder = RunFolder(Path(run))
    check_run(folder, config, str(data), source)
    origin = check_origin(folder, None if init_from is None else str(init_from))
    shown = fitting(images_to_show(source, config), config)
    reporter = (reporter or default_reporter()) if engine.is_first else Quiet()

    # Networks, optimizers, averages; and the state to go on from.
    learner = make_learner(config, engine)
    load_checkpoint(folder.checkpoints, learner, reporter.message)
    state = learner.state
    engine.restore(state.scaling)
    transfer = begin(origin, folder, learner, config, reporter.message)
    if state.images_seen >= config.total_images:
        seen = f"{state.images_seen} of {config.total_images}"
        reporter.message(f"{run} is complete, it has seen {seen} images; raise total_images to go on.")
        return summary_of(folder, state, config)

    # The run directory.
    engine.wait()
    if engine.is_first:
        open_run(folder, config)
        trim_log(folder, state.images_seen)
    with engine.first_alone():
        source = cached(source, config.data, reporter.message, stop)
    report = DataReport(folder, str(data), source, reporter.message) if engine.is_first else None
    meter = Meter(state, engine)
    if transfer is not None:
        if engine.is_first:
            write_record(folder, transfer)
        save(folder, learner, meter, config)  # from now on the other run is not needed

    # Data: a function of the seed and of the images seen; each process reads its part of every batch.
    stream = SampleStream(source, config.data, config.model.stride, config.seed)
    places = engine.places(config.batch_size, config.accumulate)
    batches = loader(stream, config.batch_size, state.images_seen, config.data.workers, places)
    steps = Steps(learner.networks, learner.optimizers, config, engine)
    reporter.start(state.images_seen, config.total_images)
    try:
        while state.images_seen < config.total_images and not engine.agree(stop is not None and stop()):
            # One step on new images: now of the discriminators, now of encoder and generator.
            real = engine.place(fitting(next(batches), config))
            random = engine.generator(step_seed(config.seed, state.images_seen))
            before = state.images_seen
            state.images_seen += config.batch_size
            state.steps += 1
            if state.steps % 2 == 1:
                meter.add(steps.discriminator_step(real, random))
                if (state.steps + 1) // 2 % config.loss.r1_interval == 0:
                    meter.add(steps.r1_step(real, random))
            else:
                meter.add(steps.generator_step(real, random))
                learner.ema.update(2 * config.batch_size, state.images_seen)

            # Tell, draw, save.
            is_last = state.images_seen >= config.total_images
            if is_last or _passes(before, state.images_seen, config.log_images):
                line = meter.line()
                if report is not None:
                    append_log(folder, line)
                    report.update()
            reporter.progress(state.images_seen, meter.images_per_second, state.losses)
            if engine.is_first and (is_last or _passes(before, state.images_seen, config.snapshot_images)):
                picture = snapshot(learner.ema.model, shown.to(engine.device))
                save_image(picture, folder.snapshot(state.images_seen), force=True)
            if is_last or _passes(before, state.images_seen, config.checkpoint_images):
                save(folder, learner, meter, config)
        if state.images_seen < config.total_images:  # it was stopped
            save(folder, learner, meter, config)
        if report is not None:
            report.update()
    finally:
        del batches  # ends the processes that read ahead
        reporter.stop()
    return summary_of(folder, state, config)


def step_seed(seed: int, images_seen: int) -> int:
    """Give the seed of the patches and the noise of one step."""
    return (seed * 0x9E3779B97F4A7C15 + images_seen * 0xBF58476D1CE4E5B9 + 1) % 2**63


def save(folder: RunFolder, learner: Learner, meter: "Meter", config: TrainConfig) -> None:
    """Write the averaged model, then the checkpoint: a run killed between them does its last steps again."""
    meter.settle()
    learner.state.scaling = meter.engine.scaling()
    if not meter.engine.is_first:
        return
    tensors = collect(learner)
    learner.ema.model.save_pretrained(folder.model, force=True)
    save_checkpoint(folder, learner.state, tensors, config)


def summary_of(folder: RunFolder, state: State, config: TrainConfig) -> RunSummary:
    """Sum up where a run is."""
    is_complete = state.images_seen >= config.total_images
    return RunSummary(folder.root, state.images_seen, state.seconds, is_complete, dict(state.losses))


def _passes(before: int, after: int, interval: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after]."""
    return after // interval > before // interval
