"""What time does to tasks: promotion, time-outs, lost leases. One small batch a call.

Any number of schedulers may run these at once: each takes rows that no other holds. The
loop over batches, and Redis, are the service's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.domain import transitions
from app.domain.states import OUTCOMES, Event, Status
from app.domain.task import Lease, PromisedLease, Task
from app.mysql.connection import Connection
from app.queue import processes, statements
from app.queue.attempts.lifecycle import ended_attempt
from app.queue.processes import Reach
from app.queue.requests import Move

# A worker beats three times a lease; a beat may take so long.
BEAT_SHARE: Final = 1 / 3
BEAT_TIME: Final = timedelta(seconds=1)


async def promote_once(
    connection: Connection, *, status: Status, limit: int, is_newest_first: bool = False
) -> list[Move]:
    """Make tasks claimable whose `available_at` has passed: those that have been due for longest,
    or those that have become so last."""
    now = await connection.now()
    due = await statements.lock_due(
        connection, status=status, now=now, limit=limit, is_newest_first=is_newest_first
    )
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
        "AND deadline_at > UTC_TIMESTAMP(6) AND lease_seconds IS NOT NULL "
        "ORDER BY sweep_at, id LIMIT %s",
        (limit,),
    )
    return [PromisedLease(Lease(task_id, token), seconds) for task_id, token, seconds in rows]


async def settle_leases(
    connection: Connection, *, remaining_seconds: Mapping[Lease, float | None]
) -> list[Move]:
    """Look again after the remaining seconds. Where that is None nothing was heard of the worker,
    and the lease is lost if it could have been: if an API was there.

    Tasks that have moved on meanwhile are left alone.
    """
    now = await connection.now()
    tasks = await statements.lock_tasks(
        connection, [lease.task_id for lease in remaining_seconds], whole=False, skip_locked=True
    )
    reach = await processes.reach(connection) if None in remaining_seconds.values() else None
    extended: list[Move] = []
    lost: list[Task] = []
    for lease, seconds in remaining_seconds.items():
        task = tasks.get(lease.task_id)
        if task is None or task.lease_token != lease.token:
            continue
        if seconds is not None:
            extended.append((task, transitions.extended(task, now=now, seconds=seconds)))
        # A heartbeat that Redis could not take has moved sweep_at on in MySQL: not lost.
        elif task.sweep_at is not None and task.sweep_at <= now:
            proof_in = seconds_to_proof(task, now=now, reach=reach)
            if proof_in is None:
                lost.append(task)
            elif proof_in > 0:
                extended.append((task, transitions.extended(task, now=now, seconds=proof_in)))
    await statements.move(connection, extended)
    return await _end_attempts(connection, lost, now=now, event=Event.LOSE)


def seconds_to_proof(task: Task, *, now: datetime, reach: Reach | None) -> float | None:
    """When it may be known that the worker of a task is lost, of which nothing was heard for as
    long as its lease; None: it is.

    It is once an API was there for as long as the lease, and that not long ago: the last beat that
    it can have heard would still count. 0: as soon as the API is seen again.
    """
    assert task.lease_seconds is not None
    if reach is None:
        return float(processes.GAP_SECONDS)
    lease = timedelta(seconds=task.lease_seconds)
    if reach.until - reach.since < lease:
        return (reach.since + lease - now).total_seconds()
    still_counts = now - reach.until <= (1 - BEAT_SHARE) * lease - BEAT_TIME
    return None if still_counts else 0.0


async def _end_attempts(
    connection: Connection, tasks: list[Task], *, now: datetime, event: Event
) -> list[Move]:
    error = {
        Event.TIME_OUT: "timed out after {0.timeout_seconds} s",
        Event.LOSE: "no heartbeat from the worker for {0.lease_seconds} s",
    }[event]
    moves = [(t, transitions.failed(t, now=now, event=event, error=error.format(t))) for t in tasks]
    await statements.move(connection, moves)
    await statements.insert_attempts(
        connection,
        [ended_attempt(t, now=now, outcome=OUTCOMES[event], error=new.error) for t, new in moves],
    )
    return moves
