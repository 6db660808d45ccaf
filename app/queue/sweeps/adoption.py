"""Tasks that were there before their queue's limits get them; and groups learn of new limits. One
small batch a call.

From `adopts_from` on each process knows the limits, and submits tasks that have them. A transaction
that began before may be committed a while later: only a walk that begins after that, and finds
nothing, is the last one.
"""

from datetime import datetime
from itertools import product
from typing import Any, Final, NamedTuple

from app.domain import transitions
from app.domain.slots import QUEUES_OWN, Group, Limits
from app.domain.states import ENDED, Priority, Status
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.queue_settings import understood
from app.queue.requests import Move
from app.queue.slot_changes import changes_of

# What runs first: it has its slots in any case. Then in the order of claims.
_STATUSES: Final = (Status.IN_PROGRESS, Status.RETRYING, Status.TO_DO, Status.PAUSED)
# And once more at the end: who is claimed meanwhile goes from what comes to what has been.
PARTS: Final = tuple(product((*_STATUSES, Status.IN_PROGRESS), Priority))
_DUE: Final = (
    "SELECT queue, settings, adopts_from, UTC_TIMESTAMP(6) "
    "FROM queue_settings FORCE INDEX (ix_queue_settings_adopts_from) "
    "WHERE adopts_from <= UTC_TIMESTAMP(6)"
)
_OVER: Final = "UPDATE queue_settings SET adopts_from = NULL WHERE queue = %s AND adopts_from = %s"
_TASKS: Final = (
    "SELECT id, created_at, flags, group_key FROM tasks FORCE INDEX (ix_tasks_list) "
    "WHERE status = %s AND queue = %s AND priority = %s AND created_at >= %s "
    "AND (created_at > %s OR id > %s) ORDER BY created_at, id LIMIT %s"
)
_GROUPS: Final = (
    "SELECT group_key FROM task_groups FORCE INDEX (ix_task_groups_queue) "
    "WHERE queue = %s AND {} AND waiting > 0 ORDER BY queue, group_key, id LIMIT %s"
)


class DueQueue(NamedTuple):
    """A queue whose limits have changed."""

    queue: str
    limits: Limits
    adopts_from: datetime
    now: datetime


class Position(NamedTuple):
    """How far the walk through tasks of one status and priority has come."""

    created_at: datetime = datetime(1970, 1, 1)  # noqa: DTZ001  (naive UTC, as MySQL gives it)
    id: int = 0


class Adopted(NamedTuple):
    """Where to go on, None: that was the end; and who got limits, but for rows that somebody
    holds."""

    after: Position | None
    moves: list[Move]
    is_clean: bool


async def due(connection: Connection) -> list[DueQueue]:
    """A plain read."""
    rows = await connection.fetch(_DUE)
    return [DueQueue(queue, understood(queue, text).limits, *at) for queue, text, *at in rows]


async def adopt(
    connection: Connection,
    *,
    of: DueQueue,
    status: Status,
    priority: Priority,
    after: Position,
    limit: int,
) -> Adopted:
    """Look at so many tasks, and give those the limits that do not have them."""
    since = after.created_at
    values = (str(status), of.queue, str(priority), since, since, after.id, limit)
    found = await connection.fetch(_TASKS, values)
    needs = {i: of.limits.needs(key) for i, _, _, key in found}
    wanted = {i: needs[i] for i, _, flags, _ in found if needs[i] & ~flags}
    tasks = await statements.lock_tasks(connection, wanted, whole=False, skip_locked=True)
    now = await connection.now()
    moves = [
        (task, transitions.adopted(task, wanted[task.id], now=now))
        for task in tasks.values()
        if task.status not in ENDED and wanted[task.id] & ~task.flags
    ]
    await statements.move(connection, moves)
    last = Position(found[-1][1], found[-1][0]) if len(found) == limit else None
    return Adopted(last, moves, is_clean=not wanted)


async def look_at_groups(
    connection: Connection, *, queue: str, after: str | None, limit: int
) -> str | None:
    """Give slots that are free by new limits to who waits, of so many groups; the last of
    these."""
    looks = changes_of(connection.unsettled).looks
    # To MySQL keys that differ in spaces at their ends are equal, and some are less than the empty
    # one: the ids tell them apart.
    condition: str = "TRUE"
    values: tuple[Any, ...] = ()
    if after is None:
        looks.add(Group(queue, QUEUES_OWN))
    else:
        condition = "group_key >= %s AND (group_key > %s OR id > %s)"
        values = (after, after, Group(queue, after).id)
    found = await connection.fetch(_GROUPS.format(condition), (queue, *values, limit))
    keys = [key for (key,) in found]
    looks.update(Group(queue, key) for key in keys)
    return keys[-1] if len(keys) == limit else None


async def end(connection: Connection, *, of: DueQueue) -> None:
    """All have their limits, unless these were changed again."""
    await connection.execute(_OVER, (of.queue, of.adopts_from))
