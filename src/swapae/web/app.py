"""The web application: routes, what stands before them, and how its parts begin and end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from swapae.web import api, directions_api, pages, runs_api
from swapae.web.answers import MEANINGS, Refusal, failed
from swapae.web.desk import Desk
from swapae.web.docs import API, describe
from swapae.web.guard import Guard
from swapae.web.schemas import sentence
from swapae.web.settings import StudioSettings


def make_app(make: Callable[[], object], settings: StudioSettings) -> Guard:
    """Make the application.

    Args:
        make: gives, in a process of its own, the `Studio`; it can be pickled.
        settings: what the server allows.
    """
    desk = Desk(make, settings)
    app = FastAPI(
        **API,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_living,
        exception_handlers={
            Refusal: _refused,
            HTTPException: _not_found,
            RequestValidationError: _invalid,
            Exception: _failed,
        },
    )
    app.state.desk = desk
    for router in (pages.router, api.router, directions_api.router, runs_api.router):
        app.include_router(router)
    describe(app)
    return Guard(app, settings, desk)


@contextlib.asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    desk.inference.start()
    warming = asyncio.ensure_future(desk.intake.warm())
    try:
        yield
    finally:
        warming.cancel()
        await desk.inference.stop()
        desk.intake.stop()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return Response(error.body(), error.status, error.headers, "application/json")


async def _failed(request: Request, error: Exception) -> Response:
    """Answer in our words; the error itself goes on to the guard, which writes it into the log."""
    return await _refused(request, failed())


async def _not_found(request: Request, error: Exception) -> Response:
    """Say in our words what the framework found: no such address, another method, no JSON."""
    assert isinstance(error, HTTPException)
    meaning, code = MEANINGS.get(error.status_code, MEANINGS[400])
    return await _refused(request, Refusal(error.status_code, code, f"{meaning}.", error.headers))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(one["type"] == "json_invalid" for one in errors):
        return await _refused(request, Refusal(400, "unreadable", "the body is no JSON."))
    return await _refused(request, Refusal(422, "invalid", sentence(errors, drop=1)))
