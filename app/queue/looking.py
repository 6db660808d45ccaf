"""One cheap look for everybody who waits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from app.db import Connection, marks
from app.queue.low_water import Heads
from app.states import ENDED

_LOOK = (
    "SELECT %s, COUNT(*) FROM (SELECT 1 FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE queue = %s) LIMIT %s) AS claimable"
)
_FRONT: Final = (
    "SELECT %s, %s, COUNT(*), MIN(created_at) FROM ("
    "SELECT created_at FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s AND created_at >= %s "
    "ORDER BY created_at LIMIT %s) AS front"
)


class Front(NamedTuple):
    """A rank's first claimable task, and how many there are, counted no further than wanted."""

    begins_at: datetime
    tasks: int


Fronts = dict[int, Front]
"""A queue's, by rank; those that are empty are not among them."""


async def fronts(
    connection: Connection, heads: Mapping[str, Heads], *, limit: int
) -> dict[str, Fronts]:
    """For each queue the ranks that might be dry and are not. No locks."""
    asked = [
        (queue, rank, queue, rank, head.begins_at, limit)
        for queue, by_rank in heads.items()
        for rank, head in enumerate(by_rank)
        if head.may_be_dry
    ]
    found: dict[str, Fronts] = {queue: {} for queue in heads}
    if asked:
        rows = await connection.fetch(
            " UNION ALL ".join([_FRONT] * len(asked)), [value for one in asked for value in one]
        )
        for queue, rank, count, begins_at in rows:
            if count:
                found[queue][rank] = Front(begins_at, count)
    return found


async def claimable(connection: Connection, wanted: Mapping[str, int]) -> dict[str, int]:
    """For each queue how many tasks could be claimed now, counted up to what is wanted."""
    statement = " UNION ALL ".join([_LOOK] * len(wanted))
    values = [v for queue, limit in wanted.items() for v in (queue, queue, queue, limit)]
    rows = await connection.fetch(statement, tuple(values))
    return {queue: count for queue, count in rows if count}


async def ended(connection: Connection, wanted: Mapping[int, int]) -> dict[int, int]:
    """Those of the tasks that have ended or are gone, with the callers that wait for each."""
    rows = await connection.fetch(
        f"SELECT id, status FROM tasks WHERE id IN ({marks(wanted)})",
        tuple(wanted),
    )
    running = {task_id for task_id, status in rows if status not in ENDED}
    return {task_id: count for task_id, count in wanted.items() if task_id not in running}
