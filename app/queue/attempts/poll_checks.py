"""One cheap look for everybody who waits."""

from collections.abc import Mapping
from typing import Final

from app.domain.states import ENDED, RANK
from app.mysql.connection import Connection, placeholders
from app.queue.attempts.claim_looks import FEW_QUEUES, FROM_BEGIN, present
from app.queue.attempts.claim_marks import LATE_COMMITS, Look, Mark, RankMarks

_CLAIMABLE: Final = (
    "SELECT %s, COUNT(*) FROM (SELECT 1 FROM tasks FORCE INDEX (ix_tasks_claim) "
    f"WHERE {FROM_BEGIN} "
    "AND NOT EXISTS (SELECT 1 FROM paused_queues WHERE queue = %s) LIMIT %s) AS claimable"
)


async def claimable(
    connection: Connection, wanted: Mapping[str, int], looks: Mapping[str, Look]
) -> dict[str, int]:
    """For each queue how many tasks could be claimed now, counted up to what is wanted."""
    queues = list(wanted)
    if len(queues) > FEW_QUEUES:
        queues = await present(connection, looks)
    if not queues:
        return {}
    values: list[object] = []
    for queue in queues:
        values += (queue, queue, *looks[queue].begin, queue, wanted[queue])
    rows = await connection.fetch(" UNION ALL ".join([_CLAIMABLE] * len(queues)), values)
    return {queue: count for queue, count in rows if count}


async def dry(connection: Connection) -> RankMarks:
    """Where a queue begins in which a look has found nothing."""
    return (Mark(await connection.now() - LATE_COMMITS),) * len(RANK)


async def ended(connection: Connection, wanted: Mapping[int, int]) -> dict[int, int]:
    """Those of the tasks that have ended or are gone, with the callers that wait for each."""
    rows = await connection.fetch(
        f"SELECT id, status FROM tasks WHERE id IN ({placeholders(wanted)})",
        tuple(wanted),
    )
    running = {task_id for task_id, status in rows if status not in ENDED}
    return {task_id: count for task_id, count in wanted.items() if task_id not in running}
