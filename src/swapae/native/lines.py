"""A sparse matrix that acts on the lines of an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from swapae.native import library as c


@dataclass(frozen=True, eq=False)
class Lines:
    """A sparse matrix `[rows, columns]` over the lines of an image, in compressed rows.

    Attributes:
        begin: where each row's entries begin, int32 `[rows + 1]`.
        index: column of each entry, int32.
        weight: value of each entry, float64 (so that one matrix serves every precision).
        columns: lines of the image it acts on.
        weight32: the values in float32.
        struct: the matrix as C takes it; it points into tensors that live as long as this object.

    Raises:
        ValueError: the parts do not make a matrix.
    """

    begin: Tensor
    index: Tensor
    weight: Tensor
    columns: int
    weight32: Tensor = field(init=False, repr=False)
    struct: c.LinesStruct = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        weight32 = self.weight.float()
        struct = c.LinesStruct(
            begin=self.begin.data_ptr(),
            index=self.index.data_ptr(),
            weight=weight32.data_ptr(),
            rows=self.rows,
        )
        # At once, not when first asked for: two threads that ask together must get the same memory.
        object.__setattr__(self, "weight32", weight32)
        object.__setattr__(self, "struct", struct)

    @property
    def rows(self) -> int:
        """Lines of the image it makes."""
        return len(self.begin) - 1

    def _check(self) -> None:
        for name, wanted in (("begin", torch.int32), ("index", torch.int32), ("weight", torch.float64)):
            part: Tensor = getattr(self, name)
            if (
                part.dtype != wanted
                or part.ndim != 1
                or not part.is_contiguous()
                or part.device.type != "cpu"
            ):
                raise ValueError(
                    f"{name} of a matrix of lines must be a dense vector of {wanted} on the CPU."
                )
        begin = self.begin
        if len(begin) == 0 or begin[0] != 0 or begin[-1] != len(self.index) or bool((begin.diff() < 0).any()):
            raise ValueError(
                "rows of a matrix of lines must begin at 0, follow one another, and use all entries."
            )
        if len(self.index) != len(self.weight):
            raise ValueError(
                f"a matrix of lines has {len(self.index)} columns but {len(self.weight)} values."
            )
        if len(self.index) and not 0 <= int(self.index.min()) <= int(self.index.max()) < self.columns:
            raise ValueError(f"entries of a matrix of lines lie outside its {self.columns} columns.")
