"""The training loop, counted in images (model-spec §9; paper appendix B)."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from swapae.data.cache import cached
from swapae.data.open import open_source
from swapae.data.source import Source
from swapae.data.stream import SampleStream, evaluation_images, loader, to_batch
from swapae.devices import choose_device
from swapae.errors import UserError
from swapae.images import save_image
from swapae.layers import ModulatedConv2d, SpatialCodeModulation
from swapae.model import SwappingAutoencoder
from swapae.networks import Discriminator, PatchDiscriminator
from swapae.training.checkpoint import Learner, State, collect, load_checkpoint, save_checkpoint
from swapae.training.config import InitConfig, TrainConfig, check
from swapae.training.ema import Ema
from swapae.training.objective import Networks, Terms
from swapae.training.origin import check_origin
from swapae.training.report import Reporter, default_reporter, diverged
from swapae.training.run import DataReport, RunFolder, append_log, check_run, open_run, trim_log
from swapae.training.snapshot import snapshot
from swapae.training.step import Steps, make_optimizers
from swapae.training.transfer import begin, write_record

NUM_SNAPSHOT_IMAGES = 8


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
        data: a folder of images, or the word `synthetic`.
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
    where = choose_device(device)
    source = open_source(data, resolution=config.data.load_size, config=config.data)
    folder = RunFolder(Path(run))
    check_run(folder, config, str(data), source)
    origin = check_origin(folder, None if init_from is None else str(init_from))
    shown = fitting(images_to_show(source, config), config)
    reporter = reporter or default_reporter()

    # Networks, optimizers, averages; and the state to go on from.
    learner = make_learner(config, where)
    load_checkpoint(folder.checkpoints, learner, reporter.message)
    state = learner.state
    transfer = begin(origin, folder, learner, config, reporter.message)
    if state.images_seen >= config.total_images:
        seen = f"{state.images_seen} of {config.total_images}"
        reporter.message(f"{run} is complete, it has seen {seen} images; raise total_images to go on.")
        return summary_of(folder, state, config)

    # The run directory.
    open_run(folder, config)
    trim_log(folder, state.images_seen)
    source = cached(source, config.data, reporter.message, stop)
    report = DataReport(folder, str(data), source, reporter.message)
    meter = Meter(state)
    if transfer is not None:
        write_record(folder, transfer)
        save(folder, learner, meter, config)  # from now on the other run is not needed

    # Data: a function of the seed and of the images seen.
    stream = SampleStream(source, config.data, config.model.stride, config.seed)
    batches = loader(stream, config.batch_size, state.images_seen, config.data.workers)
    steps = Steps(learner.networks, learner.optimizers, config)
    reporter.start(state.images_seen, config.total_images)
    try:
        while state.images_seen < config.total_images and not (stop and stop()):
            # One step on new images: now of the discriminators, now of encoder and generator.
            real = fitting(next(batches), config).to(where, memory_format=memory_format_of(where))
            random = torch.Generator(where).manual_seed(step_seed(config.seed, state.images_seen))
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
                append_log(folder, meter.line())
                report.update()
            reporter.progress(state.images_seen, meter.images_per_second, state.losses)
            if is_last or _passes(before, state.images_seen, config.snapshot_images):
                picture = snapshot(learner.ema.model, shown.to(where))
                save_image(picture, folder.snapshot(state.images_seen), force=True)
            if is_last or _passes(before, state.images_seen, config.checkpoint_images):
                save(folder, learner, meter, config)
        if state.images_seen < config.total_images:  # it was stopped
            save(folder, learner, meter, config)
        report.update()
    finally:
        del batches  # ends the processes that read ahead
        reporter.stop()
    return summary_of(folder, state, config)


# ── before the loop ──────────────────────────────────────────────────────────────────────────────


def images_to_show(source: Source, config: TrainConfig) -> Tensor:
    """Take the first images of the source for snapshots, an even number of them: one image comes twice."""
    num_images = NUM_SNAPSHOT_IMAGES if source.num_images is None else source.num_images
    num_shown = min(NUM_SNAPSHOT_IMAGES, num_images + num_images % 2)
    indices = [i % num_images for i in range(num_shown)]
    return to_batch(evaluation_images(source, config.data, config.model.stride, indices))


def fitting(images: Tensor, config: TrainConfig) -> Tensor:
    """Pass images `[B, 3, H, W]` on if they have the size that the discriminator takes.

    Raises:
        UserError: with both sizes.
    """
    size = config.discriminator.image_size
    height, width = images.shape[2:]
    if (height, width) != (size, size):
        raise UserError(
            f"images come out {width}×{height} px, the discriminator takes {size}×{size}: set data.crop to "
            "random, or data.preprocess to resize."
        )
    return images


def make_learner(config: TrainConfig, device: torch.device) -> Learner:
    """Make all that training changes, as it is before the first step."""
    model, networks = make_networks(config)
    for module in networks.named().values():
        module.to(device)
        lay_out(module, memory_format_of(device))
    return Learner(networks, make_optimizers(networks, config), Ema(model, config.ema_half_life_kimg))


def memory_format_of(device: torch.device) -> torch.memory_format:
    """Choose how images and kernels lie in memory; on the CPU the operations choose for themselves."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


