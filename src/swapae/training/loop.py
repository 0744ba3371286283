"""The training loop, counted in images (model-spec §9; paper appendix B)."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from swapae.data.open import open_source
from swapae.data.stream import SampleStream, evaluation_images, loader, to_batch
from swapae.devices import choose_device
from swapae.images import save_image
from swapae.layers import ModulatedConv2d, SpatialCodeModulation
from swapae.model import SwappingAutoencoder
from swapae.networks import Discriminator, PatchDiscriminator
from swapae.training.checkpoint import State, load_checkpoint, save_checkpoint
from swapae.training.config import InitConfig, TrainConfig, check
from swapae.training.ema import Ema
from swapae.training.objective import Networks, Terms
from swapae.training.report import Reporter, default_reporter
from swapae.training.run import append_log, open_run, trim_log, write_data_report
from swapae.training.snapshot import snapshot
from swapae.training.step import Steps, make_optimizers

NUM_SNAPSHOT_IMAGES = 8


@dataclass(frozen=True)
class RunSummary:
    """What a call of `train` did.

    Attributes:
        run: the run directory.
        images_seen: images seen so far, over all calls.
        seconds: time spent training, over all calls.
        is_complete: whether the run reached its total.
        losses: means of the last log line.
    """

    run: Path
    images_seen: int
    seconds: float
    is_complete: bool
    losses: dict[str, float] = field(default_factory=dict)


def train(
    config: TrainConfig,
    data: str,
    run: str | Path,
    *,
    device: str = "auto",
    reporter: Reporter | None = None,
    stop: Callable[[], bool] | None = None,
) -> RunSummary:
    """Train a model, or go on with a training, until `config.total_images` images were seen.

    Args:
        config: the whole run; a run goes on only with the config it began with.
        data: a folder of images, or the word `synthetic`.
        run: the run directory; it is made, or gone on with.
        device: "auto", "cpu", "cuda", "mps".
        reporter: hears of progress; by default a bar on a terminal, and plain lines elsewhere.
        stop: asked before every step; when it says True the run is saved and ended.

    Raises:
        UserError: when config, data and run directory do not go together.
    """
    # Check all that can be checked before anything is made.
    check(config)
    where = choose_device(device)
    source = open_source(data, resolution=config.data.load_size)
    folder = open_run(Path(run), config, data)
    write_data_report(folder, data, source)
    reporter = reporter or default_reporter()

    # Networks, optimizers, averages; and the state to go on from.
    model, networks = make_networks(config)
    for module in networks.named().values():
        module.to(where).train()
    optimizers = make_optimizers(networks, config)
    ema = Ema(model, config.ema_half_life_kimg)
    state = load_checkpoint(folder.checkpoints, networks, optimizers, ema) or State()
    trim_log(folder, state.images_seen)
    steps = Steps(networks, optimizers, config)

    # Data: a function of the seed and of the images seen.
    stream = SampleStream(source, config.data, config.model.stride, config.seed)
    batches = loader(stream, config.batch_size, state.images_seen, config.data.workers)
    num_shown = min(NUM_SNAPSHOT_IMAGES, source.num_images or NUM_SNAPSHOT_IMAGES)
    shown = evaluation_images(source, config.data, config.model.stride, range(num_shown - num_shown % 2))

    def save() -> None:
        save_checkpoint(folder.checkpoints, state, networks, optimizers, ema, config.keep_checkpoints)
        ema.model.save_pretrained(folder.model, force=True)

    def draw() -> None:
        if shown:
            picture = snapshot(ema.model, to_batch(shown).to(where))
            save_image(picture, folder.snapshot(state.images_seen), force=True)

    meter = Meter(state)
    reporter.start(state.images_seen, config.total_images)
    try:
        while state.images_seen < config.total_images and not (stop and stop()):
            # One step: discriminators on even steps, encoder and generator on odd ones.
            real = next(batches).to(where, non_blocking=True)
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
                ema.update(2 * config.batch_size, state.images_seen)

            # Tell, draw, save.
            is_last = state.images_seen >= config.total_images
            if is_last or _passes(before, state.images_seen, config.log_images):
                append_log(folder, meter.line(state))
                reporter.progress(state.images_seen, meter.images_per_second, meter.losses)
            if is_last or _passes(before, state.images_seen, config.snapshot_images):
                draw()
            if is_last or _passes(before, state.images_seen, config.checkpoint_images):
                meter.pause(state)
                save()
        meter.pause(state)
        save()
        write_data_report(folder, data, source)
    finally:
        reporter.stop()
    is_complete = state.images_seen >= config.total_images
    return RunSummary(folder.root, state.images_seen, state.seconds, is_complete, meter.losses)


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


def step_seed(seed: int, images_seen: int) -> int:
    """Give the seed of the patches and the noise of one step."""
    return (seed * 0x9E3779B97F4A7C15 + images_seen * 0xBF58476D1CE4E5B9 + 1) % 2**63


def _passes(before: int, after: int, interval: int) -> bool:
    """Whether a multiple of `interval` lies in (before, after]."""
    return after // interval > before // interval


class Meter:
    """Means of the losses since the last line, and the clock. Only `line` waits for the device."""

    def __init__(self, state: State) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self._counts: dict[str, int] = {}
        self._since = time.monotonic()
        self._line_since = (self._since, state.images_seen)
        self.losses: dict[str, float] = {}
        self.images_per_second = 0.0

    def add(self, terms: Terms) -> None:
        """Take the terms of a step in."""
        for name, term in terms.items():
            self._sums[name] = self._sums[name] + term if name in self._sums else term
            self._counts[name] = self._counts.get(name, 0) + 1

    def line(self, state: State) -> dict[str, float]:
        """Close a line of the log; a term that did not occur keeps its last value out of it."""
        means = {name: float(value) / self._counts[name] for name, value in self._sums.items()}
        self.losses.update(means)
        self._sums, self._counts = {}, {}
        now, (then, images) = time.monotonic(), self._line_since
        self.images_per_second = (state.images_seen - images) / max(now - then, 1e-9)
        self._line_since = (now, state.images_seen)
        self.pause(state)
        speed = round(self.images_per_second, 3)
        line = {"images_seen": state.images_seen, "seconds": round(state.seconds, 3), "images_per_second": speed}
        return line | {name: value for name, value in means.items() if math.isfinite(value)}

    def pause(self, state: State) -> None:
        """Add the time since the last call to the clock."""
        now = time.monotonic()
        state.seconds += now - self._since
        self._since = now
