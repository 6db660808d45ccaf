"""Cursors: each leads on from where it was given out, and nothing else is one."""

import base64
import struct
from datetime import datetime
from hashlib import sha256

import httpx
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from app.api.cursor import next_link, position_of
from app.api.fields import MAX_ID
from app.domain.states import Priority, Status
from app.http.problems import InvalidRequestError
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import BEGINNING, END, Position

ASKED = b'{"list":"tasks","order":"desc","status":["to_do"],"title":"a & b"}'
POSITIONS = st.builds(Position, st.datetimes(BEGINNING, END), st.integers(1, MAX_ID))
WANTED = TaskFilter(status=(Status.TO_DO,), title="a & b")


FULL = TaskFilter(
    status=(Status.TO_DO, Status.DONE),
    priority=(Priority.HIGH,),
    queue=("default",),
    tags=("核心业务",),
    ids=(1, 2),
    title="a & b",
    created_after=datetime(2026, 1, 1),  # noqa: DTZ001
    created_before=datetime(2027, 1, 1),  # noqa: DTZ001
    due_after=datetime(2026, 1, 2),  # noqa: DTZ001
    due_before=datetime(2027, 1, 2),  # noqa: DTZ001
    worker="host-1",
    completed_after=datetime(2026, 1, 3),  # noqa: DTZ001
    completed_before=datetime(2027, 1, 3),  # noqa: DTZ001
    available_after=datetime(2026, 1, 4),  # noqa: DTZ001
    available_before=datetime(2027, 1, 4),  # noqa: DTZ001
)
BEFORE_WORKER = FULL._replace(
    worker=None,
    completed_after=None,
    completed_before=None,
    available_after=None,
    available_before=None,
)


def cursor_of(
    last: Position,
    wanted: TaskFilter = WANTED,
    order: str = "desc",
    order_by: str = "created_at",
) -> str:
    scope = {"type": "http", "path": "/tasks", "query_string": b"title=a", "headers": []}
    link = next_link(Request(scope | {"server": ("h", 80)}), last, wanted, order, order_by)
    return httpx.URL(link.partition(">")[0][1:]).params["cursor"]


@given(last=POSITIONS, order=st.sampled_from(["asc", "desc"]))
def test_a_cursor_leads_on_from_its_task(last: Position, order: str) -> None:
    assert position_of(cursor_of(last, order=order), WANTED, order) == last


@given(last=POSITIONS)
def test_a_cursor_is_for_what_the_list_goes_by(last: Position) -> None:
    cursor = cursor_of(last, order_by="available_at")
    assert position_of(cursor, WANTED, "desc", "available_at") == last
    for given_out, other in ((cursor, "created_at"), (cursor_of(last), "available_at")):
        with pytest.raises(InvalidRequestError):
            position_of(given_out, WANTED, "desc", other)


def test_no_cursor_is_the_beginning() -> None:
    assert position_of(None, WANTED, "desc") is None


@given(last=POSITIONS)
def test_a_cursor_is_for_its_own_query(last: Position) -> None:
    cursor = cursor_of(last)
    for wanted, order in (
        (WANTED, "asc"),
        (TaskFilter(), "desc"),
        (WANTED._replace(title="b"), "desc"),
    ):
        with pytest.raises(InvalidRequestError):
            position_of(cursor, wanted, order)


@given(
    cursor=st.text() | st.binary(max_size=24).map(lambda b: base64.urlsafe_b64encode(b).decode())
)
def test_whatever_was_not_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        position_of(cursor, WANTED, "desc")
    assert [error.field for error in caught.value.fields] == ["cursor"]


@given(last=POSITIONS, at=st.integers(0, 23), by=st.integers(1, 255))
def test_a_changed_byte_is_noticed(last: Position, at: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(cursor_of(last)))
    raw[at] ^= by
    with pytest.raises(InvalidRequestError):
        position_of(base64.urlsafe_b64encode(raw).decode(), WANTED, "desc")


def test_a_cursor_that_was_given_out_before_is_good_for_ever() -> None:
    """Whatever else may be asked for some day: what is at its default is not part of it."""
    last = Position(datetime(2026, 11, 28, 12, 30, 0, 123_456), 42)  # noqa: DTZ001
    for cursor, wanted in (
        ("AAZhVVXQxEAAAAAAAAAAKl4l0uhjCbwW", TaskFilter()),
        ("AAZhVVXQxEAAAAAAAAAAKj2PaOOf_lRM", WANTED),
        ("AAZhVVXQxEAAAAAAAAAAKtKLrrd99_P4", BEFORE_WORKER),
    ):
        assert position_of(cursor, wanted, "desc") == last
        assert cursor_of(last, wanted) == cursor
    assert set(FULL._asdict().values()).isdisjoint({None, ()})


@pytest.mark.parametrize("microseconds", [2**63 - 1, -(2**63)])
def test_a_time_that_is_none_is_refused_though_its_digest_is_right(microseconds: int) -> None:
    position = struct.pack(">qQ", microseconds, 1)
    digest = sha256(position + ASKED).digest()[:8]
    assert position_of(cursor_of(Position(END, 1)), WANTED, "desc") == Position(END, 1)
    with pytest.raises(InvalidRequestError):
        position_of(base64.urlsafe_b64encode(position + digest).decode(), WANTED, "desc")
