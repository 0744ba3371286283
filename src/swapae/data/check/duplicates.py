"""Pictures that look the same, found among a hundred thousand without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE = 4  # bits in which the hashes of one picture may differ
MAX_COLOR = 12.0  # levels, mean over the fields, by which their colours may
NUM_AGREEING = 3  # parts of a hash that are looked up together
BITS = 64

Hashes = NDArray[np.uint64]
Colors = NDArray[np.uint8]  # [N, fields]


def near_duplicates(looks: Sequence[int], colors: Sequence[bytes]) -> list[list[int]]:
    """Group pictures whose hashes differ in at most `MAX_DISTANCE` bits and whose colours are close.

    What is alike by way of a third is in one group. Groups and their members are in the order of the numbers.

    Args:
        looks: the 64-bit hash of every picture.
        colors: the bytes of a small thumbnail of every picture, all of one length.
    """
    if not looks:
        return []
    table = np.frombuffer(b"".join(colors), np.uint8).reshape(len(looks), -1)
    hashes, owner = np.unique(np.array(looks, np.uint64), return_inverse=True)
    order = np.argsort(owner, kind="stable")
    owned = np.split(order, np.searchsorted(owner[order], np.arange(1, len(hashes))))
    groups = _Groups(len(looks))
    leaders = [_join_equal(members, table, groups) for members in owned]
    for one, other in close_pairs(hashes):
        _join_across(leaders[one], leaders[other], table, groups)
    return groups.listed()


def close_pairs(hashes: Hashes, distance: int = MAX_DISTANCE) -> list[tuple[int, int]]:
    """Find all pairs of different hashes at most `distance` bits apart, none twice.

    A hash is cut into `distance + 3` parts. Two hashes that close agree in three parts at least, so all are
    sorted by every three parts, and only those that agree in them compared: 35 sorts for a distance of 4.
    """
    parts = _parts(hashes, distance + NUM_AGREEING)
    found = [
        pairs
        for chosen in combinations(range(len(parts)), NUM_AGREEING)
        for pairs in _agreeing(hashes, [parts[i] for i in chosen], distance)
    ]
    if not found:
        return []
    unique = np.unique(np.concatenate(found), axis=0)
    return [(int(one), int(other)) for one, other in unique]


def _parts(hashes: Hashes, count: int) -> list[Hashes]:
    edges = [BITS * i // count for i in range(count + 1)]
    return [(hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1) for low, high in pairwise(edges)]


def _agreeing(hashes: Hashes, parts: Sequence[Hashes], distance: int) -> Iterator[NDArray[np.int64]]:
    """Yield `[K, 2]`: the close pairs among hashes that agree in all of the parts."""
    key = np.zeros_like(hashes)
    for part in parts:
        key = (key << np.uint64(BITS // NUM_AGREEING)) | part
    order = np.argsort(key, kind="stable")
    key = key[order]
    active = np.arange(len(key))  # of those further down in a run of equal keys fewer are left each time
    for step in range(1, len(key)):
        active = active[active + step < len(key)]
        active = active[key[active + step] == key[active]]
        if not len(active):
            return
        pairs = np.stack([order[active], order[active + step]], axis=1)
        is_close = _num_bits(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= distance
        yield np.sort(pairs[is_close], axis=1)


_BITS_OF_BYTE = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def _num_bits(values: Hashes) -> NDArray[np.int64]:
    bytes_of = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)
    counts: NDArray[np.int64] = _BITS_OF_BYTE[bytes_of].sum(axis=1, dtype=np.int64)
    return counts


def _join_equal(members: NDArray[np.int64], colors: Colors, groups: _Groups) -> NDArray[np.int64]:
    """Group pictures of one hash by colour, each with the first it is close to; return those firsts."""
    if len(members) == 1:
        return members
    leaders = np.empty(len(members), np.int64)
    count = 0
    for member in members.tolist():
        near = np.flatnonzero(_is_close(colors[leaders[:count]], colors[member]))
        if len(near):
            groups.join(int(leaders[near[0]]), member)
        else:
            leaders[count] = member
            count += 1
    return leaders[:count]


def _join_across(ones: NDArray[np.int64], others: NDArray[np.int64], colors: Colors, groups: _Groups) -> None:
    for one in ones.tolist():
        for other in others[_is_close(colors[others], colors[one])].tolist():
            groups.join(one, other)


def _is_close(table: Colors, color: Colors) -> NDArray[np.bool_]:
    distances: NDArray[np.float64] = np.abs(table.astype(np.int16) - color.astype(np.int16)).mean(axis=1)
    return distances <= MAX_COLOR


class _Groups:
    """Numbers joined into groups."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._first(one), self._first(other)))
        self._parent[second] = first

    def listed(self) -> list[list[int]]:
        """All groups of two or more."""
        groups: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            groups.setdefault(self._first(number), []).append(number)
        return [members for members in groups.values() if len(members) > 1]

    def _first(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number
