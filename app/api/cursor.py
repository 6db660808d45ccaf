"""Cursors: where the next page of a list begins. Opaque, and good for their own query only."""

import base64
import struct
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
from fastapi import Request

from app.http.problems import FieldError, InvalidRequestError
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import OrderBy, Position

_DIGEST_BYTES: Final = 8
_POSITION: Final = struct.Struct(">qQ")
_NUMBER: Final = struct.Struct(">Q")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001
_CREATED_AT: Final = str(OrderBy.CREATED_AT)

Asked = Mapping[str, Any]
"""What a list was asked for, by name; what is at its default is left out, so that cursors of
today are good when there is more to ask for."""


def position_of(
    cursor: str | None, wanted: TaskFilter, order: str, order_by: str = _CREATED_AT
) -> Position | None:
    """After which task the page begins. Raises `InvalidRequestError`."""
    place = _place(cursor, _tasks(wanted, order, order_by))
    if place is None:
        return None
    try:
        microseconds, task_id = _POSITION.unpack(place)
        return Position(_EPOCH + timedelta(microseconds=microseconds), task_id)
    except (struct.error, OverflowError):  # the latter for a date of one's own making
        raise _refused() from None


def next_link(
    request: Request,
    last: Position,
    wanted: TaskFilter,
    order: str,
    order_by: str = _CREATED_AT,
) -> str:
    """The `Link` header of the next page of tasks."""
    return _link(request, _packed(last), _tasks(wanted, order, order_by))


def place_of(after: str | None, wanted: TaskFilter, action: str) -> Position | None:
    """After which task an action on many goes on. Raises `InvalidRequestError`."""
    try:
        return position_of(after, wanted, action)
    except InvalidRequestError:
        message = "is not valid for this action and these filters; start without it"
        raise InvalidRequestError([FieldError("after", message)]) from None


def after(last: Position, wanted: TaskFilter, action: str) -> str:
    """What an action on many goes on from."""
    return _cursor(_packed(last), _tasks(wanted, action))


def name_of(cursor: str | None, asked: Asked) -> str | None:
    """After which name the page begins. Raises `InvalidRequestError`."""
    place = _place(cursor, asked)
    try:
        return None if place is None else place.decode()
    except UnicodeDecodeError:
        raise _refused() from None


def time_of(cursor: str | None, asked: Asked) -> datetime | None:
    """After which time the page begins. Raises `InvalidRequestError`."""
    name = name_of(cursor, asked)
    try:
        return None if name is None else datetime.fromisoformat(name)
    except ValueError:  # of one's own making
        raise _refused() from None


def next_name_link(request: Request, last: str, asked: Asked) -> str:
    """The `Link` header of the next page of what is listed by name."""
    return _link(request, last.encode(), asked)


def number_of(cursor: str | None, asked: Asked) -> int:
    """After which number the page begins; 0 at first. Raises `InvalidRequestError`."""
    place = _place(cursor, asked)
    try:
        return 0 if place is None else int(_NUMBER.unpack(place)[0])
    except struct.error:
        raise _refused() from None


def next_number_link(request: Request, last: int, asked: Asked) -> str:
    """The `Link` header of the next page of what is listed by number."""
    return _link(request, _NUMBER.pack(last), asked)


def _tasks(wanted: TaskFilter, order: str, order_by: str = _CREATED_AT) -> Asked:
    defaults = TaskFilter()
    given = {
        name: value for name, value in wanted._asdict().items() if value != getattr(defaults, name)
    }
    by = {} if order_by == _CREATED_AT else {"order_by": order_by}
    return {"list": "tasks", "order": order, **by, **given}


def _place(cursor: str | None, asked: Asked) -> bytes | None:
    """Raises `InvalidRequestError` for a cursor that was cut, made up, or made for another list:
    what it would continue is not what was begun."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except ValueError:
        raise _refused() from None
    place, digest = raw[:-_DIGEST_BYTES], raw[-_DIGEST_BYTES:]
    if digest != _digest(place, asked):
        raise _refused()
    return place


def _packed(last: Position) -> bytes:
    return _POSITION.pack((last.at - _EPOCH) // timedelta(microseconds=1), last.id)


def _cursor(place: bytes, asked: Asked) -> str:
    raw = place + _digest(place, asked)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _link(request: Request, place: bytes, asked: Asked) -> str:
    url = request.url.include_query_params(cursor=_cursor(place, asked))
    # Relative: a proxy may have put everything below a path of its own.
    return f'<{url.path.rpartition("/")[2]}?{url.query}>; rel="next"'


def _digest(place: bytes, asked: Asked) -> bytes:
    said = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
    return sha256(place + said).digest()[:_DIGEST_BYTES]


def _refused() -> InvalidRequestError:
    return InvalidRequestError(
        [FieldError("cursor", "is not valid for these filters and this order; start without one")]
    )
