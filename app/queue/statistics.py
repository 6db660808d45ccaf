"""What stands where: tasks by tag, by queue, status and priority, and how it has gone lately."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from app.db import Connection
from app.metrics import SweepFigure

RECENT_MINUTES: Final = 5


class QueueState(NamedTuple):
    """One queue's standing."""

    queue: str
    paused_at: datetime | None
    # (status, priority) → tasks
    tasks: dict[tuple[str, str], int]
    oldest_waiting_seconds: float | None
    recent_done: int
    recent_failed_attempts: int


async def report_sweep(connection: Connection, *, sweep: str, runs: int, moved: int) -> None:
    """Add to what is known of a sweep."""
    await connection.execute(
        "INSERT INTO sweep_reports (sweep, runs, moved, last_run_at) "
        "VALUES (%s, %s, %s, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE "
        "runs = runs + %s, moved = moved + %s, last_run_at = UTC_TIMESTAMP(6)",
        (sweep, runs, moved, runs, moved),
    )


async def sweeps(connection: Connection) -> list[SweepFigure]:
    """Every sweep that has been reported."""
    rows = await connection.fetch(
        "SELECT sweep, runs, moved, "
        "TIMESTAMPDIFF(MICROSECOND, last_run_at, UTC_TIMESTAMP(6)) / 1e6 FROM sweep_reports"
    )
    return [SweepFigure(sweep, runs, moved, float(age)) for sweep, runs, moved, age in rows]


async def tags(connection: Connection) -> list[tuple[str, int]]:
    """Every tag with its number of tasks, by name."""
    rows = await connection.fetch(
        "SELECT name, COUNT(task_id) FROM tags LEFT JOIN task_tags ON tag_id = tags.id "
        "GROUP BY tags.id, name ORDER BY name",
    )
    return [(name, count) for name, count in rows]


async def queues(connection: Connection) -> list[QueueState]:
    """Every queue that has tasks or is paused, by name."""
    counts = await connection.fetch(
        "SELECT queue, status, priority, COUNT(*) FROM tasks GROUP BY queue, status, priority",
    )
    by_queue: dict[str, dict[tuple[str, str], int]] = {}
    for queue, status, priority, count in counts:
        by_queue.setdefault(queue, {})[status, priority] = count
    paused = await _by_queue(connection, "SELECT queue, paused_at FROM paused_queues")
    since = f"UTC_TIMESTAMP(6) - INTERVAL {RECENT_MINUTES} MINUTE"
    done = await _by_queue(
        connection,
        f"SELECT queue, COUNT(*) FROM tasks WHERE completed_at > {since} GROUP BY queue",
    )
    failed = await _by_queue(
        connection,
        "SELECT queue, COUNT(*) FROM task_attempts JOIN tasks ON tasks.id = task_id "
        f"WHERE finished_at > {since} AND outcome IN ('failed', 'timed_out', 'lost') "
        "GROUP BY queue",
    )
    return [
        QueueState(
            queue=queue,
            paused_at=paused.get(queue),
            tasks=by_queue.get(queue, {}),
            oldest_waiting_seconds=await _oldest_waiting_seconds(connection, queue),
            recent_done=done.get(queue, 0),
            recent_failed_attempts=failed.get(queue, 0),
        )
        for queue in sorted(by_queue.keys() | paused.keys())
    ]


async def _by_queue(connection: Connection, statement: str) -> dict[str, Any]:
    return {row[0]: row[1] for row in await connection.fetch(statement)}


async def _oldest_waiting_seconds(connection: Connection, queue: str) -> float | None:
    """Age of the oldest claimable task: the first of each rank on the claim's index."""
    first_of_rank = (
        "(SELECT created_at FROM tasks FORCE INDEX (ix_tasks_claim) "
        "WHERE queue = %s AND claim_rank = %s ORDER BY created_at LIMIT 1)"
    )
    ((seconds,),) = await connection.fetch(
        "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) / 1e6 FROM ("
        + " UNION ALL ".join([first_of_rank] * 3)
        + ") AS oldest",
        (queue, 0, queue, 1, queue, 2),
    )
    return None if seconds is None else float(seconds)
