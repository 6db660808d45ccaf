"""Heartbeats against MySQL: who still holds its task, and what Redis could not take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.db import Connection, marks
from app.errors import RowlockError, TaskNotFoundError
from app.queue import statements
from app.queue.lifecycle import stale
from app.queue.reading import get_tasks, outcomes_by_lease
from app.queue.sweep import extend
from app.task import Lease


class Held(NamedTuple):
    """A lease that holds its task."""

    deadline_at: datetime
    lease_seconds: int | None


async def held(
    connection: Connection, leases: Sequence[Lease]
) -> tuple[datetime, dict[Lease, Held | RowlockError]]:
    """MySQL's time, and for each lease what bounds it or why it no longer counts."""
    now = await connection.now()
    rows = await connection.fetch(
        "SELECT id, lease_token, deadline_at, lease_seconds FROM tasks "
        f"WHERE id IN ({marks(leases)})",
        tuple(lease.task_id for lease in leases),
    )
    holders = {Lease(row[0], row[1]): Held(row[2], row[3]) for row in rows}
    refused = await _refused(connection, [lease for lease in leases if lease not in holders])
    return now, {**holders, **refused}


async def put_off(
    connection: Connection, remaining_seconds: Mapping[Lease, float]
) -> dict[Lease, RowlockError]:
    """Tell the sweep not to look at these leases before their heartbeat runs out; those that
    no longer count, with the reason."""
    now = await connection.now()
    tasks = await statements.lock_tasks(
        connection, [lease.task_id for lease in remaining_seconds], whole=False
    )
    held = {
        lease: tasks[lease.task_id]
        for lease in remaining_seconds
        if lease.task_id in tasks and tasks[lease.task_id].lease_token == lease.token
    }
    await statements.move(
        connection,
        [
            (task, extend(task, now=now, seconds=remaining_seconds[lease]))
            for lease, task in held.items()
        ],
    )
    return await _refused(connection, [lease for lease in remaining_seconds if lease not in held])


async def _refused(connection: Connection, leases: Sequence[Lease]) -> dict[Lease, RowlockError]:
    tasks = await get_tasks(connection, {lease.task_id for lease in leases})
    known = [lease for lease in leases if lease.task_id in tasks]
    outcomes = await outcomes_by_lease(connection, known, tasks)
    return {
        lease: stale(tasks[lease.task_id], outcomes.get(lease))
        if lease.task_id in tasks
        else TaskNotFoundError(task_id=lease.task_id)
        for lease in leases
    }
