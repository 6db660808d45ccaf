"""Cursors: where the next page of a list begins. Opaque, and good for their own query only."""

import base64
import binascii
from hashlib import sha256
from typing import Final

from fastapi import Request

from app.api.problems import FieldError, InvalidRequestError
from app.queue.filters import TaskFilter

_DIGEST_BYTES: Final = 8
_ID_BYTES: Final = 8


def after_id(cursor: str | None, wanted: TaskFilter, order: str) -> int | None:
    """The id after which the page begins.

    Raises `InvalidRequestError` for a cursor that was cut, made up, or made for other
    filters: what it would continue is not what was begun.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raw = b""
    position, digest = raw[:_ID_BYTES], raw[_ID_BYTES:]
    if digest != _digest(position, wanted, order):
        raise InvalidRequestError(
            [FieldError("cursor", "is not one that was given out for these filters and this order")]
        )
    return int.from_bytes(position)


def next_link(request: Request, last_id: int, wanted: TaskFilter, order: str) -> str:
    """The `Link` header of the next page."""
    position = last_id.to_bytes(_ID_BYTES)
    raw = position + _digest(position, wanted, order)
    cursor = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    url = request.url.include_query_params(cursor=cursor)
    return f'<{url.path}?{url.query}>; rel="next"'


def _digest(position: bytes, wanted: TaskFilter, order: str) -> bytes:
    return sha256(position + repr((wanted, order)).encode()).digest()[:_DIGEST_BYTES]
