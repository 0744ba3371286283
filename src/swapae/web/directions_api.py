"""The API of directions: those of the model, and one's own."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from swapae.web.answers import QUEUED, problems
from swapae.web.api import raw
from swapae.web.desk import unless_gone
from swapae.web.pages import Shared
from swapae.web.schemas import DirectionInfo, Name, NewDirection

router = APIRouter(prefix="/api/v1/directions", tags=["directions"])
Called = Annotated[Name, Path(description="Of a direction.")]
MOST_BYTES = 8 * 2**20  # of a file of directions
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "A file of safetensors, as `swapae edit --directions` reads it.",
    }
}


@router.get("", responses=problems(*QUEUED))
async def directions(desk: Shared) -> list[DirectionInfo]:
    """List the directions that there are."""
    return await desk.ask("directions")  # type: ignore[return-value]


@router.post("", status_code=201, responses=problems(404, 413, 415, 422, *QUEUED))
async def make_direction(desk: Shared, request: Request, asked: NewDirection) -> DirectionInfo:
    """Make a direction of one's own, of two groups of images."""
    made = await unless_gone(request, desk.ask("make_direction", asked))
    assert isinstance(made, DirectionInfo)
    desk.journal.note([made.name], "make_direction", asked)
    return made


@router.post(
    "/file",
    status_code=201,
    responses=problems(404, 408, 413, 415, 422, *QUEUED),
    openapi_extra=raw("A file of safetensors that was had from here, or from `swapae directions`."),
)
async def load_directions(desk: Shared, request: Request) -> list[DirectionInfo]:
    """Read directions from a file."""
    data = await desk.body(request, MOST_BYTES)
    made = await unless_gone(request, desk.ask("load_directions", data))
    assert isinstance(made, list)
    desk.journal.note([one.name for one in made], "load_directions", data)
    return made


@router.delete("/{name}", status_code=204, response_class=Response, responses=problems(404, 422, *QUEUED))
async def forget_direction(desk: Shared, name: Called) -> Response:
    """Forget a direction of one's own."""
    await desk.ask("forget_direction", name)
    desk.journal.forget(name)
    return Response(status_code=204)


@router.get("/{name}/file", response_class=Response, responses={**problems(404, 422, *QUEUED), **FILE})
async def direction_file(desk: Shared, name: Called) -> Response:
    """Answer with a direction as a file."""
    data = await desk.ask("direction_file", name)
    headers = {"Content-Disposition": 'attachment; filename="direction.safetensors"'}
    return Response(data, media_type="application/octet-stream", headers=headers)
