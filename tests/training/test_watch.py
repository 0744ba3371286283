"""Processes of one training end together; here they are watches in threads of one process."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from swapae.errors import UserError
from swapae.training import watch as watches
from swapae.training.watch import LAUNCHED, PEER_STATUS, End, Watch, end_as_one

GROUPS: list["Group"] = []
PATIENCE = 120.0  # seconds for what comes sooner or later


class Group:
    """Watches that know each other, and the statuses with which they left at once."""

    def __init__(self, num: int) -> None:
        self.left: queue.Queue[tuple[int, int]] = queue.Queue()
        value: list[object] = []
        is_there = threading.Event()

        def share(one: object) -> object:
            if one is not None:
                value.append(one)
                is_there.set()
            assert is_there.wait(PATIENCE)
            return value[0]

        self.watches: dict[int, Watch] = {}
        GROUPS.append(self)

        def join(rank: int) -> None:
            self.watches[rank] = Watch(rank, num, share, leave=lambda status: self.left.put((rank, status)))

        threads = [threading.Thread(target=join, args=(rank,)) for rank in range(num)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)

    def kill(self, rank: int) -> None:
        """Do what the system does for a process that is killed: close its connections, and nothing more."""
        self.watches[rank]._send = lambda other, end: None  # type: ignore[method-assign]
        for link in self.watches[rank]._links.values():
            link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for watch in self.watches.values():
            watch.speaks = lambda end: False  # type: ignore[method-assign]  # not into the next test's output
        for watch in self.watches.values():
            for link in watch._links.values():
                with suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                link.close()

    def those_that_left(self, num: int) -> set[tuple[int, int]]:
        return {self.left.get(timeout=PATIENCE) for _ in range(num)}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watches, "GRACE", 0.2)
    yield
    while GROUPS:
        GROUPS.pop().close()


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_when_one_is_killed_all_others_leave_and_the_first_of_them_says_so(
    killed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    group = Group(3)
    group.kill(killed)
    others = {rank for rank in range(3) if rank != killed}
    # A killed process leaves nothing behind; here it is a thread, which sees its connections end too.
    assert {rank for rank, status in group.those_that_left(3) if status == PEER_STATUS} >= others
    for rank in others:
        assert group.watches[rank].wait(0) == End(killed, is_told=False)
    speakers = [rank for rank in others if group.watches[rank].speaks(End(killed, is_told=False))]
    assert speakers == [min(others)]
    assert f"process {killed} of 3 is gone" in capfd.readouterr().err


def test_one_that_fails_tells_and_the_others_leave_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    group = Group(3)
    with pytest.raises(UserError, match="disk full"):
        end_as_one(group.watches[1], UserError("disk full"), is_broken=False)
    assert group.those_that_left(2) == {(0, PEER_STATUS), (2, PEER_STATUS)}
    assert capfd.readouterr().err == ""


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let words between the processes take their time: none is waited for longer than it takes."""
    monkeypatch.setattr(watches, "GRACE", PATIENCE)


@pytest.mark.usefixtures("_patient")
def test_of_several_that_fail_alike_one_tells() -> None:
    group = Group(3)
    ends: list[type[BaseException]] = []

    def fail(rank: int) -> None:
        try:
            end_as_one(group.watches[rank], UserError("no such data"), is_broken=False)
        except BaseException as error:
            ends.append(type(error))

    threads = [threading.Thread(target=fail, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(ends, key=str) == [SystemExit, SystemExit, UserError]


@pytest.mark.usefixtures("_patient")
def test_a_broken_connection_is_told_as_the_end_of_the_other_process() -> None:
    group = Group(2)
    group.kill(1)
    with pytest.raises(UserError, match=r"process 1 of 2 is gone .* the same command goes on"):
        end_as_one(group.watches[0], RuntimeError("gloo: Connection closed by peer"), is_broken=True)


@pytest.mark.usefixtures("_patient")
def test_where_a_launcher_speaks_the_processes_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAUNCHED, "1")
    group = Group(2)
    group.kill(1)
    with pytest.raises(SystemExit) as end:
        end_as_one(group.watches[0], RuntimeError("gloo"), is_broken=True)
    assert end.value.code == PEER_STATUS


def test_those_that_have_done_all_work_part_without_an_end() -> None:
    group = Group(3)
    for rank in (2, 0, 1):
        group.watches[rank].leave()
    time.sleep(0.1)
    group.kill(2)
    assert [group.watches[rank].wait(0.1) for rank in range(3)] == [None] * 3
    assert group.left.empty()


def test_a_stranger_does_not_take_a_place() -> None:
    server_port: list[int] = []
    joined: list[Watch] = []

    def share(value: list[object]) -> object:
        server_port.append(int(str(value[0])))
        server_port.append(0)
        token.append(str(value[1]))
        return value

    token: list[str] = []
    thread = threading.Thread(target=lambda: joined.append(Watch(0, 2, share, leave=lambda status: None)))
    thread.start()
    while len(server_port) < 2:
        time.sleep(0.01)
    with socket.create_connection(("127.0.0.1", server_port[0])) as stranger:
        stranger.sendall(b"guess 1\n")
        assert stranger.recv(1) == b""
    assert not joined
    with socket.create_connection(("127.0.0.1", server_port[0])) as link:
        link.sendall(f"{token[0]} 1\n".encode())
        thread.join(PATIENCE)
        assert len(joined) == 1
        link.sendall(b"null\n")
        time.sleep(0.1)
    joined[0]._links[1].close()
