"""The page, its files, the documentation of the API, and what the server says about itself."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from swapae.web.answers import problems
from swapae.web.desk import Desk
from swapae.web.docs import docs_files, older_schema
from swapae.web.files_served import Served, one_of, page_files
from swapae.web.guard import cookie

router = APIRouter()
files, documents = cache(page_files), cache(docs_files)


def desk_of(request: Request) -> Desk:
    """Give what requests share."""
    desk: Desk = request.app.state.desk
    return desk


Shared = Annotated[Desk, Depends(desk_of)]


@router.get("/", include_in_schema=False)
async def page(request: Request) -> Response:
    """Answer with the studio's page."""
    return one_of(files(), "index.html").answer(request)


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    """Answer with the page's icon, which browsers ask for unasked."""
    return one_of(files(), "favicon.svg").answer(request)


@router.get("/static/{name:path}", include_in_schema=False)
async def static(name: str, request: Request) -> Response:
    """Answer with one of the page's files."""
    return one_of(files(), name).answer(request)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Answer with the page that documents the API."""
    return one_of(documents(), "index.html").answer(request)


@router.get("/docs/{name}", include_in_schema=False)
async def docs_file(name: str, request: Request) -> Response:
    """Answer with one of that page's files."""
    if name == "openapi.json":
        return Served.of(older_schema(request.app.openapi()), ".json").answer(request)
    return one_of(documents(), name).answer(request)


@router.get("/openapi.json", include_in_schema=False)
async def schema(request: Request) -> dict[str, Any]:
    """Describe the API (OpenAPI 3.1)."""
    described: dict[str, Any] = request.app.openapi()
    return described


@router.post("/api/v1/session", status_code=204, tags=["session"], responses=problems())
async def begin_session(desk: Shared) -> Response:
    """Keep the token in a cookie.

    For pages, whose pictures cannot carry a header: what was sent as `Authorization: Bearer` is answered as a
    cookie that only this host gets, and no script can read.
    """
    token = desk.settings.token
    if token is None:
        return Response(status_code=204)
    return Response(status_code=204, headers={"Set-Cookie": cookie(token)})


@router.get("/livez", tags=["health"])
async def livez() -> dict[str, str]:
    """Tell that the server lives."""
    return {"status": "alive"}


@router.get("/readyz", tags=["health"], responses={503: problems(503)[503]})
async def readyz(desk: Shared) -> dict[str, str]:
    """Tell whether work is taken: 503 while the model is loaded, and while the studio is being closed."""
    desk.inference.check_state()
    return {"status": "ready"}


@router.get(
    "/metrics",
    tags=["health"],
    response_class=Response,
    responses={
        **problems(),
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "Figures for Prometheus.",
        },
    },
)
async def metrics(desk: Shared) -> Response:
    """Tell figures: requests, the queue, times, memory."""
    queue = desk.inference
    text = desk.metrics.text(queue.waiting, queue.state == "ready", queue.pid)
    return Response(text, media_type="text/plain; version=0.0.4")
