"""When one process of a training ends, all end, within seconds and with one sentence.

Each process holds a connection to the first one. A process that fails says so, and the first to say so is the
one that speaks; one that was killed says nothing, but its system closes the connection. So none is taken for
dead that is only busy, and none waits in vain for one that is gone, whatever the devices are waiting for. A
machine that vanished is found out by keep-alive packets.
"""

import hmac
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from swapae.errors import UserError

LAUNCHED = "SWAPAE_LAUNCHED"  # set where another process, that has started these, will speak of the killed
PEER_STATUS = 3  # exit status of a process that ends because of another
GRACE = 5.0  # seconds in which a process may end by itself, when another has
GO_ON = "the same command goes on from the last checkpoint"  # what helps when a process is gone
JOINING = 300.0  # seconds to wait for the others at the start
KEEP_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}  # gone for 15 s is gone


@dataclass(frozen=True)
class End:
    """What ends a training: a process that has said why, or one that is gone."""

    rank: int
    is_told: bool


class Watch:
    """A process's view of the others.

    Args:
        rank: of this process.
        num_processes: how many there are.
        share: gives every process the value that the first one has.
        host: where the first one is reached.
        leave: ends this process at once, with a status.
        advice: what helps when a process is gone.
    """

    def __init__(
        self,
        rank: int,
        num_processes: int,
        share: Callable[[Any], Any],
        host: str = "127.0.0.1",
        leave: Callable[[int], object] = os._exit,
        advice: str = GO_ON,
    ) -> None:
        self.rank = rank
        self.num_processes = num_processes
        self.advice = advice
        self._leave_at_once = leave
        self._end: End | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._left: set[int] = set()  # processes that have parted from the others, all work done
        self._links: dict[int, socket.socket] = {}
        if rank == 0:
            self._receive_all(share)
        else:
            self._call_first(share, host)
        for other, link in self._links.items():
            threading.Thread(target=self._listen, args=(other, link), daemon=True).start()
        threading.Thread(target=self._end_with_others, daemon=True).start()

    def wait(self, seconds: float) -> End | None:
        """Give what ended the training, if anything does within some seconds."""
        self._ended.wait(seconds)
        return self._end

    def fail(self) -> End:
        """Say that this process ends, having told why or being about to; give who was the first to."""
        mine = End(self.rank, is_told=True)
        if self.rank == 0:
            self._settle(mine)
        else:
            self._send(0, mine)
        return self.wait(GRACE) or mine

    def leave(self) -> None:
        """Part from the others, when all work is done."""
        for other in self._links:
            self._send(other, None)

    def sentence(self, end: End) -> str:
        """Say that a process is gone."""
        return (
            f"process {end.rank} of {self.num_processes} is gone (killed, or its machine is down), so the "
            f"others ended; {self.advice}."
        )

    def speaks(self, end: End) -> bool:
        """Whether this process is the one to tell of the end: the first of those that are left."""
        is_first_left = self.rank == (1 if end.rank == 0 else 0)
        return is_first_left and not end.is_told and LAUNCHED not in os.environ

    # ---- connections

    def _receive_all(self, share: Callable[[Any], Any]) -> None:
        token = secrets.token_hex(16)
        with socket.create_server(("", 0)) as server:
            server.settimeout(JOINING)
            share([server.getsockname()[1], token])
            while len(self._links) < self.num_processes - 1:
                link, _ = server.accept()
                link.settimeout(JOINING)
                hello = link.makefile("r", encoding="utf-8").readline().split()
                if len(hello) == 2 and hmac.compare_digest(hello[0], token):
                    self._links[int(hello[1])] = _kept_alive(link)
                else:
                    link.close()

    def _call_first(self, share: Callable[[Any], Any], host: str) -> None:
        port, token = share(None)
        link = socket.create_connection((host, port), JOINING)
        link.sendall(f"{token} {self.rank}\n".encode())
        self._links[0] = _kept_alive(link)

    def _listen(self, other: int, link: socket.socket) -> None:
        """Hear of ends until another process has left, or is gone."""
        with suppress(OSError, ValueError), link.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                heard = json.loads(line)
                if heard is None:
                    self._left.add(other)
                    return
                self._settle(End(**heard))
        self._settle(End(other, is_told=False))

    def _settle(self, end: End) -> None:
        """Take the first end for the end; the first process tells the others of it."""
        with self._lock:
            if self._end is not None:
                return
            self._end = end
        if self.rank == 0:
            for other in self._links:
                self._send(other, end)
        self._ended.set()

    def _send(self, other: int, end: End | None) -> None:
        with suppress(OSError):
            self._links[other].sendall((json.dumps(end and end.__dict__) + "\n").encode())

    def _end_with_others(self) -> None:
        """End this process, if it does not do so itself: it may wait for a device that will never answer."""
        self._ended.wait()
        end = self._end
        assert end is not None
        if end.rank == self.rank:
            return
        threading.Event().wait(GRACE)
        if self.speaks(end):
            shown_again = "\x1b[?25h" if sys.stderr.isatty() else ""  # a bar has hidden the cursor
            sys.stderr.write(f"{shown_again}error: {self.sentence(end)}\n")
            sys.stderr.flush()
        self._leave_at_once(PEER_STATUS)


def _kept_alive(link: socket.socket) -> socket.socket:
    link.settimeout(None)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        if hasattr(socket, name):
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return link


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let SIGTERM and SIGINT end this process while it waits for the others, who may never come."""
    if threading.current_thread() is not threading.main_thread():  # only it may handle signals
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_as_one(watch: Watch, error: BaseException, is_broken: bool) -> NoReturn:
    """End this process after an error: with its own words, those on another process, or silently.

    Args:
        watch: of the others.
        error: what happened here.
        is_broken: whether it is about a connection: it then may only tell that another process is gone.

    Raises:
        BaseException: `error`, if nobody else has ended the training before.
        UserError: another process is gone, and this one is to say so.
        SystemExit: another one says all.
    """
    end = watch.wait(GRACE) if is_broken else watch.fail()
    if end is None:
        watch.fail()
        first = (str(error).splitlines() or [""])[0]
        raise UserError(f"the connection between the processes broke: {first}") from error
    if end.rank == watch.rank:
        raise error
    if watch.speaks(end):
        raise UserError(watch.sentence(end)) from None
    raise SystemExit(PEER_STATUS)
