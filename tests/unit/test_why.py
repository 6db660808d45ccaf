"""Reasons from facts alone: of whatever is found, always some, in the contract's form."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.examples import WHY_EXAMPLES
from app.api.reasons import WhyDocument
from app.domain.dependency import WAITS_FOR_TASKS
from app.domain.documents import dumps
from app.domain.eligibility import NEVER
from app.domain.slots import NEEDS_QUEUES
from app.domain.standing import AHEAD_LIMIT, UNKNOWN, Line, Pace, Standing, Unknown, Waits
from app.domain.states import WAITING, Status
from app.domain.why import why
from tests.support.rows import NOW, a_row
from tests.support.shapes import assert_has_the_shape_of

ORDER = (
    *("ended", "paused", "held", "waits_for_tasks", "waits_for_slot", "not_yet"),
    *("no_scheduler", "queue_paused", "row_locked", "no_worker", "behind", "due", "unknown"),
)
YEARS = 86_400 * 365 * 9.0

seconds = st.floats(-YEARS, YEARS).map(lambda number: timedelta(seconds=number))
times = seconds.map(lambda span: NOW + span)
numbers = st.sampled_from([0, 1, 2, 999, AHEAD_LIMIT, AHEAD_LIMIT + 1, 2**31])
parents = st.tuples(st.integers(1, 99), st.sampled_from(Status))
unknown: st.SearchStrategy[Unknown] = st.just(UNKNOWN)
lines = st.builds(
    Line,
    st.none() | st.just("a"),
    numbers,
    st.none() | numbers,
    numbers,
    st.booleans(),
    st.none() | times,
)


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    fields: dict[str, Any] = {}
    status = draw(st.sampled_from(Status))
    if status in WAITING and draw(st.booleans()):
        fields |= {"claim_rank": None, "sweep_at": draw(times), "available_at": NOW}
    if status in WAITING and draw(st.booleans()):
        fields |= {"claim_rank": None, "sweep_at": NEVER, "flags": WAITS_FOR_TASKS}
    if status in WAITING and draw(st.booleans()):
        fields |= {"claim_rank": None, "sweep_at": NEVER, "flags": NEEDS_QUEUES}
    if status == Status.IN_PROGRESS and draw(st.booleans()):
        fields |= {"lease_seconds": draw(st.integers(5, 3600)), "sweep_at": draw(times)}
    if status != Status.TO_DO:
        fields |= {"current_retry_count": draw(st.integers(0, 3)), "updated_at": draw(times)}
    return Standing(
        task=a_row(status, **fields),
        now=draw(times),
        queue_paused_at=draw(st.none() | times),
        swept_at=draw(st.none() | times),
        is_swept=draw(st.booleans()),
        is_row_locked=draw(unknown | st.booleans()),
        polled_at=draw(unknown | st.none() | times),
        ahead=draw(unknown | numbers),
        waits=draw(unknown | st.builds(Waits, st.lists(parents, max_size=20))),
        line=draw(unknown | lines),
        pace=draw(unknown | st.builds(Pace, numbers, st.just(5), numbers)),
        lease_seconds_left=draw(unknown | st.none() | st.floats(-3600, 3600)),
    )


def document_of(standing: Standing) -> Any:
    return orjson.loads(
        dumps(
            {
                "status": standing.task.status,
                "is_claimable": standing.is_claimable,
                "reasons": why(standing),
            }
        )
    )


@given(standings())
def test_there_is_always_a_reason_in_the_contracts_form_and_place(standing: Standing) -> None:
    found = document_of(standing)
    assert_has_the_shape_of(WhyDocument, found)
    names = [reason["reason"] for reason in found["reasons"]]
    assert names == sorted(names, key=ORDER.index)
    assert len({name for name in names if name != "unknown"}) + names.count("unknown") == len(names)
    # Nothing is in its way only where that is known.
    assert ("due" in names) == (names == ["due"])
    assert "due" not in names or found["is_claimable"]
    if found["is_claimable"]:
        assert not {"waits_for_tasks", "not_yet", "queue_paused", "held", "paused", "ended"} & {
            *names
        }


def test_whatever_is_not_known_is_said() -> None:
    waits = Standing(a_row(Status.TO_DO), NOW, None, None, is_swept=False)
    runs = waits._replace(task=a_row(Status.IN_PROGRESS, lease_seconds=30))
    blocked = waits._replace(
        task=a_row(Status.TO_DO, claim_rank=None, sweep_at=NEVER, flags=WAITS_FOR_TASKS)
    )
    every = (waits, runs, blocked)
    found = [[reason["part"] for reason in why(each) if "part" in reason] for each in every]
    assert found == [
        ["row_locked", "no_worker", "behind"],
        ["row_locked", "last_heartbeat"],
        ["waits_for_tasks", "row_locked", "no_worker"],
    ]


@pytest.mark.parametrize(
    ("age", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"),
     (86_400 * 2, "2 d"), (86_400 * 365 * 1000, "365,000 d")],
)  # fmt: skip
def test_how_long_it_is_is_said_in_one_unit(age: float, said: str) -> None:
    paused = a_row(Status.PAUSED, updated_at=NOW)
    later: datetime = NOW + timedelta(seconds=age)
    (reason,) = why(Standing(paused, later, None, None, is_swept=True))
    assert reason["detail"].endswith(f"has been for at least {said}.")


def test_the_examples_are_what_they_stand_for() -> None:
    for example in WHY_EXAMPLES["content"]["application/json"]["examples"].values():
        assert_has_the_shape_of(WhyDocument, example["value"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            Line("customer-17", 2, 2, 3),
            "It waits for a slot: 2 of 2 tasks of group 'customer-17' run or may be claimed, and 3 "
            "wait before it.",
        ),
        (
            Line(None, 1200, 1000, AHEAD_LIMIT + 1),
            "It waits for a slot: 1,200 of 1,000 tasks of the queue 'default' run or may be "
            "claimed, and at least 1,000 wait before it.",
        ),
        (
            Line("a", 1, 1, 1),
            "It waits for a slot: 1 of 1 tasks of group 'a' run or may be claimed, and 1 waits "
            "before it.",
        ),
        (
            Line("a", 1, 2, 0),
            "A slot of group 'a' is free, and it is the next one; the next sweep gives it to who "
            "is next.",
        ),
        (
            Line("a", 1, None, 0, is_paced=True, next_at=NOW + timedelta(seconds=9)),
            "The rate of group 'a' lets the next one begin in 9 s, and it is the next one.",
        ),
        (
            Line("a", 1, 5, 2, is_paced=True),
            "Of group 'a' as many may be claimed as its rate lets begin at once, and 2 wait before "
            "it.",
        ),
    ],
)
def test_who_waits_for_a_slot_is_told_whose(line: Line, said: str) -> None:
    row = a_row(Status.TO_DO, claim_rank=None, sweep_at=NEVER, flags=NEEDS_QUEUES)
    standing = Standing(row, NOW, None, NOW, is_swept=True, is_row_locked=False, polled_at=NOW)
    (reason,) = why(standing._replace(line=line))
    assert (reason["reason"], reason["detail"]) == ("waits_for_slot", said)
