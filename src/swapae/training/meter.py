"""Means of the losses, and the clock."""

import math
import time

import torch

from swapae.training.checkpoint import State
from swapae.training.engine import Engine
from swapae.training.objective import Terms
from swapae.training.report import diverged


class Meter:
    """Means of the losses since the last line of the log, and the clock.

    Only `line` and `settle` wait for the device, and for the other processes: all call them together. Sums
    that no line has yet are part of the state, so a run that was stopped and goes on writes the lines of one
    that never stopped.
    """

    def __init__(self, state: State, engine: Engine) -> None:
        self.state = state
        self.engine = engine
        self._sums = {name: torch.tensor(value) for name, (value, _) in state.unlogged.items()}
        self._counts = {name: count for name, (_, count) in state.unlogged.items()}
        self._since = time.monotonic()
        self._lines = [(self._since, state.images_seen)] * 2  # when the last two lines were written

    def add(self, terms: Terms) -> None:
        """Take the terms of a step in."""
        for name, term in terms.items():
            self._sums[name] = self._sums[name] + term if name in self._sums else term
            self._counts[name] = self._counts.get(name, 0) + 1

    def line(self) -> dict[str, float]:
        """Close a line of the log; a term that did not occur is not in it.

        Raises:
            UserError: a mean is not finite.
        """
        sums = self._sums_of_all()
        means = {name: value / self._counts[name] for name, value in sums.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise diverged(f"the loss {name}", self.state.images_seen)
        self.state.losses |= means
        self._sums, self._counts = {}, {}
        self._lines = [self._lines[1], (time.monotonic(), self.state.images_seen)]
        self.settle()
        (then, images), (now, images_seen) = self._lines
        speed = round((images_seen - images) / max(now - then, 1e-9), 3)
        seconds = round(self.state.seconds, 3)
        return {"images_seen": images_seen, "seconds": seconds, "images_per_second": speed} | means

    def settle(self) -> None:
        """Bring the state up to date."""
        now = time.monotonic()
        self.state.seconds += now - self._since
        self._since = now
        sums = self._sums_of_all()
        self.state.unlogged = {name: (value, self._counts[name]) for name, value in sums.items()}

    def _sums_of_all(self) -> dict[str, float]:
        """The sums, averaged over the processes."""
        return self.engine.mean({name: float(value) for name, value in self._sums.items()})

    @property
    def images_per_second(self) -> float:
        """Speed since the line before the last."""
        then, images = self._lines[0]
        return (self.state.images_seen - images) / max(time.monotonic() - then, 1e-9)
