"""What comes in: bodies counted while they stream, pictures decoded in a process that has nothing to lose."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from swapae.web.answers import Refusal
from swapae.web.decoder import DONE, IMAGE, MASK, SHAPE, UNKNOWN, DecodingLimits, decode_all

START = 60.0  # seconds that a decoder may take to start, on a machine that has much else to do
SLACK = 1.0  # seconds beside those of the picture


@dataclass(frozen=True, eq=False)
class Decoded:
    """Pixels `[H, W, 3]` of a picture or `[H, W]` of a mask, 8-bit; whether they were made fewer."""

    pixels: NDArray[np.uint8]
    is_smaller: bool


async def read_body(stream: AsyncIterator[bytes], most: int, declared: str | None, seconds: float) -> bytes:
    """Read a body, counting: what was declared is not believed, but too much of it is refused at once.

    Raises:
        Refusal: 413 past `most` bytes, 408 when it takes longer than `seconds`.
    """
    check_declared(declared, most)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in stream:
                body += part
                if len(body) > most:
                    raise too_large(most)
    except TimeoutError:
        sentence = f"the body did not arrive within {seconds:g} s."
        raise Refusal(408, "slow", sentence, {"Connection": "close"}) from None
    return bytes(body)


def check_declared(declared: str | None, most: int) -> None:
    """Refuse a body that says itself that it is too large.

    Raises:
        Refusal: 413.
    """
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise too_large(most)


def too_large(most: int) -> Refusal:
    """Refuse a body; the connection is closed, for the rest of it is not read."""
    size = f"{most / 2**20:.3g} MiB" if most >= 2**20 else f"{most} bytes"
    sentence = f"the body is larger than the studio takes ({size})."
    return Refusal(413, "large", sentence, {"Connection": "close"})


class Intake:
    """Decodes pictures one after the other, in a process that is replaced when it dies or takes too long."""

    def __init__(self, limits: DecodingLimits, replaced: Callable[[], None] = lambda: None) -> None:
        self.limits = limits
        self._replaced = replaced
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._thread = ThreadPoolExecutor(1, "swapae-decoder")
        self._lock = threading.Lock()
        self._turn = asyncio.Lock()

    async def image(self, data: bytes) -> Decoded:
        """Decode a picture.

        Raises:
            Refusal: 415 where it is none, 422 where it is damaged or too large.
        """
        return await self._in_thread(IMAGE, data, 3)

    async def mask(self, data: bytes) -> Decoded:
        """Decode a mask, a PNG; refused as a picture is."""
        return await self._in_thread(MASK, data, 1)

    async def warm(self) -> None:
        """Start the process before it is needed; if that fails, the first upload will say so."""
        with contextlib.suppress(Refusal):
            await asyncio.get_running_loop().run_in_executor(self._thread, self._started)

    def stop(self) -> None:
        """End the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._end()

    async def _in_thread(self, kind: bytes, data: bytes, channels: int) -> Decoded:
        """Wait for the turn here and not in the thread, so that whoever gives up leaves nothing behind."""
        await self._turn.acquire()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._decode, kind, data, channels)
        work.add_done_callback(self._done)
        return await asyncio.shield(work)

    def _done(self, work: "asyncio.Future[Decoded]") -> None:
        self._turn.release()
        if not work.cancelled():
            work.exception()  # looked at: whoever asked may have gone

    def _decode(self, kind: bytes, data: bytes, channels: int) -> Decoded:
        answer = self._ask(kind + data)
        if answer[:1] != DONE:
            status, code = (415, "type") if answer[:1] == UNKNOWN else (422, "refused")
            raise Refusal(status, code, answer[1:].decode(errors="replace"))
        width, height, is_smaller = SHAPE.unpack_from(answer, 1)
        pixels = np.frombuffer(answer, np.uint8, offset=1 + SHAPE.size)
        shape = (height, width, channels) if channels > 1 else (height, width)
        return Decoded(pixels.reshape(shape), bool(is_smaller))

    def _ask(self, request: bytes) -> bytes:
        connection = self._started()
        try:
            connection.send_bytes(request)
            if connection.poll(self.limits.seconds + SLACK):
                return connection.recv_bytes(maxlength=1 + SHAPE.size + 3 * self.limits.side**2)
        except (EOFError, OSError):
            self._end(is_fault=True)
            raise Refusal(422, "refused", "the picture made its decoder fail: it is damaged.") from None
        self._end(is_fault=True)
        sentence = (
            f"the picture took longer than {self.limits.seconds:g} s to decode: it is damaged or too large."
        )
        raise Refusal(422, "refused", sentence)

    def _started(self) -> Connection:
        """Give the way to a process that lives, a new one if need be."""
        if self._connection is None or self._process is None or not self._process.is_alive():
            self._end()
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=decode_all, args=(theirs, self.limits), daemon=True)
            process.start()
            theirs.close()
            with self._lock:
                self._process, self._connection = process, ours
            try:
                if ours.poll(START):
                    ours.recv_bytes(maxlength=1)
                    return ours
            except (EOFError, OSError):
                pass
            self._end()
            raise Refusal(503, "decoder", "the decoder of pictures cannot be started.", {"Retry-After": "5"})
        return self._connection

    def _end(self, is_fault: bool = False) -> None:
        with self._lock:
            process, connection = self._process, self._connection
            self._process = self._connection = None
        if process is not None:
            process.kill()  # before the connection is closed: whoever waits for its answer hears of its end
            process.join(1)
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()
        if is_fault:
            self._replaced()
