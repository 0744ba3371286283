"""Measure training steps of discriminators and generator, the R1 step, and a whole iteration.

    python -m benchmarks.train_step [--only iteration] [--model photos64] [--quick] [--json]

An iteration is a D step, a G step, and an R1 step divided by its interval (16). Ours is `training.step.Steps`
with the package's Adam; both see the same images and draw the same patches and noise. `error` compares the
losses of the first call.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from benchmarks.baseline_training import BaselineSteps
from benchmarks.driver import main
from benchmarks.flops import count
from benchmarks.jobs import PUBLISHED, Case, Job, Outputs, liven, seeded_images, train_config
from swapae.training.config import TrainConfig
from swapae.training.health import is_reading
from swapae.training.objective import Networks
from swapae.training.setup import make_networks
from swapae.training.step import Steps, make_optimizers

NAMES = {"D_step": ["discriminator"], "G_step": ["generator"], "R1_step": ["r1"]}
NAMES["iteration"] = ["discriminator", "generator", "r1"]
BATCHES = {PUBLISHED: 2, "photos64": 16}
GIGABYTES_PER_PIXEL = 8.5 / (2 * 256**2)  # of the baseline at full width


class Stepping(Protocol):
    """What both kinds of steps have."""

    config: TrainConfig


def cases(model: str | None = None, resolution: int | None = None, batch: int | None = None) -> list[Case]:
    """List the rows: full width at 256², and `photos64`; or those of one preset."""
    listed = []
    for settings in [model] if model else BATCHES:
        config = train_config(settings)
        side, number = config.discriminator.image_size, batch or BATCHES.get(settings, config.batch_size)
        if resolution in (None, side):
            room = GIGABYTES_PER_PIXEL * number * side**2 if settings == PUBLISHED else 0.0
            listed += [Case("train_step", name, side, number, settings, gigabytes=room) for name in NAMES]
    return listed


def job(case: Case, role: str) -> Job:
    """Build a row for a role."""
    config = replace(train_config(case.model), batch_size=case.batch)
    _, networks = make_networks(config)
    for net in networks.named().values():
        liven(net)
    steps = steps_of(networks, config, role)
    real = seeded_images(case.batch, case.resolution)
    return Job([(share, calling(steps, kind, real)) for kind, share in shares(case, config)])


def flops(case: Case) -> float:
    """Count what the row computes, forward and backward."""
    config = train_config(case.model)
    with torch.device("meta"):
        _, networks = make_networks(config)
    steps = BaselineSteps(networks, config)
    real = torch.empty(case.batch, 3, case.resolution, case.resolution, device="meta")
    return sum(share * count(calling(steps, kind, real)) for kind, share in shares(case, config))


def shares(case: Case, config: TrainConfig) -> Sequence[tuple[str, float]]:
    """List the steps of a row, each with its share."""
    interval = config.loss.r1_interval if case.name == "iteration" else 1
    return [(kind, 1 / interval if kind == "r1" else 1.0) for kind in NAMES[case.name]]


def steps_of(networks: Networks, config: TrainConfig, role: str) -> Stepping:
    """Make the steps of a role."""
    if role != "ours":
        return BaselineSteps(networks, config)
    return Steps(networks, make_optimizers(networks, config), config)


def calling(steps: Stepping, kind: str, real: Tensor) -> Callable[[], Outputs]:
    """Make a call of one step, which gives its losses by name."""
    step = getattr(steps, f"{kind}_step")

    def call() -> Outputs:
        terms = step(real, torch.Generator().manual_seed(0))
        return [torch.stack([terms[name] for name in sorted(terms) if not is_reading(name)])]

    return call


if __name__ == "__main__":
    main(__doc__, cases)