@torch.no_grad()
def lay_out(module: torch.nn.Module, memory_format: torch.memory_format) -> None:
    """Bring the kernels of plain convolutions into a memory format: same shapes, names and values."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


def make_networks(config: TrainConfig) -> tuple[SwappingAutoencoder, Networks]:
    """Make the model and the discriminators, with weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = SwappingAutoencoder(config.model)
        discriminator = Discriminator(config.discriminator)
        patch_discriminator = PatchDiscriminator(config.patch_discriminator)
    initialize(model, config.init)
    return model, Networks(model.encoder, model.generator, discriminator, patch_discriminator)


@torch.no_grad()
def initialize(model: SwappingAutoencoder, init: InitConfig) -> None:
    """Depart from the published start as asked."""
    for module in model.generator.modules():
        if isinstance(module, ModulatedConv2d):
            module.modulation.weight.mul_(init.texture_gain)
        if isinstance(module, SpatialCodeModulation):
            assert module.scale.bias is not None
            module.scale.bias.fill_(init.structure_gain)
            module.scale.weight.mul_(init.texture_gain)
            module.bias.weight.mul_(init.texture_gain)


# ── in the loop ──────────────────────────────────────────────────────────────────────────────────


def step_seed(seed: int, images_seen: int) -> int:
    """Give the seed of the patches and the noise of one step."""
    return (seed * 0x9E3779B97F4A7C15 + images_seen * 0xBF58476D1CE4E5B9 + 1) % 2**63


def save(folder: RunFolder, learner: Learner, meter: "Meter", config: TrainConfig) -> None:
    """Write the averaged model, then the checkpoint: a run killed between them does its last steps again."""
    meter.settle()
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


class Meter:
    """Means of the losses since the last line of the log, and the clock.

    Only `line` and `settle` wait for the device. Sums that no line has yet are part of the state, so a run
    that was stopped and goes on writes the lines of one that never stopped.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._sums = {name: torch.tensor(value) for name, (value, _) in state.unlogged.items()}
        self._counts = {name: count for name, (_, count) in state.unlogged.items()}
        self._since = time.monotonic()
        self._lines = [(self._since, state.images_seen)] * 2  # when the last two lines were written

    def add(self, terms: Terms) -> None:
        """Take the terms of a step in."""
        for name, term in terms.items():
            self._sums[name] = self._sums[name] + term if name in self._sums else term
            self._counts[name] = self._counts.get(name, 0) + 1

    def line(self) -> dict[str, float]:
        """Close a line of the log; a term that did not occur is not in it.

        Raises:
            UserError: a mean is not finite.
        """
        means = {name: float(value) / self._counts[name] for name, value in self._sums.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise diverged(f"the loss {name}", self.state.images_seen)
        self.state.losses |= means
        self._sums, self._counts = {}, {}
        self._lines = [self._lines[1], (time.monotonic(), self.state.images_seen)]
        self.settle()
        (then, images), (now, images_seen) = self._lines
        speed = round((images_seen - images) / max(now - then, 1e-9), 3)
        seconds = round(self.state.seconds, 3)
        return {"images_seen": images_seen, "seconds": seconds, "images_per_second": speed} | means

    def settle(self) -> None:
        """Bring the state up to date."""
        now = time.monotonic()
        self.state.seconds += now - self._since
        self._since = now
        self.state.unlogged = {name: (float(value), self._counts[name]) for name, value in self._sums.items()}

    @property
    def images_per_second(self) -> float:
        """Speed since the line before the last."""
        then, images = self._lines[0]
        return (self.state.images_seen - images) / max(time.monotonic() - then, 1e-9)
