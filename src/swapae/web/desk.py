"""What all requests share: the model's queue, the decoder, and what is remembered beside them."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from swapae.web.answers import Refusal
from swapae.web.health import Metrics
from swapae.web.inference import Inference, Turn, overdue
from swapae.web.intake import Decoded, Intake, read_body
from swapae.web.journal import Journal, Pixels
from swapae.web.schemas import ImageInfo, MaskInfo, ModelInfo
from swapae.web.settings import StudioSettings
from swapae.web.worker import Reply

MOST_RECALLS = 100  # things a request may name that have to be brought back
THUMBNAILS = 16 * 2**20  # bytes of thumbnails kept here, beside those of the gallery
MAKERS = ("make_direction", "load_directions")  # of what is listed without being asked for by an id
T = TypeVar("T")


class Desk:
    """One server's parts, and the ways in which requests use them."""

    def __init__(self, make: Callable[[], object], settings: StudioSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.inference = Inference(make, settings.max_queue, self.metrics, self._greet)
        self.intake = Intake(settings.decoding, self.metrics.decoders.inc)
        self.journal = Journal(settings.max_kept)
        self.about: ModelInfo | None = None
        self.gallery: list[ImageInfo] = []
        self._pinned: dict[str, bytes] = {}  # thumbnails of the gallery
        self._thumbnails: OrderedDict[str, bytes] = OrderedDict()
        self._uploads = 0

    # ---- the model

    async def ask(
        self, method: str, *arguments: object, turn: Turn | None = None, end: float | None = None
    ) -> object:
        """Have the model do something; what a process that died knew is brought back first.

        Args:
            method: of the studio, with its arguments.
            arguments: of the method.
            turn: the place among the requests of a page.
            end: of the time there is, by the monotonic clock; else the deadline counts from now on.

        Raises:
            Refusal: as `Inference.call`, 404 for what is not known, 422 with the sentence of a `UserError`.
        """
        end = time.monotonic() + self.settings.deadline if end is None else end
        for _ in range(MOST_RECALLS):
            reply = await self.inference.call(method, *arguments, seconds=_left(end), turn=turn)
            if reply.ending == "done":
                return reply.value
            if reply.ending == "refused":
                raise Refusal(422, "refused", reply.sentence)
            if not await self._brought_back(str(reply.value), end):
                raise Refusal(404, "unknown", reply.sentence)
        raise Refusal(404, "unknown", "the studio has no room for all that this request names.")

    async def thumbnail(self, id: str) -> bytes:
        """Give an image's thumbnail, from here where it was asked for before."""
        if id in self._pinned:
            return self._pinned[id]
        if id not in self._thumbnails:
            found = await self.ask("thumbnail", id)
            assert isinstance(found, bytes)
            self._thumbnails[id] = found
            while sum(map(len, self._thumbnails.values())) > THUMBNAILS:
                self._thumbnails.popitem(last=False)
        self._thumbnails.move_to_end(id)
        return self._thumbnails[id]

    def forget(self, id: str) -> None:
        """Remember nothing of an image any more."""
        self.journal.forget(id)
        self._thumbnails.pop(id, None)

    async def _brought_back(self, id: str, end: float) -> bool:
        """Repeat the call that made an id; and before it those that made what it names."""
        for _ in range(MOST_RECALLS):
            call = self.journal.recall(id)
            if call is None:
                return False
            reply = await self._inside(call.method, call.given(), end=end)
            if reply.ending != "unknown":
                return reply.ending == "done"
            if not await self._brought_back(str(reply.value), end):
                return False
        return False

    async def _inside(self, method: str, *arguments: object, end: float) -> Reply:
        return await self.inference.call(method, *arguments, seconds=_left(end), inside=True)

    async def _greet(self) -> None:
        """Learn about a model that has just been loaded, before anyone is let in."""
        inside = partial(self._inside, end=time.monotonic() + 10 * self.settings.deadline)
        about, gallery = (await inside("about")).value, (await inside("gallery")).value
        assert isinstance(about, ModelInfo)
        assert isinstance(gallery, list)
        for image in gallery:
            if image.id not in self._pinned:
                thumbnail = (await inside("thumbnail", image.id)).value
                assert isinstance(thumbnail, bytes)
                self._pinned[image.id] = thumbnail
        self.about, self.gallery = about, gallery
        for name in self.journal.made_by(*MAKERS):
            with contextlib.suppress(Refusal):
                await self._brought_back(name, time.monotonic() + self.settings.deadline)

    # ---- bodies

    async def body(self, request: Request, most: int | None = None) -> bytes:
        """Read a raw body, while there is room for its kind.

        Raises:
            Refusal: 408, 413, 422, 429, 503.
        """
        with self._on_its_way():
            return await self._read(request, most or self.settings.max_upload)

    async def take_in(
        self, request: Request, method: str, decode: Callable[[bytes], Coroutine[object, object, Decoded]]
    ) -> tuple[Decoded, ImageInfo | MaskInfo]:
        """Read a picture's file, decode it, and have the model take it in.

        The deadline counts from the end of the file on. A file is on its way until it has been decoded: no
        more of them are held than may be on their way.

        Raises:
            Refusal: as `body`, `ask` and `decode`.
        """
        with self._on_its_way():
            body = await self._read(request, self.settings.max_upload)
            end = time.monotonic() + self.settings.deadline
            try:
                async with asyncio.timeout(self.settings.deadline):
                    decoded = await unless_gone(request, decode(body))
            except TimeoutError:
                self.metrics.overdue.inc()
                raise overdue(self.settings.deadline) from None
        info = await unless_gone(request, self.ask(method, decoded.pixels, end=end))
        assert isinstance(info, ImageInfo | MaskInfo)
        self._thumbnails.pop(info.id, None)
        self.journal.note([info.id], method, await Pixels.of(decoded.pixels))
        return decoded, info

    @contextlib.contextmanager
    def _on_its_way(self) -> Iterator[None]:
        self.inference.check_open()
        if self._uploads >= self.settings.max_uploads:
            busy = {"Retry-After": "1", "Connection": "close"}
            raise Refusal(429, "busy", "too many files are on their way: try again in 1 s.", busy)
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    async def _read(self, request: Request, most: int) -> bytes:
        declared = request.headers.get("content-length")
        body = await read_body(request.stream(), most, declared, self.settings.deadline)
        if not body:
            raise Refusal(422, "refused", "the file is empty.")
        return body


async def unless_gone(request: Request, work: Coroutine[object, object, T]) -> T:
    """Do something for a client while it is there; what still waits is given up when it has gone."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Refusal(499, "gone", "the client has gone.")  # nobody is left to read it
    finally:
        watch.cancel()
        task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _left(end: float) -> float:
    return max(0.001, end - time.monotonic())
