"""Answers, and how the OpenAPI document shows them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.api.examples import PROBLEMS
from app.domain.task import Lease
from app.http.exchange import EXCHANGE, Exchange
from app.http.problems import MEDIA_TYPE

_WHAT: Final = {
    400: "Not JSON.",
    401: "The token is missing or not valid.",
    403: "The token is for another door; without tokens, a call by a proxy or another site's page.",
    404: "It does not exist.",
    409: "The task's state does not allow it, the lease is gone, or a unique key is held.",
    412: "`If-Match` names another revision than the present one.",
    413: "The body is too large.",
    415: "The `Content-Type` is not JSON.",
    422: "Some fields are not valid; `errors` names each of them.",
    429: "Too many long polls are waiting, or too many invalid tokens were sent; `Retry-After` "
    "says when to try again.",
    503: "MySQL is not available or busy, another transaction holds the row, or too much data is "
    "being sent at once; `Retry-After` says when to try again.",
}


def header(name: str, description: str, kind: str = "string", *, always: bool) -> dict[str, Any]:
    """For OpenAPI: a header of an answer."""
    said = {"description": description, "required": always, "schema": {"type": kind}}
    return {"headers": {name: said}}


LOCATION: Final = header("Location", "The task's path, relative to this call's.", always=True)
ETAG: Final = header("ETag", "The schedule's revision, for `If-Match`.", always=True)
NEXT_PAGE: Final = header("Link", 'The next page, if any: `<…>; rel="next"`.', always=False)
_TAG: Final = header("ETag", "Of this very answer, for `If-None-Match`.", always=True)
STATS_HEADERS: Final = {"headers": _TAG["headers"] | NEXT_PAGE["headers"]}
NOT_MODIFIED: Final = {"description": "The caller has this answer already.", **_TAG}
RETRY_AFTER: Final = header("Retry-After", "Seconds until the next try.", "integer", always=True)
_HEADERS: Final = {
    401: header("WWW-Authenticate", "`Bearer`.", always=True),
    429: RETRY_AFTER,
    503: RETRY_AFTER,
}


def problems(*statuses: int, is_open: bool = False) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the problem documents a call may answer with, besides the usual ones."""
    usual = {422} if is_open else {401, 403, 422, 429, 503}
    return {
        status: {
            "description": _WHAT[status],
            **_HEADERS.get(status, {}),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": PROBLEMS[status],
                }
            },
        }
        for status in sorted(usual | {*statuses})
    }


BODY_PROBLEMS: Final = (400, 413, 415)


class JsonAnswer(Response):
    """A ready-made document as the answer. Its headers are bytes already: Starlette would
    lower, encode and search them each time."""

    def __init__(
        self,
        document: bytes | bytearray,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.body = document  # type: ignore[assignment]
        self.status_code = status
        self.background = None
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(document)),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))


class LeasesAnswer(JsonAnswer):
    """An answer that hands out `leases`. Where it is not taken whole, nobody has them, and they are
    given back."""

    def __init__(
        self,
        document: bytes | bytearray,
        leases: Sequence[Lease],
        give_back: Callable[[Sequence[Lease]], None],
    ) -> None:
        super().__init__(document)
        self._leases = leases
        self._give_back = give_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        give_back = partial(self._give_back, self._leases)
        try:
            await super().__call__(scope, receive, send)
        except BaseException:
            give_back()
            raise
        exchange: Exchange | None = scope.get(EXCHANGE)
        if self._leases and exchange is not None:
            exchange.unless_taken(give_back)
