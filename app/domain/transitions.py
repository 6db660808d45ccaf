"""What each event makes of a task. Pure: a row and the facts in, the new row out.

The writing is `queue.statements.move`; the edges are `states.TRANSITIONS`. Every function
here raises `TransitionNotAllowedError` where that table has no edge.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any, Final

from app.domain.dependency import CASCADED, WAITS_FOR_TASKS
from app.domain.eligibility import eligibility
from app.domain.errors import (
    RetryLimitTooLowError,
    TransitionNotAllowedError,
    UniqueKeyHeldError,
)
from app.domain.retry import after_failure, delay_seconds, release_delay_seconds
from app.domain.slots import GIVEN, UNPAID, slots_of
from app.domain.states import ENDED, Event, Status, allows
from app.domain.task import NewTask, Task, names_text
from app.domain.turns import BY_TURNS, had_turn
from app.domain.unique import FLAGS, HOLDS, WHILE_WAITING

_DONE_WORDS = {
    Event.CLAIM: "claimed",
    Event.COMPLETE: "completed",
    Event.FAIL: "failed",
    Event.FAIL_FOR_GOOD: "failed",
    Event.RELEASE: "released",
    Event.TIME_OUT: "timed out",
    Event.LOSE: "lost",
    Event.PAUSE: "paused",
    Event.RESUME: "resumed",
    Event.CANCEL: "cancelled",
    Event.RETRY: "retried",
    Event.CASCADE: "cancelled",
}

MICROSECOND: Final = timedelta(microseconds=1)
_WHILE_OPEN: Final = HOLDS | WAITS_FOR_TASKS
# What a client may change, beside the tags.
_REPLACED: Final = (
    *("title", "description", "priority", "due_date", "payload", "timeout_seconds"),
    *("retry_limit", "retry_delay_seconds", "retry_backoff"),
)


def begun(new: NewTask, *, now: datetime) -> Task:
    """A task as it is submitted, but for its id."""
    flags = new.flags if new.unique is None else new.flags | FLAGS[new.unique.hold]
    stands = eligibility(
        status=Status.TO_DO,
        priority=new.priority,
        available_at=new.available_at,
        flags=flags,
        has_turn=new.turn_at is not None or not flags & BY_TURNS,
        now=now,
    )
    return Task(
        id=0,
        title=new.title,
        description=new.description,
        status=Status.TO_DO,
        priority=new.priority,
        queue=new.queue,
        tag_names=names_text(new.tag_names),
        due_date=new.due_date,
        timeout_seconds=new.timeout_seconds,
        retry_limit=new.retry_limit,
        retry_delay_seconds=new.retry_delay_seconds,
        retry_backoff=new.retry_backoff,
        current_retry_count=0,
        created_at=now,
        updated_at=now,
        completed_at=None,
        available_at=new.available_at,
        started_at=None,
        payload=new.payload,
        result=None,
        error=None,
        claim_rank=stands.claim_rank,
        turn_at=new.turn_at or now,
        sweep_at=stands.sweep_at,
        attempt=0,
        lease_token=None,
        lease_seconds=None,
        worker=None,
        deadline_at=None,
        claimed_from=None,
        finish_token=None,
        traceparent=new.traceparent,
        origin=new.origin,
        flags=flags,
        unique_key=new.unique and new.unique.key,
        group_key=new.group_key,
    )


def claimed(
    task: Task, *, now: datetime, token: str, worker: str, lease_seconds: int | None
) -> Task:
    """A new attempt begins. `timeout_seconds` bounds it, heartbeats or not."""
    _require(task, Event.CLAIM)
    moment = later(task, now)
    deadline = moment + timedelta(seconds=task.timeout_seconds)
    expiry = deadline if lease_seconds is None else moment + timedelta(seconds=lease_seconds)
    return task._replace(
        status=Status.IN_PROGRESS,
        claimed_from=task.status,
        claim_rank=None,
        flags=task.flags & ~(WHILE_WAITING | UNPAID),
        sweep_at=min(deadline, expiry),
        attempt=task.attempt + 1,
        lease_token=token,
        lease_seconds=lease_seconds,
        worker=worker,
        started_at=moment,
        deadline_at=deadline,
        updated_at=moment,
    )


def extended(task: Task, *, now: datetime, seconds: float) -> Task:
    """The lease goes on for so long: the sweep looks again then, or at the deadline."""
    assert task.deadline_at is not None
    return task._replace(sweep_at=min(task.deadline_at, now + timedelta(seconds=seconds)))


def completed(task: Task, *, now: datetime, result: str | None) -> Task:
    """The attempt succeeded."""
    _require(task, Event.COMPLETE)
    return _placed(
        _without_lease(task, now),
        status=Status.DONE,
        now=now,
        completed_at=later(task, now),
        finish_token=task.lease_token,
        result=result,
        error=None,
    )


def failed(
    task: Task,
    *,
    now: datetime,
    event: Event,
    error: str | None,
    retry_after_seconds: int | None = None,
    random: Random | None = None,
) -> Task:
    """The attempt failed, timed out or was lost: retrying while retries remain, else failed.

    `retry_after_seconds` takes the place of the task's own delay for this retry.
    """
    _require(task, event)
    ended = _without_lease(task, now)._replace(error=error)
    verdict = after_failure(
        current_retry_count=task.current_retry_count, retry_limit=task.retry_limit
    )
    if event is Event.FAIL_FOR_GOOD or verdict.status is Status.FAILED:
        return _placed(ended, status=Status.FAILED, now=now)
    if retry_after_seconds is None:
        delay = delay_seconds(
            retry_delay_seconds=task.retry_delay_seconds,
            retry_backoff=task.retry_backoff,
            retry=verdict.current_retry_count,
            jitter=(random or SystemRandom()).uniform(-1, 1),
        )
    else:
        delay = float(retry_after_seconds)
    return _placed(
        ended,
        status=verdict.status,
        now=now,
        available_at=now + timedelta(seconds=delay),
        current_retry_count=verdict.current_retry_count,
    )


def released(
    task: Task, *, now: datetime, delay_seconds: int = 0, reason: str | None = None
) -> Task:
    """The worker gives the task back unharmed: as it was before the claim, no retry used. It
    waits as long as the worker asks; one that was released many times waits a while in any case
    (`app.domain.retry`). Without a reason an older error stays."""
    _require(task, Event.RELEASE)
    assert task.claimed_from is not None  # a CHECK ties it to in_progress
    least = release_delay_seconds(
        attempt=task.attempt, current_retry_count=task.current_retry_count
    )
    delay = timedelta(seconds=max(delay_seconds, least))
    return _placed(
        _without_lease(task, now),
        status=Status(task.claimed_from),
        now=now,
        available_at=_from_now(task, now + delay),
        error=task.error if reason is None else reason,
    )


def paused(task: Task, *, now: datetime) -> Task:
    """Out of the workers' reach until resumed."""
    _require(task, Event.PAUSE)
    return _placed(
        task,
        status=Status.PAUSED,
        now=now,
        updated_at=later(task, now),
    )


