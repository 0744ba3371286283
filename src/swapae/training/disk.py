"""What a run needs of the disk, and what is done when the disk is full."""

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from torch import Tensor

from swapae.errors import UserError, WriteError
from swapae.training.checkpoint import Learner
from swapae.training.config import TrainConfig

MARGIN = 8 * 2**20  # bytes: pictures, logs, reports
HEADER = 256  # bytes a tensor's name and shape take in a file
PAUSE = 5.0  # seconds between two looks at a full disk

Stop = Callable[[], bool]


def checkpoint_bytes(learner: Learner) -> int:
    """Estimate a checkpoint's size from the weights, moments included that Adam has not made yet."""
    modules = list(learner.networks.named().values())
    tensors = [tensor for module in modules for tensor in module.state_dict().values()]
    moments = [parameter for module in modules for parameter in module.parameters()] * 2
    return bytes_of([*tensors, *moments]) + model_bytes(learner)


def model_bytes(learner: Learner) -> int:
    """Size of the averaged encoder and generator: part of a checkpoint, and RUN/model once more."""
    return bytes_of(learner.ema.model.state_dict().values())


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Size of tensors in a file."""
    return sum(int(tensor.nbytes) + HEADER for tensor in tensors)


class Disk:
    """Writes that may fail without ending the training.

    Args:
        root: the run directory.
        learner: what is to be saved.
        config: says what to do when the disk is full.
        tell: hears of it.
        stop: ends a pause.
    """

    def __init__(
        self, root: Path, learner: Learner, config: TrainConfig, tell: Callable[[str], None], stop: Stop
    ) -> None:
        self.root = root
        self.policy = config.on_disk_full
        self.tell = tell
        self.stop = stop
        self.needed = checkpoint_bytes(learner) + model_bytes(learner)  # a save writes both beside the old
        self._is_full = False

    def check_start(self, is_new: bool) -> None:
        """Look whether two saves will find room. A run that goes on has its policy for when they do not.

        Raises:
            UserError: they will not, and the run is new or stops on a full disk.
        """
        needed, free = 2 * self.needed + MARGIN, free_bytes(self.root)
        if free >= needed:
            return
        text = f"checkpoints of this run need {shown_bytes(needed)}, {self.root} has {shown_bytes(free)} free"
        if is_new or self.policy == "stop":
            raise UserError(f"{text}: free some, or give another place with -o.")
        self.tell(f"{text}: free some.")

    def save(self, write: Callable[[], None], is_last: bool) -> bool:
        """Save, or do what was asked for where the disk is full.

        Args:
            write: saves whole or not at all.
            is_last: there is no later save that could make up for this one.

        Raises:
            WriteError: it cannot be saved, and the run stops on that or was at its end.
        """
        has_told = False
        while True:
            try:
                self._check_space()
                write()
            except WriteError as error:
                if self.policy == "stop" or (is_last and (self.policy == "continue" or self.stop())):
                    raise WriteError(
                        f"{error} What was learnt since the last checkpoint is not saved; free some space, "
                        "and the same command goes on from there."
                    ) from error
                if self.policy == "continue":
                    self.tell(
                        f"{error} Nothing is saved now; training goes on, and the next save tries again."
                    )
                    return False
                if not has_told:
                    self.tell(f"{error} Training waits until there is room.")
                    has_told = True
                is_last = self._wait() or is_last
            else:
                return True

    def optional(self, write: Callable[[], None]) -> bool:
        """Write what training can do without, such as a picture; tell when that begins to fail."""
        try:
            write()
        except WriteError as error:
            if self.policy == "stop":
                raise
            if not self._is_full:
                self.tell(f"{error} Training goes on without.")
            self._is_full = True
            return False
        self._is_full = False
        return True

    def _check_space(self) -> None:
        needed, free = self.needed + MARGIN, free_bytes(self.root)
        if free < needed:
            raise WriteError(
                f"{self.root} has {shown_bytes(free)} free, a checkpoint needs {shown_bytes(needed)}."
            )

    def _wait(self) -> bool:
        """Wait for the next look; whether the end was asked for meanwhile: one last attempt, then."""
        end = time.monotonic() + PAUSE
        while time.monotonic() < end:
            if self.stop():
                return True
            time.sleep(0.1)
        return False


def free_bytes(path: Path) -> int:
    """Read how much the disk of a path, which need not be there yet, has room for."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def shown_bytes(number: int) -> str:
    """Write a number of bytes as people do."""
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"
