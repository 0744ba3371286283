"""The queue before the model: bounded, with deadlines; a newer request takes an older one's place."""

import asyncio
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from swapae.web.answers import Refusal, failed
from swapae.web.health import Metrics
from swapae.web.link import Link
from swapae.web.worker import Order, Reply

GRACE = 2.0  # seconds after a deadline in which the process may still stop the work by itself
TRIES = 2  # times that loading is tried again before the first success
MOST_TURNS = 4096  # sessions and channels whose newest number is remembered
WAITS = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the process is started again, failure after failure

log = logging.getLogger("swapae.studio")
State = Literal["loading", "ready", "draining", "refused"]


@dataclass(frozen=True)
class Turn:
    """A place among the requests of one page: a higher `number` supersedes lower ones that still wait."""

    session: str
    channel: str
    number: int


@dataclass(eq=False)
class Job:
    """An order on its way."""

    method: str
    arguments: tuple[object, ...]
    end: float  # of its time, by the monotonic clock
    turn: Turn | None
    future: asyncio.Future[Reply]
    watch: asyncio.TimerHandle | None = field(default=None)
    began: float = 0.0


class Inference:
    """One worker process, the orders that wait for it, and its successors when it dies.

    Args:
        make: gives, in the process, the object whose methods are called; it can be pickled.
        max_queue: orders that may wait beside the one that is being carried out.
        metrics: counts what happens.
        greet: called in the loop when a process is ready, before orders are taken; it may call `call`.
    """

    def __init__(
        self,
        make: Callable[[], object],
        max_queue: int,
        metrics: Metrics,
        greet: Callable[[], Awaitable[None]],
        grace: float = GRACE,
    ) -> None:
        self.state: State = "loading"
        self.refusal = ""  # why the model could not be loaded
        self.refused: Callable[[], None] = lambda: None  # called then
        self._make, self._max_queue, self._greet, self._grace = make, max_queue, greet, grace
        self._metrics = metrics
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._link: Link | None = None
        self._failures = 0
        self._was_ready = False
        self._seconds = 0.1  # that an order takes, about
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_up = False  # the process takes orders

    # ---- life

    def start(self) -> None:
        """Start the process."""
        self._is_up = False
        self._link = Link(self._make, self._hear)

    def drain(self) -> None:
        """Take no further orders; those that wait are carried out."""
        self.state = "draining"

    async def stop(self) -> None:
        """End the process; whatever still waits is refused."""
        self.drain()
        for job in (self._running, *self._waiting):
            if job is not None:
                self._fail(job, Refusal(503, "draining", "the studio is being closed."))
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        if self._link is not None:
            await self._link.close()

    @property
    def waiting(self) -> int:
        """Orders in the queue."""
        return len(self._waiting)

    @property
    def pid(self) -> int | None:
        """Of the process, for its memory to be looked up."""
        return self._link.process.pid if self._link is not None else None

    # ---- orders

    def check_open(self) -> None:
        """Refuse, before any work, what would be refused after it.

        Raises:
            Refusal: 503 while loading or closing, 429 when the queue is full.
        """
        self.check_state()
        if len(self._waiting) >= self._max_queue:
            raise self._busy()

    async def call(
        self,
        method: str,
        *arguments: object,
        seconds: float,
        turn: Turn | None = None,
        inside: bool = False,
    ) -> Reply:
        """Have a method called, and wait for how that ended: "done", "refused" or "unknown".

        Args:
            method: of what `make` made.
            arguments: its arguments.
            seconds: until the deadline, the time in the queue among them.
            turn: the place among the requests of a page.
            inside: the server's own order, which waits for no state and is never turned away.

        Raises:
            Refusal: 409, 429, 500, 503 or 504.
        """
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        job = Job(method, arguments, time.monotonic() + seconds, turn, future)
        if not inside:
            self.check_state()
            self._take_turn(job)
            self.check_open()
        self._waiting.append(job)
        self._pump()
        try:
            reply = await asyncio.wait_for(job.future, seconds)
        except TimeoutError:
            self._metrics.overdue.inc()
            raise overdue(seconds) from None
        finally:  # also when the client has gone, and this task was cancelled
            if job in self._waiting:
                self._waiting.remove(job)
        return self._judged(reply, seconds)

    def check_state(self) -> None:
        """Refuse work while there is no process to do it.

        Raises:
            Refusal: 503.
        """
        if self.state == "loading":
            raise Refusal(503, "loading", "the studio is loading its model.", {"Retry-After": "1"})
        if self.state != "ready":
            raise Refusal(
                503, self.state, self.refusal or "the studio is being closed.", {"Retry-After": "5"}
            )

    def _take_turn(self, job: Job) -> None:
        """Note the newest number of a session and channel, and answer what it supersedes."""
        turn = job.turn
        if turn is None:
            return
        key = turn.session, turn.channel
        if turn.number < self._newest.get(key, turn.number):
            self._metrics.superseded.inc()
            raise _superseded()
        self._newest[key] = turn.number
        self._newest.move_to_end(key)
        if len(self._newest) > MOST_TURNS:
            self._newest.popitem(last=False)
        for other in [
            one for one in self._waiting if one.turn and (one.turn.session, one.turn.channel) == key
        ]:
            self._waiting.remove(other)
            self._metrics.superseded.inc()
            self._fail(other, _superseded())

    def _busy(self) -> Refusal:
        self._metrics.turned_away.inc()
        seconds = min(30, max(1, math.ceil(self._seconds * len(self._waiting))))
        return Refusal(
            429, "busy", f"the queue is full: try again in {seconds} s.", {"Retry-After": str(seconds)}
        )

    def _judged(self, reply: Reply, seconds: float) -> Reply:
        if reply.ending == "overdue":
            self._metrics.overdue.inc()
            raise overdue(seconds)
        if reply.ending == "memory":
            raise Refusal(503, "memory", reply.sentence, {"Retry-After": "5"})
        if reply.ending == "failed":
            log.error("an order failed:\n%s", reply.value)
            raise failed()
        return reply

    # ---- the process

    def _pump(self) -> None:
        """Hand the next order over, if the process is idle."""
        while self._is_up and self._link is not None and self._running is None and self._waiting:
            job = self._waiting.popleft()
            seconds = job.end - time.monotonic()
            if job.future.done() or seconds <= 0:  # its client has gone, or hears of the deadline just now
                continue
            self._running, job.began = job, time.monotonic()
            wait = seconds + self._grace
            job.watch = asyncio.get_running_loop().call_later(wait, self._give_up, job)
            self._link.order(Order(job.method, job.arguments, seconds))

    def _give_up(self, job: Job) -> None:
        """End a process that did not stop by itself; the library comes back by and by (`recall`)."""
        if self._running is job and self._link is not None:
            log.warning("%s did not stop at its deadline: the model's process is started anew.", job.method)
            self._link.kill()

    def _hear(self, link: Link, reply: Reply | None) -> None:
        if link is not self._link:
            return
        if reply is None:
            self._ended()
        elif self._is_up:
            self._answered(reply)
        elif reply.ending == "refused":
            self._refuse(reply.sentence)
        else:
            self._is_up = True
            self._do(self._welcome())

    async def _welcome(self) -> None:
        try:
            await self._greet()
        except Exception:
            log.exception("the model has been loaded, but does not answer")
            if self._link is not None:
                self._link.kill()
            return
        if self.state == "loading":
            self.state, self._failures, self._was_ready = "ready", 0, True

    def _refuse(self, sentence: str) -> None:
        """Give up: there is no model to work with."""
        self.state, self.refusal = "refused", sentence
        self.refused()

    def _answered(self, reply: Reply) -> None:
        job, self._running = self._running, None
        if job is not None:
            self._metrics.seconds.labels(job.method).observe(time.monotonic() - job.began)
            self._seconds += 0.2 * (time.monotonic() - job.began - self._seconds)
            self._settle(job, reply)
        self._pump()

    def _ended(self) -> None:
        """Answer the order that ended with the process, and start another process."""
        job, self._running, self._is_up = self._running, None, False
        if job is not None:
            lost = Refusal(500, "crashed", "the model's process ended at this request, and is started anew.")
            self._fail(job, lost)
        if self.state == "draining":
            for one in self._waiting:
                self._fail(one, Refusal(503, "draining", "the studio is being closed."))
            self._waiting.clear()
        elif self.state != "refused" and not self._was_ready and self._failures >= TRIES:
            self._refuse("the process of the model ends while it loads; standard error says more.")
        elif self.state != "refused":
            self._metrics.restarts.inc()
            self.state = "loading"
            self._do(self._again(WAITS[min(self._failures, len(WAITS) - 1)]))
            self._failures += 1

    async def _again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.state == "loading":
            self.start()

    def _do(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _settle(job: Job, reply: Reply) -> None:
        if job.watch is not None:
            job.watch.cancel()
        if not job.future.done():
            job.future.set_result(reply)

    @staticmethod
    def _fail(job: Job, refusal: Refusal) -> None:
        if job.watch is not None:
            job.watch.cancel()
        if not job.future.done():
            job.future.set_exception(refusal)
            job.future.exception()  # looked at: whoever asked may have gone


def _superseded() -> Refusal:
    return Refusal(409, "superseded", "a newer request of this session took its place.")


def overdue(seconds: float) -> Refusal:
    """Tell that the deadline has passed."""
    return Refusal(504, "deadline", f"this took longer than {seconds:.3g} s and was cancelled.")
