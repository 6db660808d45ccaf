"""What each event makes of a task, from every state."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import transitions
from app.domain.dependency import CASCADED
from app.domain.eligibility import NEVER, eligibility
from app.domain.errors import TransitionNotAllowedError
from app.domain.states import RANK, Backoff, Event, Priority, Status, allows, leads_to
from app.domain.task import Task
from tests.support.rows import NOW, TOKEN, a_row, rules_broken

Apply = Callable[[Task, datetime], Task]

LATER = NOW + timedelta(minutes=2)
NEW_TOKEN = "2" * 32


def _claim(task: Task, now: datetime, lease_seconds: int | None = None) -> Task:
    return transitions.claimed(
        task, now=now, token=NEW_TOKEN, worker="host-1", lease_seconds=lease_seconds
    )


def _failure(event: Event) -> Apply:
    return lambda task, now: transitions.failed(
        task, now=now, event=event, error="it broke", random=Random(1)
    )


APPLY: dict[Event, Apply] = {
    Event.CLAIM: _claim,
    Event.COMPLETE: lambda task, now: transitions.completed(task, now=now, result='{"a":1}'),
    Event.FAIL: _failure(Event.FAIL),
    Event.FAIL_FOR_GOOD: _failure(Event.FAIL_FOR_GOOD),
    Event.TIME_OUT: _failure(Event.TIME_OUT),
    Event.LOSE: _failure(Event.LOSE),
    Event.RELEASE: lambda task, now: transitions.released(task, now=now),
    Event.PAUSE: lambda task, now: transitions.paused(task, now=now),
    Event.RESUME: lambda task, now: transitions.resumed(task, now=now),
    Event.CANCEL: lambda task, now: transitions.cancelled(task, now=now),
    Event.CASCADE: lambda task, now: transitions.cascaded(
        task, now=now, error="dependency 3 has failed"
    ),
    Event.RETRY: lambda task, now: transitions.retried(task, now=now),
}
COUNTED = [Event.FAIL, Event.TIME_OUT, Event.LOSE]


def test_every_event_but_the_submission_is_tried_here() -> None:
    assert set(APPLY) == set(Event) - {Event.SUBMIT}


@pytest.mark.parametrize(("status", "event"), list(product(Status, APPLY)))
def test_an_event_happens_exactly_where_the_table_allows_it(status: Status, event: Event) -> None:
    task = a_row(status)
    assert not rules_broken(task)

    if not allows(status, event):
        with pytest.raises(TransitionNotAllowedError, match=f"Task 7 is {status}; it cannot be"):
            APPLY[event](task, LATER)
        return
    after = APPLY[event](task, LATER)

    assert leads_to(status, event, Status(after.status))
    assert not rules_broken(after)
    assert after.updated_at == LATER


@settings(max_examples=200, deadline=None)
@given(
    events=st.lists(st.sampled_from([*APPLY, None]), max_size=30),
    seconds=st.lists(st.integers(0, 20_000), min_size=30, max_size=30),
    retry_limit=st.integers(0, 3),
    delay=st.sampled_from([0, 5, 86_400]),
    backoff=st.sampled_from(list(Backoff)),
    priority=st.sampled_from(list(Priority)),
)
def test_no_history_leads_to_a_row_that_breaks_a_rule(
    events: list[Event | None], seconds: list[int], **fields: Any
) -> None:
    """None is the sweep's promotion of a task whose wait is over."""
    task = a_row(
        Status.TO_DO,
        retry_limit=fields["retry_limit"],
        retry_delay_seconds=fields["delay"],
        retry_backoff=fields["backoff"],
        priority=fields["priority"],
    )
    task = task._replace(claim_rank=RANK[task.priority])
    now = NOW
    for event, passed in zip(events, seconds, strict=False):
        now += timedelta(seconds=passed)
        before = task
        if event is None:
            if task.status in (Status.TO_DO, Status.RETRYING) and task.sweep_at is not None:
                task = transitions.promoted(task, now=now)
                assert task.status == before.status
        elif allows(task.status, event):
            task = APPLY[event](task, now)
            assert leads_to(before.status, event, Status(task.status))
        assert not rules_broken(task)
        assert task.attempt - before.attempt == (event is Event.CLAIM and task is not before)


def test_what_waits_for_tasks_is_in_no_index_until_it_is_freed() -> None:
    until = LATER + timedelta(hours=1)
    waiting = transitions.retried(a_row(Status.CANCELLED), now=NOW, waits=True)
    assert not rules_broken(waiting)
    assert (waiting.claim_rank, waiting.sweep_at) == (None, NEVER)
    resumed = transitions.resumed(transitions.paused(waiting, now=NOW), now=NOW)
    assert (resumed.claim_rank, resumed.sweep_at) == (None, NEVER)

    freed = transitions.freed(waiting, now=LATER)
    assert not rules_broken(freed)
    assert (freed.status, freed.claim_rank, freed.sweep_at) == (Status.TO_DO, 1, None)
    assert freed.available_at == LATER, "that is how long it has waited for a worker"
    late = transitions.freed(waiting._replace(available_at=until), now=LATER)
    assert (late.claim_rank, late.sweep_at) == (None, until)


