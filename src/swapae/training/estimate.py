"""How much memory a training takes, found without taking it: its steps run on tensors without data."""

import gc
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from swapae.training.config import TrainConfig
from swapae.training.engine import Engine
from swapae.training.setup import make_networks
from swapae.training.step import Steps, make_optimizers

HELD = ("encoder", "generator")  # by the averaged model
ADAM = 2  # moments of a weight

Step = Callable[[Tensor, torch.Generator], object]


@dataclass(frozen=True)
class NetworkMemory:
    """Numbers of one network; bytes but for the first."""

    parameters: int
    weights: int
    gradients: int
    adam: int
    ema: int


@dataclass(frozen=True)
class Memory:
    """What a training holds, in bytes.

    Attributes:
        networks: by name.
        steps: for each kind of step, what it takes at its peak beyond weights, Adam and averages: gradients,
            activations, and what comes and goes.
    """

    networks: dict[str, NetworkMemory]
    steps: dict[str, int]

    @property
    def standing(self) -> int:
        """What lies there between two steps."""
        return sum(one.weights + one.adam + one.ema for one in self.networks.values())

    @property
    def peak(self) -> int:
        """The most that is held at once."""
        return self.standing + max(self.steps.values())


KINDS = ("discriminators", "R1", "encoder and generator")


def estimate(config: TrainConfig, num_images: int, only: Collection[str] = KINDS) -> Memory:
    """Estimate the memory of a process whose forward passes hold so many images.

    On the CPU the compiled kernels keep other things than the plain operations that are counted here; within
    some 15 % it comes to the same.

    Args:
        config: of the training.
        num_images: in a pass: the batch, over processes and micro-batches.
        only: the kinds of steps that are looked at.
    """
    plain = replace(config, batch_size=num_images, accumulate=1)
    with without_data() as live:
        _, networks = make_networks(config)
        optimizers = make_optimizers(networks, config)
        # Half precisions take the same room; the other one has a scale, which only data can tell.
        engine = Engine(torch.device("cpu"), "fp32" if config.precision == "fp32" else "bf16")
        steps = Steps(networks, optimizers, plain, engine)
        side = config.discriminator.image_size
        real = torch.zeros(num_images, 3, side, side)
        peaks = {kind: _peak_of(live, step, real) for kind, step in kinds(steps).items() if kind in only}
        rows = {
            name: memory_of(network, is_averaged=config.ema_half_life_kimg > 0 and name in HELD)
            for name, network in networks.named().items()
        }
    return Memory(rows, peaks)


def kinds(steps: Steps) -> dict[str, Step]:
    """The three kinds of steps, by what people call them."""
    return dict(zip(KINDS, (steps.discriminator_step, steps.r1_step, steps.generator_step), strict=True))


def memory_of(network: nn.Module, *, is_averaged: bool) -> NetworkMemory:
    """Count the parameters and bytes of a network, and of what training keeps for it."""
    parameters = list(network.parameters())
    size = sum(p.numel() * p.element_size() for p in parameters)
    whole = size + sum(b.numel() * b.element_size() for b in network.buffers())
    number = sum(p.numel() for p in parameters)
    return NetworkMemory(number, whole, size, ADAM * size, whole if is_averaged else 0)


# ── counting ─────────────────────────────────────────────────────────────────────────────────────


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that are alive, and the most there were."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                self._take(leaf.untyped_storage())
        self.peak = max(self.peak, self.bytes)
        return found

    def _take(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._known:
            self._known.add(key)
            self.bytes += storage.nbytes()
            weakref.finalize(storage, self._gone, key, storage.nbytes())

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.bytes -= size


@contextmanager
def without_data() -> Iterator[Live]:
    """Let tensors made here have shapes and no data, and count what they would take."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(), Live() as live:
        yield live


def _peak_of(live: Live, step: Step, real: Tensor) -> int:
    """Give the peak of memory that a step takes above what lay there before."""
    gc.collect()
    live.peak = before = live.bytes
    step(real, torch.Generator().manual_seed(0))
    return live.peak - before