def resumed(task: Task, *, now: datetime) -> Task:
    """Back to waiting; a delay that is not over yet still counts."""
    _require(task, Event.RESUME)
    return _placed(
        task,
        status=Status.TO_DO if task.attempt == 0 else Status.RETRYING,
        now=now,
        available_at=_from_now(task, now),
        updated_at=later(task, now),
    )


def cancelled(task: Task, *, now: datetime) -> Task:
    """Ended by management; a worker that holds it finds its lease gone."""
    _require(task, Event.CANCEL)
    return _placed(
        _without_lease(task, now),
        status=Status.CANCELLED,
        now=now,
    )


def cascaded(task: Task, *, now: datetime, error: str) -> Task:
    """One that it depends on has not ended well, and it is cancelled for that."""
    _require(task, Event.CASCADE)
    return _placed(
        task._replace(flags=task.flags | CASCADED),
        status=Status.CANCELLED,
        now=now,
        error=error,
        updated_at=later(task, now),
    )


def retried(task: Task, *, now: datetime, waits: bool = False) -> Task:
    """Management gives it all its retries again, at once, in its old place in the order. Where it
    `waits`, not before what it depends on has ended."""
    _require(task, Event.RETRY)
    flags = task.flags & ~CASCADED
    return _placed(
        task._replace(flags=flags | WAITS_FOR_TASKS if waits else flags),
        status=Status.TO_DO,
        now=now,
        available_at=now,
        current_retry_count=0,
        error=None,
        updated_at=later(task, now),
    )


