"""What a training would take, before any of it begins: memory, time, disk. Nothing is written."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from swapae.data.open import open_source
from swapae.images import grid
from swapae.runtime.room import room
from swapae.training.advice import advise, images_in_a_pass, needs_of, peak_of
from swapae.training.config import TrainConfig, check
from swapae.training.disk import MARGIN, free_bytes
from swapae.training.engine import Engine, start
from swapae.training.estimate import HELD, Memory, estimate
from swapae.training.evaluate import evaluation_of
from swapae.training.origin import check_origin
from swapae.training.retention import checkpoints_in, images_of
from swapae.training.run import RunFolder, check_run
from swapae.training.samples import KINDS, QUALITY, small
from swapae.training.setup import images_to_show
from swapae.training.snapshot import pictures
from swapae.training.trial import Trial, try_out

LINE = 900  # bytes of a line of the log


@dataclass(frozen=True)
class Disk:
    """Bytes that a whole run takes."""

    checkpoint: int
    num_checkpoints: int  # at most at once, the one that is being written too
    snapshots: int
    log: int
    free: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.checkpoint * self.num_checkpoints + self.snapshots + self.log + MARGIN


@dataclass(frozen=True)
class Plan:
    """What a training would take.

    Attributes:
        images_seen: where the run in the folder stands; 0 for a new one.
        device: where it would be.
        memory: as estimated.
        needed: bytes that an allocator takes for it.
        there: bytes there are; None where the system does not tell.
        advice: what to change if it does not fit.
        trial: two steps of each kind, measured; None if it does not fit.
        disk: what lies there in the end.
        evaluation: what will be measured in its course, in sentences.
    """

    images_seen: int
    device: str
    memory: Memory
    needed: float
    there: int | None
    advice: str | None
    trial: Trial | None
    disk: Disk
    evaluation: Sequence[str] = ()

    def seconds_left(self, config: TrainConfig) -> float | None:
        """How long the rest would take, by the trial."""
        left = max(0, config.total_images - self.images_seen)
        return None if self.trial is None else left / self.trial.images_per_second


def plan(
    config: TrainConfig,
    data: str,
    run: Path,
    device: str,
    init_from: str | None = None,
    is_anew: bool = False,
) -> Plan:
    """Look at everything that `train` would look at, estimate, and try out two steps of each kind.

    Args:
        config: the whole run.
        data: the word for the images.
        run: the run directory, which need not be there.
        device: "auto", "cpu", "cuda", "mps".
        init_from: what a new run would begin with.
        is_anew: whether what the run directory holds would be removed first.

    Raises:
        UserError: `train` would refuse.
    """
    check(config)
    engine = start(device, config)
    source = open_source(data, resolution=config.data.load_size, config=config.data)
    folder = RunFolder(run)
    if not is_anew:
        check_run(folder, config, data, source)
        check_origin(folder, init_from)
    shown = images_to_show(source, config)
    evaluation = evaluation_of(config, engine)
    found = [] if is_anew else checkpoints_in(folder.checkpoints)
    images_seen = images_of(found[-1]) if found else 0

    images = images_in_a_pass(config, engine.num_processes)
    memory = estimate(config, images)
    needed, there = peak_of(memory, engine.device.type), room(engine.device)
    fits = there is None or needed <= there
    advice = None if fits else advice_for(config, engine, there, bool(found))
    trial = try_out(config, source, engine) if fits else None
    disk = disk_of(config, memory, pictures(shown), free_bytes(run))
    said = [] if evaluation is None else evaluation.lines(config.total_images)
    return Plan(images_seen, str(engine.device), memory, needed, there, advice, trial, disk, said)


def advice_for(config: TrainConfig, engine: Engine, there: int | None, has_begun: bool) -> str:
    """Say what to change."""
    needs = needs_of(config, engine.device.type)
    return advise(config, needs, there, engine.num_processes, has_begun)


def disk_of(config: TrainConfig, memory: Memory, images: Sequence[Image.Image], free: int) -> Disk:
    """Add up what a run leaves on the disk.

    Args:
        config: how often, and what stays.
        memory: its weights, moments and averages are a checkpoint.
        images: that a sample grid shows.
        free: bytes.
    """
    weights = sum(one.weights + one.adam for one in memory.networks.values())
    averaged = sum(one.weights for name, one in memory.networks.items() if name in HELD)
    intervals = {config.checkpoint_images, config.eval.interval(config.checkpoint_images)}
    num_saves = sum(-(-config.total_images // interval) for interval in intervals)
    forever = config.total_images // config.keep_every_images if config.keep_every_images else 0
    kept = min(num_saves, config.keep_checkpoints + config.keep_best + forever)
    num_grids = -(-config.total_images // config.snapshot_images)
    num_lines = -(-config.total_images // config.log_images)
    # RUN/model is one more averaged model, and one of each is being written while the old ones are there.
    return Disk(
        checkpoint=weights + averaged,
        num_checkpoints=kept + 1,
        snapshots=num_grids * bytes_of_grids(config, images),
        log=num_lines * LINE + 2 * averaged,
        free=free,
    )


def bytes_of_grids(config: TrainConfig, images: Sequence[Image.Image]) -> int:
    """Estimate the files of one moment: a grid's rows are about as hard to pack as the images themselves."""
    sheet = grid([list(images)] * 4)
    num_small = len(KINDS) - 1 if config.ema_half_life_kimg else 1
    packed = small(sheet, config.discriminator.image_size)
    return _size(sheet, "PNG") + num_small * _size(packed, "WEBP")


def _size(picture: Image.Image, format: str) -> int:
    file = io.BytesIO()
    picture.save(file, format, quality=QUALITY)
    return file.tell()
