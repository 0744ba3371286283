"""Processes that measure together: each takes its share of the batches, and what they found is added up.

Batches are dealt whole, so a net is given in each process what it would be given in one. That leaves only
the order of sums to differ, which are in float64.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from swapae.errors import UserError

T = TypeVar("T")


class Processes(Protocol):
    """What a process knows of those it works with.

    - rank: its number, from 0.
    - num_processes: how many there are.
    """

    rank: int
    num_processes: int

    def gather(self, values: list[T]) -> list[T]:
        """Give every process the values of all, one process after another."""
        ...


class Alone:
    """One process."""

    rank, num_processes = 0, 1

    def gather(self, values: list[T]) -> list[T]:
        """Give the values back."""
        return values


ALONE = Alone()


def share(count: int, batch: int, processes: Processes) -> Iterator[range]:
    """The places, of so many, of each batch that this process takes: every n-th one of all batches."""
    step = batch * processes.num_processes
    for first in range(processes.rank * batch, count, step):
        yield range(first, min(first + batch, count))


def done_by_all(places: range, count: int, batch: int, processes: Processes) -> int:
    """About how much of `count` all processes have done, when this one has come to the end of `places`."""
    return min(count, places.start + (processes.num_processes - processes.rank) * batch)


def together(processes: Processes, work: Callable[[], T]) -> list[T]:
    """Work in every process, and give each what all have found, in their order.

    Raises:
        UserError, ValueError: what went wrong in the first process of those in which something did; so all
            stop, and none waits for another that has.
    """
    found: T | UserError | ValueError
    try:
        found = work()
    except (UserError, ValueError) as error:
        found = error
    everyone = processes.gather([found])
    for one in everyone:
        if isinstance(one, (UserError, ValueError)):
            raise one
    return [one for one in everyone if not isinstance(one, (UserError, ValueError))]


def first_of(processes: Processes, work: Callable[[], T]) -> T:
    """Work in the first process alone, and give its outcome to all.

    Raises:
        UserError, ValueError: what went wrong there, in all.
    """
    found = together(processes, lambda: [work()] if processes.rank == 0 else [])
    return found[0][0]
