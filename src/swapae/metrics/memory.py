"""What was computed of a photo, for when it comes again: one is in several pairs, and in the whole set."""

from collections.abc import Callable, Hashable, Mapping

import torch
from torch import Tensor

Rows = Mapping[str, Tensor]  # by name, each [B, …]

LIMIT = 512 * 2**20  # bytes: of EffLite0's features, 2,500 photos


class Memory:
    """Rows by kind and photo; what comes when it is full is not kept.

    Args:
        limit: bytes of all rows.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.num_bytes = limit, 0
        self._kept: dict[tuple[Hashable, int], Rows] = {}

    def rows(
        self, kind: Hashable, numbers: Tensor, images: Tensor, compute: Callable[[Tensor], Rows]
    ) -> dict[str, Tensor]:
        """Rows of photos by their numbers [B]; `compute` is given the images of those that are not known."""
        asked = [int(number) for number in numbers]
        found = {number: self._kept[kind, number] for number in asked if (kind, number) in self._kept}
        fresh = {number: place for place, number in enumerate(asked) if number not in found}
        if fresh:
            computed = compute(images[list(fresh.values())])
            for row, number in enumerate(fresh):
                found[number] = {name: values[row] for name, values in computed.items()}
                self._keep((kind, number), found[number])
        names = found[asked[0]]
        return {name: torch.stack([found[number][name] for number in asked]) for name in names}

    def _keep(self, key: tuple[Hashable, int], row: Rows) -> None:
        size = sum(values.numel() * values.element_size() for values in row.values())
        if self.num_bytes + size <= self.limit:
            self._kept[key] = {name: values.clone() for name, values in row.items()}
            self.num_bytes += size
