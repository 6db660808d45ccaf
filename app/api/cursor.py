"""Cursors: where the next page of a list begins. Opaque, and good for their own query only."""

import base64
import struct
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from fastapi import Request

from app.api.problems import FieldError, InvalidRequestError
from app.queue.filters import TaskFilter
from app.queue.pages import Position

_DIGEST_BYTES: Final = 8
_POSITION: Final = struct.Struct(">qQ")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001


def position_of(cursor: str | None, wanted: TaskFilter, order: str) -> Position | None:
    """After which task the page begins.

    Raises `InvalidRequestError` for a cursor that was cut, made up, or made for other
    filters: what it would continue is not what was begun.
    """
    if cursor is None:
        return None
    position = _decoded(cursor, wanted, order)
    if position is None:
        raise InvalidRequestError(
            [FieldError("cursor", "is not one that was given out for these filters and this order")]
        )
    return position


def _decoded(cursor: str, wanted: TaskFilter, order: str) -> Position | None:
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
        position, digest = raw[: _POSITION.size], raw[_POSITION.size :]
        if digest != _digest(position, wanted, order):
            return None
        microseconds, task_id = _POSITION.unpack(position)
        return Position(_EPOCH + timedelta(microseconds=microseconds), task_id)
    except (ValueError, OverflowError):  # the latter for a date of one's own making
        return None


def next_link(request: Request, last: Position, wanted: TaskFilter, order: str) -> str:
    """The `Link` header of the next page."""
    microseconds = (last.created_at - _EPOCH) // timedelta(microseconds=1)
    position = _POSITION.pack(microseconds, last.id)
    raw = position + _digest(position, wanted, order)
    cursor = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    url = request.url.include_query_params(cursor=cursor)
    return f'<{url.path}?{url.query}>; rel="next"'


def _digest(position: bytes, wanted: TaskFilter, order: str) -> bytes:
    return sha256(position + repr((wanted, order)).encode()).digest()[:_DIGEST_BYTES]
