"""Means of the losses, and the clock."""

import math
import time
from collections.abc import Iterable

import torch

from swapae.training.checkpoint import State
from swapae.training.engine import Engine
from swapae.training.guard import Guard
from swapae.training.objective import Terms
from swapae.training.report import diverged


class Meter:
    """Means of the losses since the last line of the log, and the clock.

    Only `line` and `settle` wait for the device, and for the other processes: all call them together. Sums
    that no line has yet are part of the state, so a run that was stopped and goes on writes the lines of one
    that never stopped.
    """

    def __init__(self, state: State, engine: Engine, guard: Guard) -> None:
        self.state = state
        self.engine = engine
        self.guard = guard
        guard.restore(state.skipped, state.in_a_row)
        # Of each term the sum of the values that are finite, and how many those are.
        self._sums = {name: torch.tensor(sum_and_count) for name, sum_and_count in state.unlogged.items()}
        self._since = time.monotonic()
        self._lines = [(self._since, state.images_seen)] * 2  # when the last two lines were written

    def add(self, terms: Terms) -> None:
        """Take the terms of a step in."""
        for name, term in terms.items():
            value = term.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
            new = torch.stack([value, term.isfinite().to(value)])
            self._sums[name] = self._sums[name].to(new) + new if name in self._sums else new

    def add_of_first(self, terms: Terms | None, names: Iterable[str]) -> None:
        """Take in what the first process alone has measured; all know the names of it."""
        share = self.engine.num_processes  # a mean over the processes is taken later
        self.add({name: torch.tensor(0.0) if terms is None else share * terms[name] for name in names})

    def line(self) -> dict[str, float]:
        """Close a line of the log; a term that did not occur is not in it.

        Raises:
            DivergedError: a mean is not finite, or too many steps in a row were skipped.
        """
        self.settle()
        means = {name: value / count for name, (value, count) in self.state.unlogged.items() if count}
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise diverged(f"the loss {name}", self.state.images_seen)
        self.state.losses |= means
        self._sums, self.state.unlogged = {}, {}
        self._lines = [self._lines[1], (time.monotonic(), self.state.images_seen)]
        (then, images), (now, images_seen) = self._lines
        speed = round((images_seen - images) / max(now - then, 1e-9), 3)
        clock = {
            "images_seen": images_seen,
            "seconds": round(self.state.seconds, 3),
            "images_per_second": speed,
        }
        return clock | means | {f"skipped_{kind}": number for kind, number in self.state.skipped.items()}

    def settle(self) -> None:
        """Bring the state up to date.

        Raises:
            DivergedError: too many steps in a row were skipped.
        """
        now = time.monotonic()
        self.state.seconds += now - self._since
        self._since = now
        sums = {name: numbers.tolist() for name, numbers in self._sums.items()}
        flat = {f"{name} {i}": number for name, pair in sums.items() for i, number in enumerate(pair)}
        flat = self.engine.mean(flat)
        self.state.unlogged = {name: (flat[f"{name} 0"], flat[f"{name} 1"]) for name in sums}
        self.state.scaling = self.engine.scaling()
        self.state.skipped, self.state.in_a_row = self.guard.settle(self.state.images_seen)

    @property
    def images_per_second(self) -> float:
        """Speed since the line before the last."""
        then, images = self._lines[0]
        return (self.state.images_seen - images) / max(time.monotonic() - then, 1e-9)
