"""What a metric keeps of the images that stream by: parts of several processes add up to the whole."""

from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from swapae.moments import Moments as Moments


@dataclass
class Samples:
    """Rows `[N, D]`, each under the number of its image or pair.

    They are read in order of the numbers, and a number that came twice counts once: so the result is the same
    to the bit however the images were dealt to processes, even if some dealt images twice to fill up a round.
    `name` says what they are where several travel together.
    """

    numbers: list[Tensor] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    name: str = ""

    def add(self, numbers: Tensor, rows: Tensor) -> None:
        """Take in rows `[B, D]` of these numbers `[B]`."""
        if len(numbers) != len(rows):
            raise ValueError(f"{len(numbers)} numbers for {len(rows)} rows.")
        self.numbers.append(numbers.detach().cpu())
        self.rows.append(rows.detach().cpu())

    def merged(self, other: Self) -> Self:
        """Both parts together."""
        return type(self)(self.numbers + other.numbers, self.rows + other.rows, self.name or other.name)

    def read(self) -> tuple[Tensor, Tensor]:
        """Numbers [N], ascending, and rows [N, D].

        Raises:
            ValueError: there are none.
        """
        if not self.numbers:
            raise ValueError("no images were seen.")
        numbers, rows = torch.cat(self.numbers), torch.cat(self.rows)
        order = numbers.argsort(stable=True)
        numbers, rows = numbers[order], rows[order]
        is_first = torch.ones(len(numbers), dtype=torch.bool)
        is_first[1:] = numbers[1:] != numbers[:-1]
        return numbers[is_first], rows[is_first]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self.numbers


Part = Moments | Samples
