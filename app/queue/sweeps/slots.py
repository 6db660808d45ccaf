"""Groups that have something to do and could not do it at once: free slots are given to the tasks
that are next, and groups that nobody needs are forgotten. One small batch a call."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.slots import Group
from app.mysql.connection import Connection
from app.queue.deletion import delete_by_key
from app.queue.slot_changes import changes_of

_NEEDED_BY_NONE: Final = "held = 0 AND waiting = 0 AND running IS NULL AND weight IS NULL"
_DUE: Final = (
    f"SELECT queue, group_key, {_NEEDED_BY_NONE} "
    "FROM task_groups FORCE INDEX (ix_task_groups_look_at) "
    "WHERE look_at <= UTC_TIMESTAMP(6) ORDER BY look_at LIMIT %s"
)
_UNUSED: Final = f"{_NEEDED_BY_NONE} AND look_at <= UTC_TIMESTAMP(6)"


class DueGroup(NamedTuple):
    """One that the sweep has to look at."""

    group: Group
    is_unused: bool


async def due(connection: Connection, *, limit: int) -> list[DueGroup]:
    """Those that have been due for longest. A plain read."""
    rows = await connection.fetch(_DUE, (limit,))
    return [DueGroup(Group(queue, key), bool(is_unused)) for queue, key, is_unused in rows]


async def look_at(connection: Connection, *, groups: list[Group]) -> Sequence[object]:
    """Give the slots that are free, but to tasks whose rows somebody else holds. What is moved by
    that is in the list by the commit."""
    changes_of(connection.unsettled).looks.update(groups)
    return connection.also_moved


async def forget(connection: Connection, *, groups: list[Group]) -> None:
    """Delete those that nobody has come to need meanwhile."""
    ids = sorted(group.id for group in groups)
    await delete_by_key(connection, table="task_groups", key="id", values=ids, only=_UNUSED)
