"""Many requests at once begin one after the other, and health is answered between them."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from tests.web.servers import awaited

from swapae.web.desk import Desk
from swapae.web.guard import Guard
from swapae.web.health import Metrics
from swapae.web.settings import StudioSettings


def scope(path: str) -> dict[str, Any]:
    headers = [(b"host", b"127.0.0.1:8000")]
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}


def test_health_is_answered_before_all_that_came_earlier_has_begun() -> None:
    begun: list[str] = []
    when_answered: dict[str, int] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        when_answered.setdefault(begun[-1], len(begun))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def all_at_once() -> None:
        desk = cast(Desk, SimpleNamespace(metrics=Metrics()))
        guard = Guard(app, StudioSettings(), desk)
        paths = [*(f"/api/v1/{number}" for number in range(50)), "/livez"]
        await asyncio.gather(*(guard(scope(path), receive, send) for path in paths))

    awaited(all_at_once())
    assert len(begun) == 51  # every one is answered
    assert [path for path in begun if path != "/livez"] == [f"/api/v1/{number}" for number in range(50)]
    assert when_answered["/livez"] <= 3
