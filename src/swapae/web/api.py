"""The API of images, masks and pictures of recipes."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request
from starlette.responses import Response

from swapae.web.answers import QUEUED, Refusal, problems
from swapae.web.desk import Desk, unless_gone
from swapae.web.inference import Turn
from swapae.web.pages import Shared
from swapae.web.schemas import (
    ClickRequest,
    Id,
    ImageInfo,
    MaskInfo,
    ModelInfo,
    OpenedRecipe,
    Rendered,
    RenderRequest,
    SaveRequest,
    StripRequest,
)

router = APIRouter(prefix="/api/v1")
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # an id stands for what it names for ever
MEDIA = {"webp": "image/webp", "png": "image/png"}

Session = Annotated[str | None, Header(alias="X-Session", max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
Channel = Annotated[str, Header(alias="X-Channel", max_length=32, pattern=r"^[0-9A-Za-z_-]+$")]
Number = Annotated[int, Header(alias="X-Seq", ge=0, le=2**53)]
ImageId = Annotated[Id, Path(description="Of an image.")]
MaskId = Annotated[Id, Path(description="Of a mask.")]


def raw(description: str) -> dict[str, Any]:
    """Describe a body that is a file."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    content = {"application/octet-stream": schema}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def picture(*kinds: str, description: str = "A picture.") -> dict[int | str, dict[str, Any]]:
    """Describe an answer that is a picture."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {200: {"content": content, "description": description}}


@dataclass(frozen=True)
class Place:
    """Where a request stands among those of its page: a turn of a session, if it names one, and a number."""

    turn: Turn | None
    number: int


def in_channel(usual: str) -> Any:
    """Read a request's place from its headers; a page that names no channel is in the usual one."""

    async def place(session: Session = None, channel: Channel = usual, number: Number = 0) -> Place:
        return Place(None if session is None else Turn(session, channel, number), number)

    return Depends(place)


# ---- the model


@router.get("/model", tags=["model"], responses=problems(503))
async def model(desk: Shared) -> ModelInfo:
    """Tell about the model that is loaded."""
    return loaded(desk)


@router.get("/gallery", tags=["model"], responses=problems(503))
async def gallery(desk: Shared) -> list[ImageInfo]:
    """List the images that come with the model; they can be used at once."""
    loaded(desk)
    return desk.gallery


def loaded(desk: Desk) -> ModelInfo:
    """Give what is known of the model, also while its process is started anew."""
    if desk.about is None:
        desk.inference.check_state()
        raise Refusal(503, "loading", "the studio is loading its model.", {"Retry-After": "1"})
    return desk.about


# ---- images and masks

UPLOAD = problems(408, 413, 415, 422, *QUEUED)


@router.post(
    "/images", status_code=201, tags=["images"], responses=UPLOAD, openapi_extra=raw("A picture's file.")
)
async def add_image(desk: Shared, request: Request) -> ImageInfo:
    """Upload an image: it is decoded, turned upright, brought to sRGB, and encoded once.

    The same pixels get the same id. Nothing else of the file is kept, no EXIF and no name.
    """
    decoded, info = await desk.take_in(request, "add_image", desk.intake.image)
    assert isinstance(info, ImageInfo)
    return info.model_copy(update={"shrunk": info.shrunk or decoded.is_smaller})


@router.get(
    "/images/{id}/thumbnail",
    tags=["images"],
    response_class=Response,
    responses={**problems(404, 422, *QUEUED), **picture("image/webp", "image/png")},
)
async def thumbnail(desk: Shared, id: ImageId) -> Response:
    """Answer with a small picture of an image."""
    data = await desk.thumbnail(id)
    return Response(data, media_type=kind_of(data), headers=FOREVER)


@router.delete(
    "/images/{id}",
    status_code=204,
    tags=["images"],
    response_class=Response,
    responses=problems(404, 422, *QUEUED),
)
async def forget_image(desk: Shared, id: ImageId) -> Response:
    """Forget an image."""
    desk.forget(id)
    await desk.ask("forget_image", id)
    return Response(status_code=204)


@router.post("/masks", status_code=201, tags=["images"], responses=UPLOAD, openapi_extra=raw("A PNG."))
async def add_mask(desk: Shared, request: Request) -> MaskInfo:
    """Upload a mask, a PNG: white is inside, black and what is transparent outside."""
    _, info = await desk.take_in(request, "add_mask", desk.intake.mask)
    assert isinstance(info, MaskInfo)
    return info


