"""Near-duplicates: all pairs within the distance, none beyond it, in time for a hundred thousand."""

import time

import numpy as np
import pytest

from swapae.data.check import duplicates
from swapae.data.check.duplicates import close_pairs, near_duplicates

SAME = b"\x80" * 48


def flipped(value, rng, count):
    for bit in rng.choice(64, count, replace=False):
        value ^= 1 << int(bit)
    return value


@pytest.mark.parametrize("distance", [0, 1, 4, 7])
def test_the_pairs_are_those_that_comparing_each_with_each_finds(distance):
    rng = np.random.default_rng(distance)
    seeds = [int(seed) for seed in rng.integers(0, 2**63, 40)]
    values = [flipped(seed, rng, int(rng.integers(0, 9))) for seed in seeds for _ in range(8)]
    hashes = np.unique(np.array(values, np.uint64))
    far = {
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= distance
    }
    pairs = close_pairs(hashes, distance)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == far
    assert far or distance == 0


def test_groups_join_what_is_alike_by_way_of_a_third_in_the_order_of_the_numbers():
    chain = [0b1111, 0xFF, 1 << 40, 0xFFF, 0b1111]
    assert near_duplicates(chain, [SAME] * 5) == [[0, 1, 3, 4]]
    assert near_duplicates([], []) == []
    assert near_duplicates([5], [SAME]) == []


def test_pictures_of_one_look_but_other_colours_are_apart():
    colors = [bytes([level]) * 48 for level in (0, 200, 5, 195, 100)]
    assert near_duplicates([7] * 5, colors) == [[0, 2], [1, 3]]
    assert near_duplicates([7, 6, 7, 6, 7], colors) == [[0, 2], [1, 3]]


def test_a_hundred_thousand_take_seconds_also_when_half_are_one_picture():
    rng = np.random.default_rng(0)
    count = 100_000
    hashes = rng.integers(0, 2**63, count, dtype=np.uint64)
    copies = rng.permutation(count)[:1000]
    for one, other in copies.reshape(-1, 2).tolist():
        hashes[other] = flipped(int(hashes[one]), rng, int(rng.integers(0, 5)))
    begin = time.process_time()
    groups = near_duplicates(hashes.tolist(), [SAME] * count)
    assert time.process_time() - begin < 10
    found = {tuple(group) for group in groups}
    assert {tuple(sorted(pair)) for pair in copies.reshape(-1, 2).tolist()} <= found
    assert len(found) < 510  # random hashes that close are rarer than one in all
    same = np.where(np.arange(count) % 2, hashes, hashes[0])
    begin = time.process_time()
    largest = max(near_duplicates(same.tolist(), [SAME] * count), key=len)
    assert time.process_time() - begin < 10
    assert len(largest) >= count // 2


def test_many_pictures_of_one_colour_each_are_told_apart_by_it():
    rng = np.random.default_rng(0)
    colors = [bytes(color) * 16 for color in rng.integers(0, 256, (2000, 3), dtype=np.uint8)]
    groups = near_duplicates([0] * 2000, colors)
    assert len(groups) > 100
    for group in groups:
        first = np.frombuffer(colors[group[0]], np.uint8).astype(int)
        for member in group:
            other = np.frombuffer(colors[member], np.uint8)
            assert np.abs(first - other).mean() <= duplicates.MAX_COLOR
