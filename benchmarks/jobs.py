"""What the children of a benchmark run: cases, jobs, and the models they work on.

A `Case` is a row to measure. In each child `benchmarks.MODULE.job(case, role)` turns it into a `Job`: things
to call, and what they must be equal in. The roles: `a` and `b` run the baseline (under the default allocator
and under ours), `ours` the package.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from swapae.model import SwappingAutoencoder
from swapae.networks import ModelConfig
from swapae.presets import PRESETS
from swapae.training.config import TrainConfig

ROLES = ("a", "b", "ours")
PUBLISHED = "published"  # the name of the full-width default settings, 256²
Outputs = Sequence[Tensor]


@dataclass(frozen=True)
class Case:
    """One row: the module that knows it, what is run, and on what."""

    module: str
    name: str
    resolution: int
    batch: int = 1
    model: str = PUBLISHED
    is_heavy: bool = False  # only with --full
    gigabytes: float = 0.0  # memory that the baseline will need, roughly
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Spell it for a child."""
        return asdict(self)


@dataclass
class Job:
    """Calls, each with its share in the time of the case; `outputs` of the first round are compared."""

    calls: list[tuple[float, Callable[[], Outputs]]]


def job_of(case: Case, role: str) -> Job:
    """Build a case for a role."""
    job: Job = importlib.import_module(f"benchmarks.{case.module}").job(case, role)
    return job


def flops_of(case: Case) -> float | None:
    """Count what a case computes, where its module can: operations of the direct convolutions."""
    count = getattr(importlib.import_module(f"benchmarks.{case.module}"), "flops", None)
    return None if count is None else count(case)


def compared(case: Case, found: Outputs, expected: Outputs) -> dict[str, Any]:
    """Hold outputs against the baseline's: by the case's module, or by the worst relative difference."""
    compare = getattr(importlib.import_module(f"benchmarks.{case.module}"), "compare", worst_error)
    return dict(compare(found, expected))


def worst_error(found: Outputs, expected: Outputs) -> dict[str, float]:
    """Compute the worst largest |difference| / largest |value|."""
    pairs = zip(found, expected, strict=True)
    return {"error": max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)}


def train_config(name: str) -> TrainConfig:
    """Look up the settings of a name."""
    return TrainConfig() if name == PUBLISHED else PRESETS[name]()


@lru_cache(maxsize=1)
def model_of(name: str) -> SwappingAutoencoder:
    """Make a model with weights that are the same in every process, none of which is at 0."""
    return seeded_model(train_config(name).model)


def seeded_model(config: ModelConfig) -> SwappingAutoencoder:
    """Make a model from a fixed seed."""
    torch.manual_seed(0)
    model = SwappingAutoencoder(config).eval()
    liven(model)
    if hasattr(model, "codes_cache"):
        model.codes_cache = None  # every call must compute
    return model


@torch.no_grad()
def liven(module: torch.nn.Module) -> None:
    """Move biases and noise strengths off 0, or the comparison of outputs would not see them."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        if parameter.ndim == 1:
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


def seeded_images(batch: int, side: int, seed: int = 0) -> Tensor:
    """Make images `[B, 3, S, S]` in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(batch, 3, side, side, generator=generator) - 1
