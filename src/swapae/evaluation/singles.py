"""Figures of single pairs and of single reconstructions, and which of them are best, median and worst."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swapae.evaluation.figures import about, is_share
from swapae.metrics.collectors import Collector, PerImage

EACH = 4  # of the best, of the median and of the worst

OfOne = dict[str, dict[int, float]]  # figure → number of the pair or image → value


@dataclass
class Singles:
    """Figures by name, then by number: of swaps that of the pair, of reconstructions that of the image."""

    swaps: OfOne = field(default_factory=dict)
    reconstructions: OfOne = field(default_factory=dict)

    def take(self, collectors: Sequence[Collector]) -> None:
        """Read off what collectors kept of single images, in their order."""
        for collector in collectors:
            if isinstance(collector, PerImage) and "hybrid" in collector.roles:
                self.swaps.update(collector.singles())
            elif isinstance(collector, PerImage) and "reconstruction" in collector.roles:
                self.reconstructions.update(collector.singles())


@dataclass(frozen=True)
class Ranking:
    """Numbers from the best to the worst by a figure."""

    figure: str
    is_low_better: bool
    values: Mapping[int, float]
    numbers: tuple[int, ...]

    def picked(self, each: int = EACH) -> dict[str, tuple[int, ...]]:
        """Name the best, the median and the worst, none of them twice; of the worst the worst comes first."""
        each = max(1, min(each, len(self.numbers) // 3))
        best, rest = self.numbers[:each], self.numbers[each:]
        worst, rest = rest[-each:], rest[:-each]
        start = (len(rest) - each + 1) // 2 if len(rest) > each else 0
        groups = {"best": best, "median": rest[start : start + each], "worst": worst[::-1]}
        return {name: numbers for name, numbers in groups.items() if numbers}


def ranking(figures: OfOne) -> Ranking | None:
    """Rank by the first figure that is no share; None if there is none.

    What is no number counts as the worst; of equals the smaller number comes first.
    """
    name = next((name for name in figures if not is_share(name)), None)
    if name is None:
        return None
    values, is_low_better = figures[name], about(name).better != "high"

    def badness(number: int) -> tuple[bool, float, int]:
        value = values[number]
        if math.isnan(value):
            return True, 0.0, number
        return False, value if is_low_better else -value, number

    return Ranking(name, is_low_better, values, tuple(sorted(values, key=badness)))
