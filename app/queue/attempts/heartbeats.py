"""Heartbeats against MySQL: who still holds its task, and what Redis could not take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain import transitions
from app.domain.errors import RowBusyError, RowlockError, TaskNotFoundError
from app.domain.task import Lease
from app.mysql.connection import Connection, placeholders
from app.queue import statements
from app.queue.lists.reading import get_tasks, outcomes_by_lease, stale


class ActiveLease(NamedTuple):
    """A lease that holds its task."""

    deadline_at: datetime
    lease_seconds: int | None


async def active_leases(
    connection: Connection, leases: Sequence[Lease]
) -> tuple[datetime, dict[Lease, ActiveLease | RowlockError]]:
    """MySQL's time, and for each lease what bounds it or why it no longer counts."""
    now = await connection.now()
    rows = await connection.fetch(
        "SELECT id, lease_token, deadline_at, lease_seconds FROM tasks "
        f"WHERE id IN ({placeholders(leases)})",
        tuple(lease.task_id for lease in leases),
    )
    holders = {Lease(row[0], row[1]): ActiveLease(row[2], row[3]) for row in rows}
    refused = await _refused(connection, [lease for lease in leases if lease not in holders])
    return now, {**holders, **refused}


async def put_off(
    connection: Connection, remaining_seconds: Mapping[Lease, float], *, skip_locked: bool
) -> dict[Lease, RowlockError]:
    """Tell the sweep not to look at these leases, which promise heartbeats, before the last one
    runs out; those that no longer count, with the reason. With `skip_locked` those whose row
    somebody else holds are among these."""
    now = await connection.now()
    ids = {lease.task_id for lease in remaining_seconds}
    tasks = await statements.lock_tasks(connection, ids, whole=False, skip_locked=skip_locked)
    active = {
        lease: tasks[lease.task_id]
        for lease in remaining_seconds
        if lease.task_id in tasks and tasks[lease.task_id].lease_token == lease.token
    }
    await statements.move(
        connection,
        [
            (task, transitions.extended(task, now=now, seconds=remaining_seconds[lease]))
            for lease, task in active.items()
        ],
    )
    return await _refused(connection, [lease for lease in remaining_seconds if lease not in active])


async def _refused(connection: Connection, leases: Sequence[Lease]) -> dict[Lease, RowlockError]:
    ids = {lease.task_id for lease in leases}
    tasks = await get_tasks(connection, ids, whole=False)
    known = [lease for lease in leases if lease.task_id in tasks]
    outcomes = await outcomes_by_lease(connection, known, tasks)

    def reason(lease: Lease) -> RowlockError:
        task = tasks.get(lease.task_id)
        if task is None:
            return TaskNotFoundError(task_id=lease.task_id)
        # It holds its task, and yet its row was not to be had.
        return (
            RowBusyError() if task.lease_token == lease.token else stale(task, outcomes.get(lease))
        )

    return {lease: reason(lease) for lease in leases}
