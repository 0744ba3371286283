"""A worker process and the thread that talks to it."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from multiprocessing import get_context

from swapae.web.worker import Order, Reply, work

Heard = Callable[["Link", Reply | None], None]


class Link:
    """Start a process that makes something and carries out orders, one at a time.

    `heard` is called in the event loop: first when the process is ready or has refused to start, then once
    for every order, and with None when the process has ended, for whatever reason.
    """

    def __init__(self, make: Callable[[], object], heard: Heard) -> None:
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        context = get_context("spawn")
        self._ours, self._theirs = context.Pipe()
        self.process = context.Process(target=work, args=(self._theirs, make), daemon=True)
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def order(self, order: Order) -> None:
        """Hand over an order; the one before must have been answered."""
        self._orders.put(order)

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(AttributeError, ValueError):  # not started yet, or closed already
            self.process.kill()

    async def close(self, seconds: float = 2.0) -> None:
        """Let the process end; one that does not is ended."""
        self._orders.put(None)
        await asyncio.to_thread(self._thread.join, seconds)
        self.kill()
        await asyncio.to_thread(self._thread.join, seconds)

    def _talk(self) -> None:
        try:
            self.process.start()
            self._theirs.close()
            self._tell(self._ours.recv())
            while (order := self._orders.get()) is not None:
                self._ours.send(order)
                self._tell(self._ours.recv())
        except (EOFError, OSError):
            pass
        finally:
            self._ours.close()  # which ends the process, if it has not ended
            self.process.join()
            self._tell(None)

    def _tell(self, reply: Reply | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(self._heard, self, reply)
