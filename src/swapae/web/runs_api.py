"""The API of training runs: to be looked at, and nothing else; without a folder of runs there is none."""

from collections.abc import Callable
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from swapae.errors import UserError
from swapae.web.answers import Refusal, problems
from swapae.web.pages import Shared
from swapae.web.runs import Runs
from swapae.web.schemas import RunInfo, RunLog

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], responses=problems(404, 422, 500))
RunId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="Of a run.")]
Number = Annotated[int, Path(ge=0, le=2**62, description="Of a snapshot.")]
After = Annotated[int, Query(ge=0, le=2**62, description="Byte of the log from which on it is read.")]
KEPT = {"Cache-Control": "private, max-age=3600"}  # a picture of a moment stays what it is
SNAPSHOT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("png", "webp")
        },
        "description": "A sample grid.",
    }
}
open_runs = cache(Runs)
T = TypeVar("T")


async def looked_up(root: FilePath | None, look: Callable[[Runs], T]) -> T:
    """Look something up in the folder of runs, beside the event loop: disks may be slow.

    Raises:
        Refusal: 404 in a sentence, where there is no folder, or nothing of that id.
    """
    if root is None:
        raise Refusal(404, "unknown", "this studio was started without a folder of runs (--runs).")
    try:
        return await run_in_threadpool(lambda: look(open_runs(root)))
    except UserError as error:
        raise Refusal(404, "unknown", str(error)) from None


@router.get("")
async def runs(desk: Shared) -> list[RunInfo]:
    """List the runs; the one that changed last comes first."""
    return await looked_up(desk.settings.runs, lambda folder: folder.list())


@router.get("/{id}")
async def run(desk: Shared, id: RunId) -> RunInfo:
    """Tell about a run."""
    return await looked_up(desk.settings.runs, lambda folder: folder.one(id))


@router.get("/{id}/log")
async def log(desk: Shared, id: RunId, after: After = 0) -> RunLog:
    """Read whole lines of a run's log from byte `after` on; `next` is what to ask for then."""
    return await looked_up(desk.settings.runs, lambda folder: folder.log(id, after))


@router.get("/{id}/snapshots/{number}", response_class=Response, responses=SNAPSHOT)
async def snapshot(desk: Shared, id: RunId, number: Number) -> Response:
    """Answer with a sample grid."""
    data, kind = await looked_up(desk.settings.runs, lambda folder: folder.snapshot(id, number))
    return Response(data, media_type=kind, headers=KEPT)