@router.get(
    "/masks/{id}",
    tags=["images"],
    response_class=Response,
    responses={**problems(404, 422, *QUEUED), **picture("image/png", description="The mask, 8-bit gray.")},
)
async def mask(desk: Shared, id: MaskId) -> Response:
    """Answer with a mask."""
    return Response(await desk.ask("mask", id), media_type="image/png", headers=FOREVER)


@router.post(
    "/masks/click",
    tags=["images"],
    response_class=Response,
    responses={
        **problems(404, 409, 413, 415, 422, *QUEUED),
        **picture("image/png", description="The mask, 8-bit gray; the header X-Mask-Id names it."),
    },
)
async def click_mask(
    desk: Shared, request: Request, click: ClickRequest, place: Annotated[Place, in_channel("click")]
) -> Response:
    """Make a mask of what is like the place clicked on."""
    work = desk.ask("click_mask", click, turn=place.turn)
    made: Any = await unless_gone(request, work)
    info, png = made
    assert isinstance(info, MaskInfo)
    desk.journal.note([info.id], "click_mask", click)
    return Response(png, media_type="image/png", headers={"X-Mask-Id": info.id, "X-Seq": str(place.number)})


# ---- pictures of recipes


@router.post(
    "/render",
    tags=["edits"],
    response_class=Response,
    responses={
        **problems(404, 409, 413, 415, 422, *QUEUED),
        **picture(
            "image/webp", "image/png", description="The picture; X-Width, X-Height, X-Seconds, X-Full, X-Seq."
        ),
    },
)
async def render(
    desk: Shared, request: Request, asked: RenderRequest, place: Annotated[Place, in_channel("main")]
) -> Response:
    """Make the picture of a recipe."""
    made = await unless_gone(request, desk.ask("render", asked, turn=place.turn))
    return shown(made, place.number)


@router.post(
    "/strip",
    tags=["edits"],
    response_class=Response,
    responses={
        **problems(404, 409, 413, 415, 422, *QUEUED),
        **picture("image/webp", "image/png", description="The pictures side by side; headers as of /render."),
    },
)
async def strip(
    desk: Shared, request: Request, asked: StripRequest, place: Annotated[Place, in_channel("strip")]
) -> Response:
    """Make a row of pictures: one direction of a recipe at several strengths."""
    made = await unless_gone(request, desk.ask("strip", asked, turn=place.turn))
    return shown(made, place.number)


def shown(made: object, number: int) -> Response:
    """Answer with a picture, and with what it is in headers."""
    assert isinstance(made, Rendered)
    headers = {
        "X-Width": str(made.width),
        "X-Height": str(made.height),
        "X-Seconds": f"{made.seconds:.4f}",
        "X-Full": str(int(made.full)),
        "X-Seq": str(number),
    }
    return Response(made.data, media_type=made.media_type, headers=headers)


@router.post(
    "/save",
    tags=["edits"],
    response_class=Response,
    responses={
        **problems(404, 413, 415, 422, *QUEUED),
        **picture("image/png", description="It carries its recipe."),
    },
)
async def save(desk: Shared, request: Request, asked: SaveRequest) -> Response:
    """Make the picture of a recipe as a PNG that carries it, to be opened again."""
    png = await unless_gone(request, desk.ask("save", asked))
    assert isinstance(png, bytes)
    name = re.sub(r"[^a-z0-9-]", "", (desk.about.name if desk.about else "").lower())[:32] or "edit"
    headers = {"Content-Disposition": f'attachment; filename="swapae-{name}.png"'}
    return Response(png, media_type="image/png", headers=headers)


@router.post(
    "/recipes",
    tags=["edits"],
    responses=UPLOAD | problems(404),
    openapi_extra=raw("A PNG that was saved here."),
)
async def open_recipe(desk: Shared, request: Request) -> OpenedRecipe:
    """Open a PNG that carries a recipe: all that it names is known from then on."""
    png = await desk.body(request)
    opened = await unless_gone(request, desk.ask("open_recipe", png))
    assert isinstance(opened, OpenedRecipe)
    ids = [image.id for image in opened.images] + [mask.id for mask in opened.masks]
    ids += [direction.name for direction in opened.directions if direction.own]
    desk.journal.note(ids, "open_recipe", png, anew=False)  # what was uploaded comes back from its own file
    return opened


def kind_of(data: bytes) -> str:
    """Tell a WebP from a PNG."""
    return MEDIA["webp"] if data[8:12] == b"WEBP" else MEDIA["png"]
