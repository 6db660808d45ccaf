"""Answers, and how the OpenAPI document shows them."""

from typing import Any, Final

from fastapi import Response

from app.api.examples import PROBLEMS
from app.api.problems import MEDIA_TYPE

_WHAT: Final = {
    400: "Not JSON.",
    401: "No token, or one that is not known.",
    403: "A token of another door.",
    404: "There is no such task.",
    409: "The task's state does not allow it, or the lease is gone.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "A field is wrong; `errors` names each.",
    503: "MySQL is away, or somebody else holds the row; `Retry-After` says when to try again.",
}

_HEADERS: Final = {
    401: {"WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}


def problems(*statuses: int, is_open: bool = False) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the problem documents a call may answer with, besides the usual ones."""
    usual = {422} if is_open else {401, 403, 422, 503}
    return {
        status: {
            "description": _WHAT[status],
            "headers": _HEADERS.get(status, {}),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": PROBLEMS[status],
                }
            },
        }
        for status in sorted(usual | {*statuses})
    }


def header(name: str, description: str) -> dict[str, Any]:
    """For OpenAPI: a header of an answer."""
    return {"headers": {name: {"description": description, "schema": {"type": "string"}}}}


BODY_PROBLEMS: Final = (400, 413, 415)


class JsonAnswer(Response):
    """A ready-made document as the answer. Its headers are bytes already: Starlette would
    lower, encode and search them each time."""

    def __init__(
        self, document: bytes, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.body = document
        self.status_code = status
        self.background = None
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(document)),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
