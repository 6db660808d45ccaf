"""Heartbeats against MySQL: who still holds its task, and what Redis could not take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import fetch, marks, read_clock
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
    connection: AsyncConnection, leases: Sequence[Lease]
) -> tuple[datetime, dict[Lease, Held | RowlockError]]:
    """MySQL's time, and for each lease what bounds it or why it no longer counts."""
    now = await read_clock(connection)
    rows = await fetch(
        connection,
        "SELECT id, lease_token, deadline_at, lease_seconds FROM tasks "
        f"WHERE id IN ({marks(leases)})",
        tuple(lease.task_id for lease in leases),
    )
    holders = {Lease(row[0], row[1]): Held(row[2], row[3]) for row in rows}
    late = [lease for lease in leases if lease not in holders]
    tasks = await get_tasks(connection, {lease.task_id for lease in late})
    known = [lease for lease in late if lease.task_id in tasks]
    outcomes = await outcomes_by_lease(connection, known, tasks)
    answers: dict[Lease, Held | RowlockError] = dict(holders)
    for lease in late:
        task = tasks.get(lease.task_id)
        answers[lease] = (
            TaskNotFoundError(task_id=lease.task_id)
            if task is None
            else stale(task, outcomes.get(lease))
        )
    return now, answers


async def put_off(connection: AsyncConnection, remaining_seconds: Mapping[Lease, float]) -> None:
    """Tell the sweep not to look at these leases before their heartbeat runs out."""
    now = await read_clock(connection)
    tasks = await statements.lock_tasks(
        connection, [lease.task_id for lease in remaining_seconds], whole=False
    )
    await statements.move(
        connection,
        [
            (tasks[lease.task_id], extend(tasks[lease.task_id], now=now, seconds=seconds))
            for lease, seconds in remaining_seconds.items()
            if lease.task_id in tasks and tasks[lease.task_id].lease_token == lease.token
        ],
    )
