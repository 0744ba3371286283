"""What a run needs of the disk."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from swapae.training.checkpoint import Learner

MARGIN = 8 * 2**20  # bytes: pictures, logs, reports
HEADER = 256  # bytes a tensor's name and shape take in a file


def bytes_of_save(learner: Learner) -> int:
    """Estimate what a save writes beside what is there: a checkpoint, and RUN/model."""
    return bytes_of_checkpoint(learner) + bytes_of_model(learner)


def bytes_of_checkpoint(learner: Learner) -> int:
    """Estimate a checkpoint's size from the weights, moments included that Adam has not made yet."""
    modules = list(learner.networks.named().values())
    tensors = [tensor for module in modules for tensor in module.state_dict().values()]
    moments = [parameter for module in modules for parameter in module.parameters()] * 2
    return bytes_of([*tensors, *moments]) + bytes_of_model(learner)


def bytes_of_model(learner: Learner) -> int:
    """Size of the averaged encoder and generator."""
    return bytes_of(learner.ema.model.state_dict().values())


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Size of tensors in a file."""
    return sum(int(tensor.nbytes) + HEADER for tensor in tensors)


def free_bytes(path: Path) -> int:
    """Read how much room there is on the disk of a path, which need not be there yet."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def shown_bytes(number: int) -> str:
    """Write a number of bytes as people do."""
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"
