"""Separable linear resampling: every row, then every column, by a sparse matrix.

Blurs, their halvings and doublings, paddings by zeros or by reflection and the bilinear doubling are all
`V · x · Hᵀ`, and the derivative of such a map is another one, `Vᵀ · g · H`: so one kernel serves them, their
backward and the backward of that.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from swapae import native
from swapae.native import Lines


def resample(x: Tensor, vertical: Lines, horizontal: Lines) -> Tensor:
    """Compute `vertical · x · horizontalᵀ` for every channel of `x` `[B, C, H, W]`.

    Returns:
        `[B, C, vertical.rows, horizontal.rows]`.
    """
    if native.suits(x):
        out: Tensor = _Resample.apply(x, vertical, horizontal)
        return out
    return resample_reference(x, vertical, horizontal)


def resample_reference(x: Tensor, vertical: Lines, horizontal: Lines) -> Tensor:
    """Define `resample` by two dense matrices."""
    return dense(vertical).to(x) @ x @ dense(horizontal).to(x).T


class _Resample(torch.autograd.Function):
    """`V · x · Hᵀ`; its derivative is the same function of the transposed matrices."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, vertical: Lines, horizontal: Lines) -> Tensor:
        ctx.lines = vertical, horizontal
        return native.resample(x, vertical, horizontal)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        vertical, horizontal = ctx.lines
        return resample(grad, transposed(vertical), transposed(horizontal)), None, None


@lru_cache(maxsize=256)
def fir_lines(
    size: int, taps: tuple[float, ...], up: int, down: int, before: int, after: int, reflect: bool = False
) -> Lines:
    """Make one axis of `upfirdn2d`: zeros inserted, padded, convolved with `taps`, every `down`-th kept.

    Args:
        size: lines of the input.
        taps: FIR kernel of this axis.
        up: factor of the upsampling.
        down: factor of the downsampling.
        before: padding before the first line, in lines of the upsampled input; negative crops.
        after: padding behind the last.
        reflect: pad by reflection rather than by zeros; for `up` of 1.
    """
    rows = (size * up + before + after - len(taps)) // down + 1
    entries: list[dict[int, float]] = []
    for row in range(rows):
        line: dict[int, float] = {}
        for offset, tap in enumerate(reversed(taps)):  # convolved, not correlated
            place = row * down + offset - before
            if reflect:
                place = abs(place)
                place = min(place, 2 * (size - 1) - place)
            if place % up == 0 and 0 <= place // up < size:
                line[place // up] = line.get(place // up, 0.0) + tap
        entries.append(line)
    return _lines(entries, size)


@lru_cache(maxsize=256)
def doubling_lines(size: int) -> Lines:
    """Make one axis of the bilinear doubling (align_corners=False): weights ¾ and ¼, clamped at the ends."""
    entries: list[dict[int, float]] = []
    for row in range(2 * size):
        near, far = row // 2, min(max(row // 2 + (1 if row % 2 else -1), 0), size - 1)
        line = {near: 0.75}
        line[far] = line.get(far, 0.0) + 0.25
        entries.append(line)
    return _lines(entries, size)


@lru_cache(maxsize=256)
def transposed(lines: Lines) -> Lines:
    """Transpose a matrix."""
    entries: list[dict[int, float]] = [{} for _ in range(lines.columns)]
    begin, index, weight = (part.tolist() for part in (lines.begin, lines.index, lines.weight))
    for row in range(lines.rows):
        for entry in range(begin[row], begin[row + 1]):
            entries[index[entry]][row] = weight[entry]
    return _lines(entries, lines.rows)


def dense(lines: Lines) -> Tensor:
    """Write a matrix out, float64 `[rows, columns]`."""
    matrix = torch.zeros(lines.rows, lines.columns, dtype=torch.float64, device="cpu")
    row = torch.repeat_interleave(lines.begin.diff())
    matrix[row, lines.index.long()] = lines.weight
    return matrix


def _lines(entries: list[dict[int, float]], columns: int) -> Lines:
    begin = [0]
    for line in entries:
        begin.append(begin[-1] + len(line))
    index = [i for line in entries for i in sorted(line)]
    weight = [line[i] for line in entries for i in sorted(line)]
    with torch.inference_mode(False):  # the matrices are kept: training may come to use them
        return Lines(
            begin=torch.tensor(begin, dtype=torch.int32, device="cpu"),
            index=torch.tensor(index, dtype=torch.int32, device="cpu"),
            weight=torch.tensor(weight, dtype=torch.float64, device="cpu"),
            columns=columns,
        )
