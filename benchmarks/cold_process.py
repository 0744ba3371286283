"""One cold start, as `benchmarks.cold_start` times it: import, load, swap, say so, swap again.

    python -m benchmarks.cold_process ROLE MODEL RESOLUTION FOLDER

Nothing is imported before it is needed: the time of every import counts.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKPOINT = "checkpoint.pth"
Swap = Callable[[Any, Any], Any]


def main(role: str, name: str, resolution: str, folder: str) -> None:
    """Swap twice; print a line after the first, and the milliseconds of the best of three more."""
    if role != "a":
        from benchmarks.child import tune_allocator

        tune_allocator()
    swap = ours(folder) if role == "ours" else baseline(name, Path(folder))
    import torch

    one, other = torch.rand(2, 1, 3, int(resolution), int(resolution)) * 2 - 1
    swap(one, other)
    print("swapped", flush=True)
    print(1000 * min(seconds_of(swap, one, other) for _ in range(3)))


def seconds_of(swap: Swap, *images: Any) -> float:
    """Time one swap."""
    began = time.perf_counter()
    swap(*images)
    return time.perf_counter() - began


def ours(folder: str) -> Swap:
    """Load the package's way, without a cache of codes."""
    from swapae.model import SwappingAutoencoder

    model = SwappingAutoencoder.from_pretrained(folder, device="cpu")
    if hasattr(model, "codes_cache"):
        model.codes_cache = None
    return model.swap


def baseline(name: str, folder: Path) -> Swap:
    """Make all four networks with random weights, then fill them from a pickled file."""
    import torch

    from benchmarks.baseline import BaselineModel
    from benchmarks.jobs import train_config
    from swapae.model import SwappingAutoencoder
    from swapae.networks import Discriminator, PatchDiscriminator

    config = train_config(name)
    model = SwappingAutoencoder(config.model)
    discriminators = Discriminator(config.discriminator), PatchDiscriminator(config.patch_discriminator)
    states = torch.load(folder / CHECKPOINT)
    nets = (model.encoder, model.generator, *discriminators)
    for net, state in zip(nets, states.values(), strict=True):
        net.load_state_dict(state)
    return BaselineModel(model).swap


if __name__ == "__main__":
    main(*sys.argv[1:])
