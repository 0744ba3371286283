"""`TrainConfig`: all that decides a training run, as one tree of plain values."""

from dataclasses import dataclass, field
from typing import Literal

from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.losses import AugmentConfig, ViewsConfig
from swapae.losses.patch_match import LEAST_SIDE
from swapae.networks import DiscriminatorConfig, ModelConfig, PatchDiscriminatorConfig
from swapae.training.dealing import deal
from swapae.training.figures import OWN, RESUMABLE_EVAL, EvalConfig, check_eval
from swapae.training.objective import LossConfig

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class OptimizerConfig:
    """Two Adams: one for encoder and generator, one for the discriminators (model-spec §9.4)."""

    learning_rate: float = 0.002  # of encoder and generator
    discriminator_learning_rate: float = 0.002  # of the discriminators, before the lazy-R1 correction
    beta1: float = 0.0  # decay of the first moment
    beta2: float = 0.99  # decay of the second moment
    decay_begin: int = 0  # images seen when both learning rates begin to fall, in a straight line
    decay_end: int = 0  # images seen when they have fallen; 0 is off
    decay_to: float = 0.02  # share of themselves to which they fall

    def __post_init__(self) -> None:
        for name in ("learning_rate", "discriminator_learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"optimizer.{name}={getattr(self, name)} must be more than 0.")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"optimizer.{name}={getattr(self, name)} must be from 0 to less than 1.")
        if not 0 <= self.decay_begin <= self.decay_end:
            raise ValueError(
                f"optimizer.decay_begin={self.decay_begin} and decay_end={self.decay_end} must be at least "
                "0, the first not after the second."
            )
        if not 0 < self.decay_to <= 1:
            raise ValueError(f"optimizer.decay_to={self.decay_to} must be above 0 and at most 1.")

    def scale_at(self, images_seen: int) -> float:
        """Give the factor on both learning rates after so many images."""
        if not self.decay_end or images_seen <= self.decay_begin:
            return 1.0
        if images_seen >= self.decay_end:
            return self.decay_to
        share = (images_seen - self.decay_begin) / (self.decay_end - self.decay_begin)
        return 1 - (1 - self.decay_to) * share


@dataclass(frozen=True)
class InitConfig:
    """How weights start. The defaults are the published ones; the others only help short trainings.

    In the published start the texture hardly acts: its entries are about `1/√texture_channels`, so every
    modulation is 1 ± that, and the first modulation, which has no "1 +", passes a signal as small.
    """

    structure_gain: float = 0.0  # bias of the first modulation's scale: 1 lets structure through at once
    texture_gain: float = 1.0  # factor on the modulations' weights: √texture_channels makes them vary by 1


@dataclass(frozen=True)
class TrainConfig:
    """A training run. The defaults are the published ones for 256² images (model-spec §10.3)."""

    model: ModelConfig = field(default_factory=ModelConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    patch_discriminator: PatchDiscriminatorConfig = field(default_factory=PatchDiscriminatorConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    views: ViewsConfig = field(default_factory=ViewsConfig)
    init: InitConfig = field(default_factory=InitConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    batch_size: int = 16  # images a step, over all devices; an even number
    accumulate: int = 1  # micro-batches a step takes one after another, in each process: less memory
    precision: Precision = "fp32"  # of forward and backward passes; weights, optimizers and R1 stay in fp32
    compile: bool = (
        False  # compile the networks first, by torch.compile: minutes that long runs on GPUs regain
    )
    total_images: int = 25_000_000  # images to see, in discriminator and generator steps together
    checkpoint_activations: bool = False  # G steps: 0.73 × the memory, 1.3 × the time, the same numbers
    ema_half_life_kimg: float = 10.0  # thousand images in which averaged weights half forget; 0 is off
    seed: int = 0  # of weights, order, crops, patches and noise
    log_images: int = 480  # images between two lines of the log
    snapshot_images: int = 10_000  # images between two sample grids
    checkpoint_images: int = 50_000  # images between two checkpoints
    keep_checkpoints: int = 3  # newest checkpoints that stay
    keep_best: int = 1  # checkpoints that stay because best_metric was best when they were saved
    best_metric: str = OWN  # on the sample grids' images, or a figure of eval, as KID-EffLite0, is best
    keep_every_images: int = 0  # of every so many images one checkpoint stays for ever; 0 is off
    on_disk_full: Literal["continue", "pause", "stop"] = "continue"  # continue warns and saves next time
    on_diverged: Literal["rollback", "stop"] = "rollback"  # to the last checkpoint, with halved rates
    skips_in_a_row: int = 10  # steps of a kind that are not finite, one after another, until it has diverged
    max_rollbacks: int = 3  # then the run stops with a diagnosis
    tensorboard: bool = False  # write the log and the grids for TensorBoard too (an extra)


COUNTS = ("total_images", "log_images", "snapshot_images", "checkpoint_images", "keep_checkpoints")
RESUMABLE = frozenset(
    {*COUNTS, "keep_best", "best_metric", "keep_every_images", "on_disk_full", "on_diverged"}
    | {"skips_in_a_row", "max_rollbacks"}
    | RESUMABLE_EVAL
    | {"accumulate", "checkpoint_activations", "compile", "tensorboard", "data.workers", "data.cache"}
)  # fields that may differ when a run goes on: they do not change what is learnt


def check(config: TrainConfig) -> None:
    """Refuse a run that could not work, before anything is computed.

    Raises:
        UserError: with both numbers.
    """
    if config.batch_size < 2 or config.batch_size % 2:
        raise UserError(f"batch_size={config.batch_size} must be even and at least 2: images swap in pairs.")
    for name in (*COUNTS, "accumulate", "skips_in_a_row"):
        if getattr(config, name) < 1:
            raise UserError(f"{name}={getattr(config, name)} must be at least 1.")
    for name in ("keep_best", "keep_every_images", "max_rollbacks"):
        if getattr(config, name) < 0:
            raise UserError(f"{name}={getattr(config, name)} must be at least 0.")
    if not 0 <= config.seed < 2**63:
        raise UserError(f"seed={config.seed} must be at least 0 and less than 2^63.")
    if config.ema_half_life_kimg < 0:
        raise UserError(f"ema_half_life_kimg={config.ema_half_life_kimg} must be at least 0, where 0 is off.")
    check_eval(config.eval, config.best_metric, config.discriminator.image_size)
    deal(config.batch_size, 1, config.accumulate)
    _check_sizes(config)


def _check_sizes(config: TrainConfig) -> None:
    """Compare sizes as far as the config knows them: images that nothing resizes or cuts have their own."""
    size = config.discriminator.image_size
    if config.loss.patch_match and size < LEAST_SIDE:
        raise UserError(f"loss.patch_match needs images of {LEAST_SIDE} px or more, not {size}; set it to 0.")
    is_cut = config.data.crop in ("random", "center")
    side = config.data.crop_size if is_cut else config.data.load_size
    if side != size and (is_cut or config.data.preprocess != "none"):
        raise UserError(
            f"images come out {side} px wide, the discriminator takes {size}: set discriminator.image_size "
            f"and data.{'crop_size' if is_cut else 'load_size'} to the same number."
        )
    if size % config.model.stride or size < config.model.min_side:
        raise UserError(
            f"{size} px do not suit this model: its images are multiples of {config.model.stride} px and at "
            f"least {config.model.min_side} px wide; change discriminator.image_size or the downsamplings."
        )