def test_who_was_cancelled_with_another_is_known_until_it_is_retried() -> None:
    after = APPLY[Event.CASCADE](a_row(Status.TO_DO), LATER)
    assert after.error == "dependency 3 has failed"
    assert after.flags & CASCADED
    assert not transitions.cancelled(a_row(Status.TO_DO), now=LATER).flags & CASCADED
    assert not transitions.retried(after, now=LATER).flags & CASCADED


@pytest.mark.parametrize("event", COUNTED)
def test_a_failed_attempt_counts_as_a_retry_while_any_remain(event: Event) -> None:
    after = APPLY[event](a_row(Status.IN_PROGRESS, current_retry_count=2), LATER)

    assert (after.status, after.current_retry_count) == (Status.RETRYING, 3)
    assert after.available_at == after.sweep_at == LATER + timedelta(seconds=5)
    assert after.claim_rank is None
    assert after.error == "it broke"


@pytest.mark.parametrize("event", COUNTED)
def test_the_attempt_after_the_last_retry_ends_in_failed(event: Event) -> None:
    after = APPLY[event](a_row(Status.IN_PROGRESS, current_retry_count=3), LATER)

    assert (after.status, after.current_retry_count) == (Status.FAILED, 3)
    assert after.error == "it broke"


def test_a_failure_for_good_leaves_unused_retries_unused() -> None:
    after = APPLY[Event.FAIL_FOR_GOOD](a_row(Status.IN_PROGRESS), LATER)

    assert (after.status, after.current_retry_count) == (Status.FAILED, 0)


def test_the_workers_own_delay_takes_the_place_of_the_tasks() -> None:
    after = transitions.failed(
        a_row(Status.IN_PROGRESS, retry_delay_seconds=1000),
        now=LATER,
        event=Event.FAIL,
        error=None,
        retry_after_seconds=7,
    )

    assert after.available_at == LATER + timedelta(seconds=7)


@pytest.mark.parametrize(("the_tasks_delay", "the_workers_delay"), [(0, None), (5, 0)])
def test_a_retry_with_no_delay_is_claimable_at_once(
    the_tasks_delay: int, the_workers_delay: int | None
) -> None:
    after = transitions.failed(
        a_row(Status.IN_PROGRESS, retry_delay_seconds=the_tasks_delay),
        now=LATER,
        event=Event.FAIL,
        error=None,
        retry_after_seconds=the_workers_delay,
    )

    assert (after.status, after.claim_rank, after.sweep_at) == (Status.RETRYING, 1, None)


def test_the_delay_of_a_retry_jitters_unless_it_is_fixed() -> None:
    task = a_row(Status.IN_PROGRESS, retry_backoff=Backoff.EXPONENTIAL, retry_delay_seconds=1000)
    delays = set()
    for seed in range(20):
        after = transitions.failed(
            task, now=LATER, event=Event.FAIL, error=None, random=Random(seed)
        )
        assert after.available_at is not None
        delays.add((after.available_at - LATER).total_seconds())

    assert len(delays) == 20
    assert all(900 <= delay <= 1100 for delay in delays)


def test_a_claim_begins_an_attempt_bounded_by_the_timeout() -> None:
    after = _claim(a_row(Status.TO_DO), LATER)

    assert (after.attempt, after.lease_token, after.worker) == (1, NEW_TOKEN, "host-1")
    assert after.started_at == LATER
    assert after.deadline_at == after.sweep_at == LATER + timedelta(seconds=300)


@pytest.mark.parametrize(("lease_seconds", "looked_at_after"), [(30, 30), (3600, 300)])
def test_the_sweep_looks_at_the_leases_end_or_the_deadline_whichever_is_first(
    lease_seconds: int, looked_at_after: int
) -> None:
    after = _claim(a_row(Status.TO_DO), LATER, lease_seconds)

    assert after.lease_seconds == lease_seconds
    assert after.deadline_at == LATER + timedelta(seconds=300)
    assert after.sweep_at == LATER + timedelta(seconds=looked_at_after)


@pytest.mark.parametrize("status", [Status.TO_DO, Status.RETRYING])
def test_a_released_task_is_what_it_was_before_the_claim(status: Status) -> None:
    before = a_row(status)
    after = transitions.released(_claim(before, LATER), now=LATER)

    # But for how often and by whom it was tried, and since when it waits.
    kept = {"attempt", "worker", "started_at", "updated_at", "available_at"}
    changed = {
        name
        for name, old, new in zip(Task._fields, before, after, strict=True)
        if old != new and name not in kept
    }
    assert changed == set()
    assert (after.available_at, after.sweep_at) == (LATER, None)


def test_a_task_released_for_the_eleventh_time_waits_before_it_is_claimable_again() -> None:
    after = transitions.released(_claim(a_row(Status.TO_DO, attempt=10), LATER), now=LATER)

    assert (after.status, after.current_retry_count) == (Status.TO_DO, 0)
    assert after.available_at == after.sweep_at == LATER + timedelta(seconds=1)
    assert after.claim_rank is None


