"""One cheap look for everybody who waits."""

from collections.abc import Mapping

from app.db import Connection, marks
from app.states import ENDED

_LOOK = (
    "SELECT %s, COUNT(*) FROM (SELECT 1 FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE queue = %s) LIMIT %s) AS claimable"
)


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
