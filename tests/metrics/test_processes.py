"""How work is dealt to processes, and that all stop where one fails."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapae import UserError
from swapae.metrics.processes import ALONE, done_by_all, first_of, share, together

T = TypeVar("T")


class Member:
    """One of several threads that stand for processes."""

    def __init__(self, rank: int, table: list[list[object]], barrier: Barrier) -> None:
        self.rank, self.num_processes = rank, len(table)
        self.table, self.barrier = table, barrier

    def gather(self, values: list[T]) -> list[T]:
        self.table[self.rank] = list(values)
        self.barrier.wait(100)
        found = [value for some in self.table for value in some]
        self.barrier.wait(100)
        return found  # type: ignore[return-value]


def in_each(num: int, work: Callable[[Member], object]) -> list[object]:
    """What work gives, or raises, in each of so many."""
    table: list[list[object]] = [[] for _ in range(num)]
    barrier, outcomes = Barrier(num), [None] * num

    def run(rank: int) -> None:
        try:
            outcomes[rank] = work(Member(rank, table, barrier))  # type: ignore[call-overload]
        except (UserError, ValueError) as error:
            outcomes[rank] = error  # type: ignore[call-overload]

    threads = [Thread(target=run, args=(rank,)) for rank in range(num)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    return list(outcomes)


@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 5))
def test_every_batch_of_one_process_is_one_of_exactly_one_of_several(
    count: int, batch: int, num: int
) -> None:
    table: list[list[object]] = [[] for _ in range(num)]
    members = [Member(rank, table, Barrier(num)) for rank in range(num)]
    dealt = [list(share(count, batch, member)) for member in members]
    whole = list(share(count, batch, ALONE))
    assert [place for places in whole for place in places] == list(range(count))
    assert sorted((p for places in dealt for p in places), key=lambda p: p.start) == whole
    for member, places in zip(members, dealt, strict=True):
        said = [done_by_all(one, count, batch, member) for one in places]
        assert said == sorted(said)
        assert all(number <= count for number in said)
    assert not whole or done_by_all(whole[-1], count, batch, ALONE) == count


def test_all_have_what_each_found_in_their_order() -> None:
    assert in_each(3, lambda member: together(member, lambda: member.rank * 10)) == [[0, 10, 20]] * 3
    assert in_each(2, lambda member: first_of(member, lambda: f"of {member.rank}")) == ["of 0"] * 2
    assert first_of(ALONE, lambda: "mine") == "mine"


def test_where_one_fails_all_raise_its_error_and_none_waits() -> None:
    def work(member: Member) -> int:
        if member.rank == 1:
            raise UserError("no such net.")
        return 1

    found = in_each(3, lambda member: together(member, lambda: work(member)))
    assert [str(error) for error in found] == ["no such net."] * 3
    assert all(isinstance(error, UserError) for error in found)


def test_what_goes_wrong_in_the_first_alone_is_raised_in_all() -> None:
    def work() -> int:
        raise ValueError("too few.")

    found = in_each(2, lambda member: first_of(member, work))
    assert [str(error) for error in found] == ["too few."] * 2
    with pytest.raises(ValueError, match="too few"):
        first_of(ALONE, work)
