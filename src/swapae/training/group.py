"""The processes of one program: how many there are, which one this is, and how they end as one.

torchrun or SLURM has started them, and says in RANK, LOCAL_RANK and WORLD_SIZE which one this is. A training
joins them by its engine; what needs no gradients, as an evaluation does, by `join`.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

from swapae.devices import choose_device
from swapae.metrics.processes import ALONE, Processes
from swapae.training.watch import Watch, end_as_one, ending_at_once

T = TypeVar("T")
P = ParamSpec("P")
TIMEOUT = timedelta(hours=2)  # for what one process does alone, as making a cache; the dead are found sooner
AGAIN = "give the same command again"  # what helps when a process is gone that kept nothing


def num_processes() -> int:
    """How many processes this program was started with."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def is_first_process() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return int(os.environ.get("RANK") or 0) == 0


# ── ending as one ────────────────────────────────────────────────────────────────────────────────


class Together:
    """What this process knows of the others: there is one process group in a process."""

    watch: Watch | None = None


together = Together()


def joined(run: Callable[P, T]) -> Callable[P, T]:
    """Let a function that joins the processes end as one in all of them, whichever fails."""

    @wraps(run)
    def as_one(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            found = run(*arguments, **options)
        except BaseException as error:
            if together.watch is not None:
                end_as_one(together.watch, error, _is_broken(error))
            raise
        _part()
        return found

    return as_one


def _is_broken(error: BaseException) -> bool:
    """Whether an error is about a connection between processes; gloo has no class of its own for it."""
    about_gloo = type(error) is RuntimeError and ("gloo" in str(error) or "Connection" in str(error))
    return about_gloo or isinstance(error, torch.distributed.DistError)


def _part() -> None:
    """Part from the other processes, all work done."""
    if together.watch is not None:
        together.watch.leave()
        together.watch = None
        torch.distributed.destroy_process_group()


# ── without an engine ────────────────────────────────────────────────────────────────────────────


class Group:
    """The processes, over gloo: what they give each other lies on the CPU.

    Attributes:
        rank: number of this process.
        num_processes: how many there are.
    """

    def __init__(self) -> None:
        self.rank: int = torch.distributed.get_rank()
        self.num_processes: int = torch.distributed.get_world_size()

    def gather(self, values: list[T]) -> list[T]:
        """Give every process the values of all, one process after another."""
        lists: list[list[T]] = [[] for _ in range(self.num_processes)]
        torch.distributed.all_gather_object(lists, values)
        return [value for some in lists for value in some]

    def from_first(self, value: T) -> T:
        """Give every process the value that the first one has."""
        return self.gather([value])[0]


def own_device(device: str) -> torch.device:
    """Choose the device of this process: of several GPUs the one of its number on this machine.

    Raises:
        UserError: it is not there.
    """
    where = choose_device(device)
    if where.type != "cuda" or num_processes() == 1:
        return where
    return choose_device(f"cuda:{os.environ.get('LOCAL_RANK') or 0}")


def join() -> Processes:
    """Join the other processes, if there are any; to be called in a function that is `joined`."""
    if num_processes() == 1:
        return ALONE
    with ending_at_once():
        torch.distributed.init_process_group("gloo", timeout=TIMEOUT)
        group = Group()
        first = os.environ.get("MASTER_ADDR", "127.0.0.1")
        together.watch = Watch(group.rank, group.num_processes, group.from_first, first, advice=AGAIN)
    return group
