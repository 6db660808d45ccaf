"""What time does to tasks: promotion, time-outs, lost leases. One small batch a call.

Any number of schedulers may run these at once: each takes rows that no other holds. The
loop over batches, and Redis, are the service's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app import transitions
from app.db import Connection
from app.queue import statements
from app.queue.calls import Move
from app.queue.lifecycle import ended_attempt
from app.states import Event, Outcome, Status
from app.task import Lease, PromisedLease, Task


async def promote_once(connection: Connection, *, status: Status, limit: int) -> list[Move]:
    """Make tasks claimable whose `available_at` has passed."""
    now = await connection.now()
    due = await statements.lock_due(connection, status=status, now=now, limit=limit)
    moves = [(task, transitions.promoted(task, now=now)) for task in due]
    await statements.move(connection, moves)
    return moves


async def time_out_once(connection: Connection, *, limit: int) -> list[Move]:
    """End attempts whose deadline has passed."""
    now = await connection.now()
    late = await statements.lock_due(connection, status=Status.IN_PROGRESS, now=now, limit=limit)
    return await _end_attempts(connection, late, now=now, event=Event.TIME_OUT)


async def due_leases(connection: Connection, *, limit: int) -> list[PromisedLease]:
    """Leases whose worker should have been heard of by now, by a plain read: no row is locked
    while Redis is asked."""
    rows = await connection.fetch(
        "SELECT id, lease_token, lease_seconds FROM tasks FORCE INDEX (ix_tasks_sweep) "
        "WHERE status = 'in_progress' AND sweep_at <= UTC_TIMESTAMP(6) "
        "AND deadline_at > UTC_TIMESTAMP(6) ORDER BY sweep_at, id LIMIT %s",
        (limit,),
    )
    return [PromisedLease(Lease(task_id, token), seconds) for task_id, token, seconds in rows]


async def settle_leases(
    connection: Connection, *, remaining_seconds: Mapping[Lease, float | None]
) -> list[Move]:
    """Look again after the remaining seconds; where that is None, the lease is lost.

    Tasks that have moved on meanwhile are left alone.
    """
    now = await connection.now()
    tasks = await statements.lock_tasks(
        connection, [lease.task_id for lease in remaining_seconds], whole=False, skip_locked=True
    )
    held = [
        (tasks[lease.task_id], seconds)
        for lease, seconds in remaining_seconds.items()
        if lease.task_id in tasks and tasks[lease.task_id].lease_token == lease.token
    ]
    extended = [
        (task, extend(task, now=now, seconds=seconds))
        for task, seconds in held
        if seconds is not None
    ]
    await statements.move(connection, extended)
    # A heartbeat that Redis could not take has moved sweep_at on in MySQL: not lost.
    gone = [
        task
        for task, seconds in held
        if seconds is None and task.sweep_at is not None and task.sweep_at <= now
    ]
    return await _end_attempts(connection, gone, now=now, event=Event.LOSE)


def extend(task: Task, *, now: datetime, seconds: float) -> Task:
    """The sweep looks again then, or at the deadline."""
    assert task.deadline_at is not None
    return task._replace(sweep_at=min(task.deadline_at, now + timedelta(seconds=seconds)))


async def _end_attempts(
    connection: Connection, tasks: list[Task], *, now: datetime, event: Event
) -> list[Move]:
    outcome, error = {
        Event.TIME_OUT: (Outcome.TIMED_OUT, "timed out after {0.timeout_seconds} s"),
        Event.LOSE: (Outcome.LOST, "the worker's heartbeats stopped for {0.lease_seconds} s"),
    }[event]
    moves = [(t, transitions.failed(t, now=now, event=event, error=error.format(t))) for t in tasks]
    await statements.move(connection, moves)
    await statements.insert_attempts(
        connection,
        [ended_attempt(t, now=now, outcome=outcome, error=new.error) for t, new in moves],
    )
    return moves
