"""Noise of a seed: the numbers that torch's generator draws on the CPU, from numpy's Mersenne Twister.

`torch.Generator().manual_seed(seed)` begins as `numpy.random.RandomState` does. A tensor of 16 numbers or
more takes a word of 32 bits a number, of which 24 are used, and pairs the first half of each 16 with the
second by Box and Muller; where 16 does not divide it, its last 16 are drawn anew. A smaller one is drawn
number by number in double precision, from two words for each uniform, and the second number of a pair waits
for the next. torch's own logarithm and sine differ in the last digits with the processor, hence these do as
well: maps agree to 1e-6, not bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 16  # numbers that are made together
LEAST_SEED, LARGEST_SEED = -(2**63), 2**64 - 1


class TorchNormal:
    """Draw unit-normal numbers in the order in which `torch.randn` draws them.

    Raises:
        ValueError: the seed is not one that torch takes.
    """

    def __init__(self, seed: int) -> None:
        if not LEAST_SEED <= seed <= LARGEST_SEED:
            raise ValueError(f"a seed must lie in {LEAST_SEED} … {LARGEST_SEED}, not {seed}.")
        self._words = np.random.RandomState(seed & 0xFFFFFFFF)  # of more, torch too takes the lower half
        self._waiting: float | None = None

    def draw(self, shape: Sequence[int]) -> Floats:
        """Draw an array of this shape."""
        size = math.prod(shape)
        numbers = self._many(size) if size >= BLOCK else self._few(size)
        return numbers.reshape(shape)

    def _many(self, size: int) -> Floats:
        uniform = self._uniform(size)
        whole = size - size % BLOCK
        numbers = np.empty(size, np.float32)
        numbers[:whole] = _normal(uniform[:whole])
        if whole < size:
            numbers[-BLOCK:] = _normal(self._uniform(BLOCK))
        return numbers

    def _uniform(self, size: int) -> Floats:
        words = self._words.randint(0, 2**32, size=size, dtype=np.uint32)
        return (words & (2**24 - 1)).astype(np.float32) * np.float32(2**-24)

    def _few(self, size: int) -> Floats:
        return np.array([self._one() for _ in range(size)], np.float32)

    def _one(self) -> float:
        if self._waiting is not None:
            number, self._waiting = self._waiting, None
            return number
        angle, distance = 2 * math.pi * self._double(), self._double()
        radius = math.sqrt(-2 * math.log1p(-distance))
        self._waiting = radius * math.sin(angle)
        return radius * math.cos(angle)

    def _double(self) -> float:
        high, low = map(int, self._words.randint(0, 2**32, size=2, dtype=np.uint32))
        return ((high << 32 | low) & (2**53 - 1)) * 2.0**-53


def _normal(uniform: Floats) -> Floats:
    """Turn uniform numbers into normal ones, 16 by 16 (Box and Muller)."""
    blocks = uniform.reshape(-1, 2, BLOCK // 2)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - blocks[:, 0]))
    angle = np.float32(2 * math.pi) * blocks[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()


def noise_maps(seed: int, scales: Sequence[int], height: int, width: int) -> list[Floats]:
    """Draw one map `[1, 1, h, w]` a layer, `scale` times a structure code of `height × width`."""
    normal = TorchNormal(seed)
    return [normal.draw((1, 1, height * scale, width * scale)) for scale in scales]
