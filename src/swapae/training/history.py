"""The log of a training by columns, read once and then kept up to date line by line."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path

from swapae.training.health import Watch

HUGE = 1e30  # what lies beyond is kept as this: sums and differences of it are numbers yet


class History:
    """What the lines of a log said.

    Attributes:
        x: for each name, the images seen of the lines that have it.
        y: for each name, its values in those lines.
        last: the last line.
        watch: what they mean.
    """

    def __init__(self) -> None:
        self.x: dict[str, array[float]] = {}
        self.y: dict[str, array[float]] = {}
        self.last: dict[str, float] = {}
        self.watch = Watch()

    @classmethod
    def of(cls, log: Path) -> History:
        """Read a log, or none where there is no such file."""
        history = cls()
        for line in lines_of(log):
            history.take(line)
        return history

    def take(self, line: Mapping[str, float]) -> list[str]:
        """Take a line in; give what has become worth saying with it."""
        self.last = dict(line)
        seen = line["images_seen"]
        for name, value in line.items():
            if name not in self.x:
                self.x[name], self.y[name] = array("d"), array("d")
            self.x[name].append(seen)
            self.y[name].append(value if -HUGE < value < HUGE else HUGE if value > 0 else -HUGE)
        return self.watch.news(line)


def lines_of(log: Path) -> Iterator[dict[str, float]]:
    """Read the lines of a log; of a torn or strange one nothing but its finite numbers is taken."""
    if not log.exists():
        return
    with open(log, encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                entry = json.loads(text)
                numbers = {name: float(value) for name, value in entry.items() if is_finite_number(value)}
            except (ValueError, AttributeError, OverflowError, RecursionError):
                continue
            if "images_seen" in numbers:
                yield numbers


def is_finite_number(value: object) -> bool:
    """Whether this is a number that can be drawn."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max
