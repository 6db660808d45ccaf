"""A task's row without a database, in any state, and the rules every row obeys."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.states import RANK, WAITING, Backoff, Priority, Status
from app.domain.task import NewTask, Task

NOW = datetime(2030, 1, 2, 3, 4, 5)  # noqa: DTZ001  (naive UTC, as MySQL gives it)
TOKEN = "1" * 32

_STATES: dict[Status, dict[str, Any]] = {
    Status.TO_DO: {"claim_rank": 1},
    Status.IN_PROGRESS: {
        "attempt": 1,
        "claimed_from": Status.TO_DO,
        "lease_token": TOKEN,
        "worker": "a-worker",
        "started_at": NOW,
        "deadline_at": NOW + timedelta(seconds=300),
        "sweep_at": NOW + timedelta(seconds=300),
    },
    Status.DONE: {"attempt": 1, "completed_at": NOW, "finish_token": TOKEN, "result": "1"},
    Status.PAUSED: {},
    Status.RETRYING: {"attempt": 1, "current_retry_count": 1, "claim_rank": 1, "error": "broke"},
    Status.FAILED: {"attempt": 4, "current_retry_count": 3, "error": "broke"},
    Status.CANCELLED: {},
}


def a_new_task(**fields: Any) -> NewTask:
    """What a client submits who says no more than a title."""
    task = NewTask(
        title="a task",
        description=None,
        priority=Priority.MEDIUM,
        queue="default",
        tag_names=(),
        due_date=None,
        timeout_seconds=300,
        retry_limit=3,
        retry_delay_seconds=5,
        retry_backoff=Backoff.EXPONENTIAL,
        available_at=None,
        payload=None,
    )
    return task._replace(**fields)


def a_row(status: Status, **fields: Any) -> Task:
    """A row in `status`, of medium priority, with a retry limit of 3."""
    row = Task(
        id=7,
        title="a task",
        description=None,
        status=status,
        priority=Priority.MEDIUM,
        queue="default",
        tag_names=None,
        due_date=None,
        timeout_seconds=300,
        retry_limit=3,
        retry_delay_seconds=5,
        retry_backoff=Backoff.FIXED,
        current_retry_count=0,
        created_at=NOW,
        updated_at=NOW,
        completed_at=None,
        available_at=None,
        started_at=None,
        payload=None,
        result=None,
        error=None,
        claim_rank=None,
        turn_at=NOW,
        sweep_at=None,
        attempt=0,
        lease_token=None,
        lease_seconds=None,
        worker=None,
        deadline_at=None,
        claimed_from=None,
        finish_token=None,
        traceparent=None,
        origin=None,
        flags=0,
        unique_key=None,
        group_key=None,
    )
    return row._replace(**_STATES[status])._replace(**fields)


def rules_broken(row: Task) -> list[str]:
    """What the schema's CHECKs would refuse of the row, in words."""
    runs, done = row.status == Status.IN_PROGRESS, row.status == Status.DONE
    waits = row.status in WAITING
    rules = {
        "a deadline in progress only": (row.deadline_at is not None) == runs,
        "a lease in progress only": (row.lease_token is not None) == runs,
        "a state to go back to in progress only": (row.claimed_from is not None) == runs,
        "a lease's length in progress only": runs or row.lease_seconds is None,
        "completed_at when done only": (row.completed_at is not None) == done,
        "the finishing lease when done only": (row.finish_token is not None) == done,
        "a rank while waiting only": waits or row.claim_rank is None,
        "the priority's rank": row.claim_rank in (None, RANK[Priority(row.priority)]),
        "claimable, or known to the sweep": not waits
        or (row.claim_rank is None) == (row.sweep_at is not None),
        "no sweep over what neither waits nor runs": waits or runs or row.sweep_at is None,
        "a running task known to the sweep": not runs or row.sweep_at is not None,
        "no more retries than allowed": 0 <= row.current_retry_count <= row.retry_limit,
    }
    return [rule for rule, holds in rules.items() if not holds]
