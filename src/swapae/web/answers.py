"""What the server says when it does not do what was asked: one sentence, a short name, a status."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """Why a request was not answered: a sentence for people, a short name for programs."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "the queue is full: try again in 1 s.", "code": "busy"}]}
    )

    error: str
    code: str


class Refusal(Exception):  # noqa: N818  as the API calls it
    """An answer other than the one asked for."""

    def __init__(
        self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The JSON that goes out."""
        return json.dumps({"error": self.sentence, "code": self.code}).encode()


def failed() -> Refusal:
    """Tell of a fault of ours, and nothing of the inside."""
    return Refusal(500, "failed", "something went wrong inside the studio; its log says what.")


MEANINGS = {
    400: ("the request cannot be read", "unreadable"),
    401: ("the token is missing or wrong", "token"),
    403: ("the request comes from another page or another host", "origin"),
    404: ("there is no such thing, or it is no longer known", "unknown"),
    405: ("the address does not take this method", "method"),
    408: ("the body did not arrive in time", "slow"),
    409: ("a newer request of this session took its place", "superseded"),
    413: ("the body is larger than the studio takes", "large"),
    415: ("the body is of a kind that the studio does not take", "type"),
    422: ("what was sent cannot be used; the sentence says why", "refused"),
    429: ("the queue is full: try again after Retry-After seconds", "busy"),
    500: ("something went wrong inside the studio", "failed"),
    503: ("the studio is loading its model, or is being closed", "loading"),
    504: ("it took longer than the deadline, and was cancelled", "deadline"),
}
ALWAYS = (400, 401, 403)
QUEUED = (429, 500, 503, 504)  # what work by the model can end in


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error answers of a route for its documentation, those of every route among them."""
    return {status: _described(status) for status in sorted({*ALWAYS, *statuses})}


def _described(status: int) -> dict[str, Any]:
    meaning, code = MEANINGS[status]
    example = {"error": f"{meaning}.", "code": code}
    described: dict[str, Any] = {
        "model": Problem,
        "description": meaning.capitalize() + ".",
        "content": {"application/json": {"example": example}},
    }
    if status in (429, 503):
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        described["headers"] = {"Retry-After": seconds}
    return described
