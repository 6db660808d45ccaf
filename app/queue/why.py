"""What there is to be found of one task, and of what may be in its way: at most six small reads.

None of them waits for a row. The first one says where the task stands; what the others cannot say
in time stays unknown. Each is a transaction of its own, committed by itself, so that the lock of
the look at the row (`_FREE`) is gone before it is answered.
"""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from pymysql import err

from app.domain.ageing import Ageing
from app.domain.errors import TaskNotFoundError
from app.domain.queue_settings import DEFAULTS
from app.domain.slots import limit_of
from app.domain.standing import AHEAD_LIMIT, UNKNOWN, Line, Standing, Unknown, Waits
from app.domain.states import RANK, WAITING, Status
from app.domain.task import LIGHT_ROW, Task, task_of
from app.mysql.connection import Connection
from app.mysql.time_limits import is_out_of_time
from app.queue import workers
from app.queue.figures.pace import read_pace
from app.queue.groups.rows import COLUMNS, standing_of
from app.queue.queue_settings import understood
from app.queue.slot_changes import turn_of
from app.runtime.metrics import SILENT_SECONDS

T = TypeVar("T")

_TASK: Final = (
    f"SELECT {LIGHT_ROW}, UTC_TIMESTAMP(6), "
    "(SELECT paused_at FROM paused_queues WHERE paused_queues.queue = tasks.queue), "
    "(SELECT MAX(last_run_at) FROM sweep_reports), "
    "(SELECT settings FROM queue_settings WHERE queue_settings.queue = tasks.queue) "
    "FROM tasks FORCE INDEX (PRIMARY) WHERE id = %s"
)
# What the locks of others hide is not there to the inner one, and the outer one locks nothing.
_FREE: Final = (
    "SELECT updated_at, (SELECT id FROM tasks FORCE INDEX (PRIMARY) WHERE id = %s "
    "FOR UPDATE SKIP LOCKED) FROM tasks AS seen FORCE INDEX (PRIMARY) WHERE id = %s"
)
_PARENTS: Final = (
    "SELECT parent_id, status FROM task_dependencies FORCE INDEX (ix_task_dependencies_child) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = parent_id WHERE child_id = %s "
    "ORDER BY status IN ('done', 'failed', 'cancelled'), parent_id LIMIT %s"
)
# One walk each: of several ranges MySQL may make one along the whole index.
_AHEAD: Final = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s{} ORDER BY turn_at LIMIT %s) AS ahead"
)
_BEFORE: Final = (
    "(SELECT COUNT(*) FROM (SELECT 1 FROM group_waits FORCE INDEX (ix_group_waits_turn) "
    "WHERE group_id = %s AND {} LIMIT %s) AS ahead)"
)
_LINE: Final = (
    f"SELECT {COLUMNS}, "
    + " + ".join(
        _BEFORE.format(turn)
        for turn in (
            "claim_rank < %s",
            "claim_rank = %s AND turn_at < %s",
            "claim_rank = %s AND turn_at = %s AND task_id < %s",
        )
    )
    + " FROM task_groups FORCE INDEX (PRIMARY) WHERE id = %s"
)


async def look(connection: Connection, task_id: int, *, seconds: float) -> Standing:
    """Where the task stands, what each read but the first says within so many seconds. For a
    connection that commits each statement. Raises `TaskNotFoundError`."""
    standing = await _standing(connection, task_id)
    task, limited = standing.task, connection.in_time(seconds)
    if task.status not in {*WAITING, Status.IN_PROGRESS}:
        return standing
    is_locked = await _in_time(_is_locked(limited, task))
    if task.status in WAITING:
        standing = await _at_queue(limited, standing)
    if is_locked is True:
        # Whoever only passes by, a heartbeat say, is gone by now.
        is_locked = await _in_time(_is_locked(limited, task))
    return standing._replace(is_row_locked=is_locked)


