"""What becomes of a schedule's occurrences: which run, which are left out, and what comes next."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.schedule import (
    CATCH_UP_LIMIT,
    DECIDED_LIMIT,
    CatchUp,
    Definition,
    Due,
    Outcome,
    Overlap,
    Schedule,
    due,
    outcomes,
    task_for,
    template_of,
    text_of,
)
from app.domain.states import Backoff, Priority
from app.domain.unique import Conflict, Hold, Unique
from tests.support.rows import NOW, a_new_task

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def a_schedule(considered_at: datetime, **definition: Any) -> Schedule:
    """Each minute, unless it is said otherwise."""
    fields: dict[str, Any] = {
        "cron": "* * * * *",
        "interval_seconds": None,
        "timezone": "UTC",
        "task": a_new_task(title="tick"),
        "catch_up": CatchUp.ONE,
        "overlap": Overlap.SKIP,
        "jitter_seconds": 0,
        "starts_at": None,
        "ends_at": None,
    }
    return Schedule(
        name="a",
        definition=Definition(**fields | definition),
        paused_at=None,
        considered_at=considered_at,
        next_at=None,
        last_task_id=None,
        revision=1,
        created_at=considered_at,
        updated_at=considered_at,
    )


def minutes(*seconds: int) -> list[datetime]:
    """So many seconds after a full minute."""
    return [NOW.replace(second=0) + timedelta(seconds=s) for s in seconds]


(SHARP,) = minutes(0)


def test_an_occurrence_is_due_when_its_time_has_come_and_not_before() -> None:
    schedule = a_schedule(SHARP)
    assert due(schedule, now=SHARP + MINUTE - SECOND).occurrences == []
    assert due(schedule, now=SHARP + MINUTE) == Due(
        minutes(60), 0, None, SHARP + MINUTE, SHARP + 2 * MINUTE
    )


def test_what_is_ten_seconds_late_is_not_missed() -> None:
    schedule = a_schedule(SHARP, catch_up=CatchUp.NONE)
    in_time = due(schedule, now=SHARP + MINUTE + 10 * SECOND)
    too_late = due(schedule, now=SHARP + MINUTE + 10.001 * SECOND)
    assert (in_time.occurrences, in_time.skipped) == (minutes(60), 0)
    assert (too_late.occurrences, too_late.skipped, too_late.last_skipped) == (
        [],
        1,
        SHARP + MINUTE,
    )


@pytest.mark.parametrize(
    ("catch_up", "run", "skipped"),
    [
        (CatchUp.NONE, minutes(300), 4),
        (CatchUp.ONE, minutes(240, 300), 3),
        (CatchUp.ALL, minutes(60, 120, 180, 240, 300), 0),
    ],
)
def test_of_what_was_missed_as_much_runs_as_was_said(
    catch_up: CatchUp, run: list[datetime], skipped: int
) -> None:
    found = due(a_schedule(SHARP, catch_up=catch_up), now=SHARP + 5 * MINUTE + SECOND)
    assert (found.occurrences, found.skipped) == (run, skipped)
    if skipped:
        assert found.last_skipped == SHARP + skipped * MINUTE
    assert found.next_at == SHARP + 6 * MINUTE


def test_after_a_year_each_second_is_counted_and_the_newest_thousand_run() -> None:
    schedule = a_schedule(SHARP, cron="* * * * * *", catch_up=CatchUp.ALL)
    now = SHARP + timedelta(days=365)
    run: list[datetime] = []
    skipped = 0
    while schedule.considered_at < now:
        found = due(schedule, now=now)
        assert len(found.occurrences) <= DECIDED_LIMIT
        run += found.occurrences
        skipped += found.skipped
        schedule = schedule._replace(considered_at=found.considered_at)
    in_time = 11
    assert len(run) == CATCH_UP_LIMIT + in_time
    assert run == [now - n * SECOND for n in reversed(range(len(run)))]
    assert skipped + len(run) == 365 * 86_400


@given(
    catch_up=st.sampled_from(CatchUp),
    interval=st.integers(1, 4000),
    looks=st.lists(st.integers(0, 20_000), min_size=1, max_size=12),
    limit=st.integers(1, DECIDED_LIMIT),
)
def test_however_often_it_is_looked_at_each_occurrence_is_decided_once(
    catch_up: CatchUp, interval: int, looks: list[int], limit: int
) -> None:
    """Clocks that go back are among the looks."""
    schedule = a_schedule(SHARP, cron=None, interval_seconds=interval, catch_up=catch_up)
    recurrence = schedule.recurrence
    run: list[datetime] = []
    skipped = 0
    for seconds in [*looks, max(looks)]:
        now = SHARP + seconds * SECOND
        if now < (recurrence.next_after(schedule.considered_at) or now):
            continue  # nothing is due: it is not looked at
        found = due(schedule, now=now, limit=limit)
        assert len(found.occurrences) <= limit
        run += found.occurrences
        skipped += found.skipped
        schedule = schedule._replace(considered_at=found.considered_at)
        assert found.next_at == recurrence.next_after(found.considered_at)
    assert run == sorted(set(run))
    assert skipped + len(run) == recurrence.count(SHARP, schedule.considered_at)


@pytest.mark.parametrize(
    ("overlap", "is_open", "found"),
    [
        (Overlap.SKIP, False, [Outcome.SUBMITTED, Outcome.SKIPPED_OVERLAP]),
        (Overlap.SKIP, True, [Outcome.SKIPPED_OVERLAP] * 2),
        (Overlap.ALLOW, True, [Outcome.SUBMITTED] * 2),
    ],
)
def test_an_occurrence_runs_beside_the_one_before_only_where_that_is_allowed(
    overlap: Overlap, is_open: bool, found: list[Outcome]
) -> None:
    schedule = a_schedule(SHARP, overlap=overlap)
    decided = outcomes(schedule, minutes(60, 120), decided=(), is_open=is_open)
    assert [outcome for _, outcome in decided] == found


def test_what_is_decided_already_is_left_alone() -> None:
    schedule = a_schedule(SHARP)
    found = outcomes(schedule, minutes(60, 120), decided=minutes(60), is_open=False)
    assert [*found] == [(SHARP + 2 * MINUTE, Outcome.SUBMITTED)]


def test_jitter_delays_each_occurrences_task_by_its_own_and_never_beyond() -> None:
    schedule = a_schedule(SHARP, jitter_seconds=50)
    occurrences = [SHARP + n * MINUTE for n in range(200)]
    delays = [schedule.due_at(at) - at for at in occurrences]
    assert {delay.total_seconds() for delay in delays} <= {*range(50)}
    assert len(set(delays)) > 30
    assert [schedule.due_at(at) - at for at in occurrences] == delays
    task = task_for(schedule, SHARP, now=SHARP)
    assert task.available_at == (schedule.due_at(SHARP) if delays[0] else None)
    assert task_for(schedule, SHARP, now=SHARP + MINUTE).available_at is None


def test_a_schedule_that_has_ended_has_nothing_to_come() -> None:
    schedule = a_schedule(SHARP, ends_at=SHARP + 2 * MINUTE)
    found = due(schedule, now=SHARP + 2 * MINUTE)
    assert (found.occurrences[-1], found.next_at) == (SHARP + 2 * MINUTE, None)


def test_a_template_is_read_as_it_was_written() -> None:
    task = a_new_task(
        description="高",
        priority=Priority.HIGH,
        tag_names=("a", "核心"),
        due_date=NOW,
        retry_backoff=Backoff.LINEAR,
        payload='{"n":12345678901234567890123}',
        unique=Unique("客户", Hold.ACTIVE, Conflict.REPLACE),
    )
    assert template_of(text_of(task)) == task
    assert type(template_of(text_of(task)).priority) is Priority
    assert type(template_of(text_of(task)).unique) is Unique