def freed(task: Task, *, now: datetime) -> Task:
    """All that it depends on has ended. The status stays; a delay that is not over still counts."""
    return _placed(
        task._replace(flags=task.flags & ~WAITS_FOR_TASKS),
        status=task.status,
        now=now,
        available_at=_from_now(task, now),
        updated_at=later(task, now),
    )


def adopted(task: Task, needs: int, *, now: datetime) -> Task:
    """It was there before the limits that it has from now on. One that runs has its slots."""
    flags = task.flags | needs
    if task.status == Status.IN_PROGRESS:
        return task._replace(flags=flags | slots_of(needs), updated_at=later(task, now))
    return _placed(
        task._replace(flags=flags, claim_rank=None),
        status=task.status,
        now=now,
        updated_at=later(task, now),
    )


def promoted(task: Task, *, now: datetime) -> Task:
    """The wait is over: claimable now. The status stays."""
    return _placed(
        task,
        status=task.status,
        now=now,
        updated_at=later(task, now),
    )


def patched(task: Task, changes: Mapping[str, Any], *, now: datetime) -> Task:
    """A client changed its columns. What is claimable is so in the rank of its new priority; what
    waits for its time is left to the sweep."""
    new = task._replace(**changes, updated_at=later(task, now))
    if new.claim_rank is None:
        return new
    return _placed(new, status=new.status, now=now)


def replaced(task: Task, new: NewTask, *, now: datetime) -> Task:
    """The task holds a unique key, and got what a client may change from another one, which was
    submitted with that key; debounced, it waits anew. Its id, its place and its age stay.

    Raises `UniqueKeyHeldError` where it runs, and `RetryLimitTooLowError`.
    """
    if task.status == Status.IN_PROGRESS:
        raise UniqueKeyHeldError(
            unique_key=task.unique_key, task_id=task.id, task_status=str(task.status)
        )
    if new.retry_limit < task.current_retry_count:
        raise RetryLimitTooLowError(task_id=task.id, current_retry_count=task.current_retry_count)
    columns = {name: getattr(new, name) for name in _REPLACED}
    row = patched(task, columns | {"tag_names": names_text(new.tag_names)}, now=now)
    assert new.unique is not None
    if new.unique.debounce_seconds is None:
        return row
    available_at = new.unique.put_off(row.available_at, since=row.created_at, now=now)
    return _placed(row, status=row.status, now=now, available_at=available_at)


def _require(task: Task, event: Event) -> None:
    if not allows(task.status, event):
        raise TransitionNotAllowedError(
            task_id=task.id, task_status=str(task.status), done=_DONE_WORDS[event]
        )


def _without_lease(task: Task, now: datetime) -> Task:
    return task._replace(
        lease_token=None,
        lease_seconds=None,
        deadline_at=None,
        claimed_from=None,
        updated_at=later(task, now),
    )


def _placed(task: Task, *, status: Status, now: datetime, **columns: Any) -> Task:
    available_at = columns.get("available_at", task.available_at)
    flags = task.flags & ~_WHILE_OPEN if status in ENDED else task.flags
    if task.claim_rank is None:  # an attempt that ends gives its slots back
        flags &= ~GIVEN
    stands = eligibility(
        status=status,
        priority=task.priority,
        available_at=available_at,
        flags=flags,
        has_turn=had_turn(flags, task.turn_at, task.created_at),
        now=now,
    )
    if stands.claim_rank is None:
        flags &= ~GIVEN
    return task._replace(
        status=status,
        claim_rank=stands.claim_rank,
        sweep_at=stands.sweep_at,
        flags=flags,
        **columns,
    )


def _from_now(task: Task, now: datetime) -> datetime:
    """Since when a task that was out of reach may be claimed: that is how long it waits."""
    return now if task.available_at is None else max(now, task.available_at)


def later(task: Task, now: datetime) -> datetime:
    """`updated_at` after a change at `now`: past the last one, even if another process, whose
    clock is a moment ahead, made that. What is seen of a task so has an order; and whoever knows
    the time of its last change knows whether there was another."""
    return max(now, task.updated_at + MICROSECOND)
