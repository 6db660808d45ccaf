"""How the groups of a queue stand. Plain reads."""

from typing import Final, NamedTuple

from app.domain.slots import Group, limit_of
from app.mysql.connection import Connection
from app.queue.groups.rows import COLUMNS, standing_of
from app.queue.queue_settings import read_settings

# Some that nobody needs are still there. To MySQL keys that differ in spaces at their ends are
# equal, and some are less than the empty one: the ids tell them apart.
_PAGE: Final = (
    f"SELECT {COLUMNS} FROM task_groups FORCE INDEX (ix_task_groups_queue) "
    "WHERE queue = %s AND id <> %s AND {} ORDER BY queue, group_key, id LIMIT %s"
)
_ANY: Final = "(held > 0 OR waiting > 0 OR running IS NOT NULL)"
_WAITING: Final = "waiting > 0"
_AFTER: Final = " AND group_key >= %s AND (group_key > %s OR id > %s)"
_ONE: Final = f"SELECT {COLUMNS} FROM task_groups FORCE INDEX (PRIMARY) WHERE id = %s"


class GroupState(NamedTuple):
    """How many of its tasks have a slot, and how many wait for one; how many may have one, None:
    any number."""

    group: str
    held: int
    waiting: int
    running_limit: int | None


class Groups(NamedTuple):
    """Some groups, and after which key there are more, if there are."""

    states: list[GroupState]
    last: str | None


async def page(
    connection: Connection, *, queue: str, is_waiting: bool, after: str | None, limit: int
) -> Groups:
    """Groups of the queue by key: those that have tasks with slots, tasks that wait or limits of
    their own; or only those in which tasks wait."""
    condition, values = _WAITING if is_waiting else _ANY, [queue, Group(queue, "").id]
    if after is not None:
        condition += _AFTER
        values += [after, after, Group(queue, after).id]
    rows = await connection.fetch(_PAGE.format(condition), (*values, limit + 1))
    of_queue = (await read_settings(connection, queue=queue)).settings.limits
    standings = [standing_of(row) for row in rows[:limit]]
    return Groups(
        [GroupState(s.group.key, s.held, s.waiting, s.limit(of_queue)) for s in standings],
        standings[-1].group.key if len(rows) > limit else None,
    )


async def state(connection: Connection, *, group: Group) -> GroupState:
    """How one stands."""
    rows = await connection.fetch(_ONE, (group.id,))
    of_queue = (await read_settings(connection, queue=group.queue)).settings.limits
    if not rows:
        return GroupState(group.key, 0, 0, limit_of(group, None, of_queue))
    standing = standing_of(rows[0])
    return GroupState(group.key, standing.held, standing.waiting, standing.limit(of_queue))
