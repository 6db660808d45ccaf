"""Ended tasks that are old enough to go. One small batch a call."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.domain.dependency import HAS_DEPENDENTS
from app.domain.states import ENDED
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.attempts.claim_marks import BEGINNING
from app.queue.dependencies.reach import needed_of

# Along the order of creation: what was created later cannot have ended before. Each batch goes
# on where the last one ended, past what stays and past what InnoDB has not removed yet.
_LOOK: Final = (
    "SELECT id, created_at, status, updated_at FROM tasks FORCE INDEX (ix_tasks_created) "
    "WHERE created_at >= %s AND created_at < %s AND (created_at, id) > (%s, %s) "
    "ORDER BY created_at, id LIMIT %s"
)


class Place(NamedTuple):
    """How far the walk through old tasks has come."""

    created_at: datetime
    id: int


FIRST: Final = Place(BEGINNING, 0)


class Look(NamedTuple):
    """The tasks that may be deleted, and where to look on; None: this was the end."""

    ids: list[int]
    next: Place | None


async def look(connection: Connection, *, days: int, after: Place, limit: int) -> Look:
    """Look at so many tasks, without locks."""
    before = await connection.now() - timedelta(days=days)
    rows = await connection.fetch(
        _LOOK, (after.created_at, before, after.created_at, after.id, limit)
    )
    ids = [row[0] for row in rows if row[2] in ENDED and row[3] < before]
    return Look(ids, Place(rows[-1][1], rows[-1][0]) if len(rows) == limit else None)


async def delete_ended(connection: Connection, *, ids: Sequence[int], days: int) -> list[Task]:
    """Delete those that still have ended so long ago, but for rows that somebody else holds, and
    those on which a task depends that has not ended."""
    before = await connection.now() - timedelta(days=days)
    found = await statements.lock_tasks(connection, ids, whole=False, skip_locked=True)
    old = [t for t in found.values() if t.status in ENDED and t.updated_at < before]
    # Who depends on one may want its result yet.
    needed = await needed_of(connection, [t.id for t in old if t.flags & HAS_DEPENDENTS])
    old = [task for task in old if task.id not in needed]
    if old:
        await statements.delete_tasks(connection, old)
    return old
