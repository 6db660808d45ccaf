"""Unique keys, as far as they are pure: who holds one, and until when."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain import transitions
from app.domain.errors import RetryLimitTooLowError, UniqueKeyHeldError
from app.domain.states import Event, Priority, Status
from app.domain.task import Task, held_key
from app.domain.unique import FLAGS, Conflict, Hold, Unique, hash_of
from app.queue.unique_keys import Changes, record
from tests.support.rows import NOW, TOKEN, a_new_task, a_row, rules_broken

WAITING, ACTIVE = FLAGS[Hold.WAITING], FLAGS[Hold.ACTIVE]
NOT_ENDED = (Status.TO_DO, Status.PAUSED, Status.RETRYING, Status.IN_PROGRESS)


def a_holder(status: Status, flags: int = WAITING, **fields: Any) -> Task:
    return a_row(status, flags=flags, unique_key="k", **fields)


def claimed(task: Task) -> Task:
    return transitions.claimed(task, now=NOW, token=TOKEN, worker="w", lease_seconds=None)


def failed(task: Task, event: Event = Event.FAIL) -> Task:
    return transitions.failed(task, now=NOW, event=event, error="x")


def test_a_key_is_held_from_the_beginning() -> None:
    for hold, flag in FLAGS.items():
        task = transitions.begun(a_new_task(unique=Unique("k", hold)), now=NOW)
        assert (task.flags, held_key(task)) == (flag, "k")
    assert held_key(transitions.begun(a_new_task(), now=NOW)) is None


def test_while_waiting_it_is_held_until_the_first_claim_and_never_after_it() -> None:
    task = transitions.paused(a_holder(Status.TO_DO), now=NOW)
    task = transitions.resumed(task, now=NOW)
    assert held_key(task) == "k"
    task = claimed(task)
    assert held_key(task) is None
    for after in (transitions.released(task, now=NOW), failed(task)):
        assert held_key(after) is None
    cancelled = transitions.cancelled(a_holder(Status.TO_DO), now=NOW)
    assert held_key(cancelled) is None
    assert held_key(transitions.retried(cancelled, now=NOW)) is None


def test_while_active_it_is_held_until_the_end() -> None:
    running = claimed(a_holder(Status.TO_DO, ACTIVE))
    for after in (running, failed(running), transitions.released(running, now=NOW)):
        assert held_key(after) == "k"
    for after in (
        transitions.completed(running, now=NOW, result=None),
        failed(running, Event.FAIL_FOR_GOOD),
        failed(running._replace(current_retry_count=3), Event.TIME_OUT),
        transitions.cancelled(running, now=NOW),
    ):
        assert held_key(after) is None
        assert after.unique_key == "k", "the row still tells"


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("flags", [WAITING, ACTIVE])
def test_what_a_version_without_keys_has_left_holds_nothing(status: Status, flags: int) -> None:
    task = a_holder(status, flags)
    holds = status in NOT_ENDED and (flags == ACTIVE or task.attempt == 0)
    assert held_key(task) == ("k" if holds else None)


def test_a_key_goes_with_its_task_and_comes_only_with_a_new_one() -> None:
    holder, other = a_holder(Status.TO_DO), a_row(Status.TO_DO)
    key = (hash_of("default", "k"), holder.id)
    for old, new, released, taken in (
        (None, holder, set(), {key[0]: key[1]}),
        (holder, None, {key}, {}),
        (holder, claimed(holder), {key}, {}),
        (holder, transitions.paused(holder, now=NOW), set(), {}),
        (claimed(holder), None, set(), {}),
        (None, other, set(), {}),
        (other, None, set(), {}),
    ):
        changes = Changes(set(), {})
        record(changes, old, new)
        assert changes == (released, taken)


@pytest.mark.parametrize("status", [Status.TO_DO, Status.PAUSED, Status.RETRYING])
@pytest.mark.parametrize("debounce_seconds", [None, 60])
def test_replaced_it_obeys_the_rules_of_rows_and_keeps_its_place(
    status: Status, debounce_seconds: int | None
) -> None:
    unique = Unique("k", conflict=Conflict.REPLACE, debounce_seconds=debounce_seconds)
    old = a_holder(status, ACTIVE)
    task = transitions.replaced(
        old,
        a_new_task(title="new", priority=Priority.HIGH, tag_names=("a",), unique=unique),
        now=NOW + timedelta(seconds=1),
    )
    assert not rules_broken(task)
    assert (task.title, task.priority, task.tag_names) == ("new", Priority.HIGH, '["a"]')
    assert (task.id, task.turn_at, task.created_at) == (old.id, old.turn_at, old.created_at)
    waits = debounce_seconds is not None or status is Status.PAUSED
    assert (task.claim_rank is None) == waits
    assert held_key(task) == "k"


def test_what_runs_or_has_used_more_retries_is_not_replaced() -> None:
    unique = Unique("k", conflict=Conflict.REPLACE)
    with pytest.raises(UniqueKeyHeldError):
        transitions.replaced(
            a_holder(Status.IN_PROGRESS, ACTIVE), a_new_task(unique=unique), now=NOW
        )
    with pytest.raises(RetryLimitTooLowError):
        transitions.replaced(
            a_holder(Status.RETRYING, ACTIVE), a_new_task(retry_limit=0, unique=unique), now=NOW
        )


def test_it_is_put_off_up_to_its_limit() -> None:
    for limit, after, expected in ((None, 0, 60), (None, 599, 600), (90, 20, 80), (90, 50, 90)):
        unique = Unique("k", debounce_seconds=60, debounce_limit_seconds=limit)
        now = NOW + timedelta(seconds=after)
        assert unique.put_off(None, since=NOW, now=now) == NOW + timedelta(seconds=expected)
    assert Unique("k").put_off(NOW, since=NOW, now=NOW) == NOW


def test_keys_of_queues_do_not_run_into_each_other() -> None:
    assert hash_of("a", "b/c") != hash_of("a.b", "c")
    assert hash_of("a", "k") == hash_of("a", "k") != hash_of("a", "K")
