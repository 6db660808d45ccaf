"""What stands where: tasks by tag, by queue, status and priority, and how it has gone lately."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.db import Connection
from app.metrics import SweepFigure
from app.queue import counters

LOOK_QUEUES: Final = 100

_FIRST_OF_RANK: Final = (
    "(SELECT %s, TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(6)) / 1e6 "
    "FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s ORDER BY created_at LIMIT 1)"
)


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
    """Every tag that a task has had, with its number of tasks now, by name."""
    counts = await counters.read_tags(connection)
    return sorted((name.removeprefix(counters.TAG), count) for name, count in counts.items())


async def queues(connection: Connection) -> list[QueueState]:
    """Every queue that has tasks or is paused, by name."""
    counts = await counters.read_queues(connection)
    since = counters.since(await connection.now())
    tasks: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    ended: Counter[tuple[str, str]] = Counter()
    for name, count in counts.items():
        kind, *parts = name.split("/")
        if kind == "queue" and count:
            queue, status, priority = parts
            tasks[queue][status, priority] = count
        elif kind == "recent" and name >= since:
            _, queue, what = parts
            ended[queue, what] += count
    rows = await connection.fetch("SELECT queue, paused_at FROM paused_queues")
    paused: dict[str, datetime] = {row[0]: row[1] for row in rows}
    oldest = await _oldest_waiting_seconds(connection, list(tasks))
    return [
        QueueState(
            queue=queue,
            paused_at=paused.get(queue),
            tasks=tasks.get(queue, {}),
            oldest_waiting_seconds=oldest.get(queue),
            recent_done=ended[queue, "done"],
            recent_failed_attempts=ended[queue, "failed"],
        )
        for queue in sorted(tasks.keys() | paused.keys())
    ]


async def _oldest_waiting_seconds(
    connection: Connection, queues: Sequence[str]
) -> dict[str, float]:
    """Age of each queue's oldest claimable task: the first of each rank on the claim's index."""
    found: dict[str, float] = {}
    for begin in range(0, len(queues), LOOK_QUEUES):
        firsts = [
            (queue, rank) for queue in queues[begin : begin + LOOK_QUEUES] for rank in (0, 1, 2)
        ]
        rows = await connection.fetch(
            " UNION ALL ".join([_FIRST_OF_RANK] * len(firsts)),
            [value for queue, rank in firsts for value in (queue, queue, rank)],
        )
        for queue, seconds in rows:
            found[queue] = max(float(seconds), found.get(queue, 0.0))
    return found
