"""What stands where: tasks by tag, by queue, status and priority, and how it has gone lately."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.domain.states import RANK, WAITING, Priority
from app.mysql.connection import Connection, placeholders
from app.queue.figures import counters
from app.runtime.metrics import SweepFigure

LOOK_QUEUES: Final = 100
# Of each rank so many are looked at, in the order in which they will be claimed: a retry or a task
# that was delayed may stand before one that has waited for longer.
HEAD_TASKS: Final = 20

_HEAD_OF_RANK: Final = (
    "(SELECT %s, MAX(TIMESTAMPDIFF(MICROSECOND, "
    "GREATEST(created_at, COALESCE(available_at, created_at)), UTC_TIMESTAMP(6))) / 1e6 FROM ("
    "SELECT created_at, available_at FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s ORDER BY turn_at LIMIT %s) AS head)"
)
SWEEPS: Final = (
    "SELECT sweep, runs, moved, "
    "TIMESTAMPDIFF(MICROSECOND, last_run_at, UTC_TIMESTAMP(6)) / 1e6 FROM sweep_reports"
)
# DISTINCT skips from queue to queue, however many tasks each has.
_QUEUES: Final = (
    "(SELECT DISTINCT queue FROM tasks FORCE INDEX (ix_tasks_claim) WHERE queue > %s "
    "ORDER BY queue LIMIT %s) "
    "UNION (SELECT queue FROM paused_queues WHERE queue > %s ORDER BY queue LIMIT %s) "
    "ORDER BY queue LIMIT %s"
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


class Queues(NamedTuple):
    """Some queues' standing, and after which name there are more, if there are."""

    states: list[QueueState]
    last: str | None


class Tags(NamedTuple):
    """Some tags with their tasks, and after which name there are more, if there are."""

    counts: list[tuple[str, int]]
    last: str | None


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
    rows = await connection.fetch(SWEEPS)
    return [SweepFigure(sweep, runs, moved, float(age)) for sweep, runs, moved, age in rows]


async def tags(connection: Connection, *, after: str | None, limit: int) -> Tags:
    """The tags that tasks have, with their number, by name. Of so many that are looked at, those
    that no task has any more are left out."""
    # No lower bound at first: to MySQL some names lie before the empty one.
    condition, values = ("TRUE", ()) if after is None else ("name > %s", (after,))
    rows = await connection.fetch(
        f"SELECT name FROM tags FORCE INDEX (ux_tags_name) WHERE {condition} "
        "ORDER BY name LIMIT %s",
        (*values, limit + 1),
    )
    names = [row[0] for row in rows[:limit]]
    counts = await counters.read_some_tags(connection, names)
    return Tags(
        [(name, n) for name in names if (n := counts[f"{counters.TAG}{name}"])],
        names[-1] if len(rows) > limit else None,
    )


async def queues(
    connection: Connection, *, wanted: Collection[str], after: str, limit: int
) -> Queues:
    """The queues that have tasks or are paused, by name; of those `wanted`, if any are named."""
    if wanted:
        found = sorted(queue for queue in set(wanted) if queue > after)
    else:
        rows = await connection.fetch(_QUEUES, (after, limit + 1, after, limit + 1, limit + 1))
        found = [row[0] for row in rows]
    names = found[:limit]
    return Queues(await _states(connection, names), names[-1] if len(found) > limit else None)


async def _states(connection: Connection, names: Sequence[str]) -> list[QueueState]:
    tasks: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    ended: Counter[tuple[str, str]] = Counter()
    for name, count in (await counters.read_some_queues(connection, names)).items():
        kind, queue, *parts = name.split("/")
        if kind == "ended":
            ended[queue, parts[1]] += count
        elif count:
            tasks[queue][parts[0], parts[1]] = count
    paused = await _paused(connection, names)
    oldest = await oldest_waiting_seconds(connection, tasks)
    return [
        QueueState(
            queue=queue,
            paused_at=paused.get(queue),
            tasks=tasks.get(queue, {}),
            oldest_waiting_seconds=oldest.get(queue),
            recent_done=ended[queue, "done"],
            recent_failed_attempts=ended[queue, "failed"],
        )
        for queue in names
        if queue in tasks or queue in paused
    ]


async def _paused(connection: Connection, names: Sequence[str]) -> dict[str, datetime]:
    if not names:
        return {}
    rows = await connection.fetch(
        f"SELECT queue, paused_at FROM paused_queues WHERE queue IN ({placeholders(names)})", names
    )
    return {row[0]: row[1] for row in rows}


async def oldest_waiting_seconds(
    connection: Connection, tasks: Mapping[str, Mapping[tuple[str, str], int]]
) -> dict[str, float]:
    """For how long the tasks at the head of each queue could have been claimed, at most; of queues
    with their tasks by status and priority, where some wait."""
    heads = [
        (queue, RANK[Priority(priority)])
        for queue, counts in tasks.items()
        for priority in {priority for status, priority in counts if status in WAITING}
    ]
    found: dict[str, float] = {}
    for begin in range(0, len(heads), LOOK_QUEUES):
        chunk = heads[begin : begin + LOOK_QUEUES]
        rows = await connection.fetch(
            " UNION ALL ".join([_HEAD_OF_RANK] * len(chunk)),
            [value for queue, rank in chunk for value in (queue, queue, rank, HEAD_TASKS)],
        )
        for queue, seconds in rows:
            if seconds is not None:
                # A process' clock may be a moment ahead of MySQL's.
                found[queue] = max(float(seconds), found.get(queue, 0.0))
    return found