@pytest.mark.parametrize(("attempt", "asked", "waits"), [(0, 30, 30), (16, 30, 60), (16, 90, 90)])
def test_a_released_task_waits_as_long_as_the_worker_asks_or_longer(
    attempt: int, asked: int, waits: int
) -> None:
    held = _claim(a_row(Status.TO_DO, attempt=attempt), LATER)
    after = transitions.released(held, now=LATER, delay_seconds=asked, reason="not here")

    assert (after.status, after.current_retry_count) == (Status.TO_DO, 0)
    assert after.available_at == after.sweep_at == LATER + timedelta(seconds=waits)
    assert (after.claim_rank, after.error) == (None, "not here")


def test_a_release_without_a_reason_keeps_the_last_error() -> None:
    held = _claim(a_row(Status.RETRYING, error="last time"), LATER)
    assert transitions.released(held, now=LATER).error == "last time"


def test_completing_remembers_the_lease_and_clears_an_older_error() -> None:
    after = APPLY[Event.COMPLETE](a_row(Status.IN_PROGRESS, error="last time"), LATER)

    assert (after.completed_at, after.finish_token) == (LATER, TOKEN)
    assert (after.result, after.error) == ('{"a":1}', None)


@pytest.mark.parametrize(
    ("attempt", "status"), [(0, Status.TO_DO), (1, Status.RETRYING), (9, Status.RETRYING)]
)
def test_a_resumed_task_is_to_do_only_if_it_never_ran(attempt: int, status: Status) -> None:
    assert transitions.resumed(a_row(Status.PAUSED, attempt=attempt), now=LATER).status == status


def test_a_delay_goes_on_through_a_pause() -> None:
    until = LATER + timedelta(hours=1)
    delayed = a_row(Status.TO_DO, available_at=until, claim_rank=None, sweep_at=until)
    paused = transitions.paused(delayed, now=NOW)
    early = transitions.resumed(paused, now=LATER)
    late = transitions.resumed(paused, now=until)

    assert (early.claim_rank, early.sweep_at) == (None, until)
    assert (late.claim_rank, late.sweep_at) == (1, None)


def test_management_gives_all_retries_again_at_once() -> None:
    until = LATER + timedelta(hours=1)
    after = transitions.retried(a_row(Status.FAILED, available_at=until), now=LATER)

    assert (after.status, after.current_retry_count) == (Status.TO_DO, 0)
    assert (after.claim_rank, after.available_at, after.error) == (1, LATER, None)
    assert after.attempt == 4, "attempts go on counting, or fencing would fail"


@pytest.mark.parametrize(("priority", "rank"), list(zip(Priority, (0, 1, 2), strict=True)))
def test_a_promoted_task_gets_the_rank_of_its_priority(priority: Priority, rank: int) -> None:
    task = a_row(Status.TO_DO, priority=priority, claim_rank=None, sweep_at=NOW, available_at=NOW)
    after = transitions.promoted(task, now=LATER)

    assert (after.status, after.claim_rank, after.sweep_at) == (Status.TO_DO, rank, None)


@pytest.mark.parametrize("until", [None, NOW, LATER + timedelta(days=1)])
@pytest.mark.parametrize(
    ("status", "event"),
    [(s, e) for s, e in product(Status, APPLY) if allows(s, e) and e is not Event.CLAIM],
)
def test_what_nobody_holds_stands_where_eligibility_says(
    status: Status, event: Event, until: datetime | None
) -> None:
    after = APPLY[event](a_row(status)._replace(available_at=until), LATER)
    stands = eligibility(
        status=after.status,
        priority=after.priority,
        available_at=after.available_at,
        flags=after.flags,
        has_turn=True,
        now=LATER,
    )
    assert (after.claim_rank, after.sweep_at) == stands


@pytest.mark.parametrize(
    ("claim_rank", "sweep_at", "expected"), [(1, None, (0, None)), (None, LATER, (None, LATER))]
)
def test_a_new_priority_changes_the_rank_of_what_has_one(
    claim_rank: int | None, sweep_at: datetime | None, expected: tuple[int | None, datetime | None]
) -> None:
    task = a_row(Status.TO_DO, available_at=sweep_at, claim_rank=claim_rank, sweep_at=sweep_at)
    after = transitions.patched(task, {"priority": Priority.HIGH}, now=NOW)
    assert (after.claim_rank, after.sweep_at) == expected


@pytest.mark.parametrize(
    ("status", "event"), [(s, e) for s, e in product(Status, APPLY) if allows(s, e)]
)
def test_a_change_is_later_than_the_last_one_whatever_another_clock_said(
    status: Status, event: Event
) -> None:
    task = a_row(status)._replace(updated_at=LATER)
    behind = LATER - timedelta(milliseconds=3)

    after = APPLY[event](task, behind)
    assert after.updated_at == LATER + timedelta(microseconds=1)
    if event is Event.CLAIM:
        assert after.started_at == after.updated_at
        assert after.deadline_at == after.started_at + timedelta(seconds=task.timeout_seconds)
    if event is Event.COMPLETE:
        assert after.completed_at == after.updated_at