async def _at_queue(connection: Connection, standing: Standing) -> Standing:
    task = standing.task
    polled_at = await _in_time(workers.last_poll(connection, task.queue))
    standing = standing._replace(polled_at=polled_at)
    if standing.is_waiting_for_tasks:
        standing = standing._replace(waits=await _in_time(_waits(connection, task)))
    elif standing.is_waiting_for_slot:
        standing = standing._replace(line=await _in_time(_line(connection, standing)))
    if task.claim_rank is not None:
        ahead = _ahead(connection, task, standing.ageing)
        standing = standing._replace(ahead=await _in_time(ahead))
    if standing.ahead in (0, UNKNOWN) and not standing.has_no_worker:
        return standing
    pace = await _in_time(read_pace(connection, task.queue, now=standing.now))
    return standing._replace(pace=UNKNOWN if pace is None else pace)


async def _is_locked(connection: Connection, task: Task) -> bool:
    """Whether another transaction has the row, and has not just moved it on."""
    rows = await connection.fetch(_FREE, (task.id, task.id))
    if not rows:
        raise TaskNotFoundError(task_id=task.id)
    ((updated_at, free),) = rows
    return free is None and updated_at == task.updated_at


async def _waits(connection: Connection, task: Task) -> Waits:
    rows = await connection.fetch(_PARENTS, (task.id, AHEAD_LIMIT + 1))
    return Waits([(task_id, status) for task_id, status in rows])


async def _line(connection: Connection, standing: Standing) -> Line:
    stands = turn_of(standing.task)
    assert stands is not None
    group, (rank, turn_at, task_id) = stands
    most = AHEAD_LIMIT + 1
    before = [
        *(group.id, rank, most),
        *(group.id, rank, turn_at, most),
        *(group.id, rank, turn_at, task_id, most),
    ]
    key, limits = None if group.is_queues_own else group.key, standing.limits
    rows = await connection.fetch(_LINE, [*before, group.id])
    if not rows:
        return Line(key, 0, limit_of(group, None, limits), 0)
    ((*row, ahead),) = rows
    found = standing_of(row)
    return Line(
        key,
        found.held,
        found.limit(limits),
        ahead,
        is_paced=found.rate(limits) is not None and (found.is_full or found.look_at is not None),
        next_at=found.look_at,
    )


async def _ahead(connection: Connection, task: Task, ageing: Ageing | None) -> int:
    own, turn_at = task.claim_rank, task.turn_at
    assert own is not None
    parts: list[tuple[str, Sequence[Any]]] = [
        (" AND turn_at < %s", (task.queue, own, turn_at)),
        (" AND turn_at = %s AND id < %s", (task.queue, own, turn_at, task.id)),
    ]
    for rank in sorted({*RANK.values()} - {own}):
        alike = None if ageing is None else ageing.turn_alike(own, turn_at, rank)
        if alike is not None:
            until = " AND turn_at <= %s" if rank < own else " AND turn_at < %s"
            parts.append((until, (task.queue, rank, alike)))
        elif rank < own:
            parts.append(("", (task.queue, rank)))
    rows = await connection.fetch(
        " UNION ALL ".join(_AHEAD.format(until) for until, _ in parts),
        [value for _, values in parts for value in (*values, AHEAD_LIMIT + 1)],
    )
    return sum(count for (count,) in rows)


async def _in_time(read: Awaitable[T]) -> T | Unknown:
    try:
        return await read
    except err.MySQLError as error:
        if is_out_of_time(error):
            return UNKNOWN
        raise


async def _standing(connection: Connection, task_id: int) -> Standing:
    rows = await connection.fetch(_TASK, (task_id,))
    if not rows:
        raise TaskNotFoundError(task_id=task_id)
    ((row, now, paused_at, swept_at, settings),) = rows
    task = task_of(row)
    ageing, limits = DEFAULTS if settings is None else understood(task.queue, settings)
    is_swept = _is_recent(swept_at, now)
    return Standing(task, now, paused_at, swept_at, is_swept, ageing, limits)


def _is_recent(swept_at: datetime | None, now: datetime) -> bool:
    return swept_at is not None and (now - swept_at).total_seconds() <= SILENT_SECONDS
