"""How the groups of a queue stand. Plain reads."""

from datetime import datetime
from typing import Final, NamedTuple

from app.domain.slots import Group, Limits, Standing, limit_of
from app.domain.turns import USUAL_WEIGHT
from app.mysql.connection import Connection
from app.queue.groups.rows import COLUMNS, standing_of
from app.queue.queue_settings import read_settings

# Some that nobody needs are still there. To MySQL keys that differ in spaces at their ends are
# equal, and some are less than the empty one: the ids tell them apart.
_PAGE: Final = (
    f"SELECT {COLUMNS} FROM task_groups FORCE INDEX (ix_task_groups_queue) "
    "WHERE queue = %s AND id <> %s AND {} ORDER BY queue, group_key, id LIMIT %s"
)
_ANY: Final = "(held > 0 OR waiting > 0 OR running IS NOT NULL OR weight IS NOT NULL)"
_WAITING: Final = "waiting > 0"
_AFTER: Final = " AND group_key >= %s AND (group_key > %s OR id > %s)"
_ONE: Final = f"SELECT {COLUMNS} FROM task_groups FORCE INDEX (PRIMARY) WHERE id = %s"


class GroupState(NamedTuple):
    """How many of its tasks have a slot, and how many wait for one; how many may have one, None:
    any number. How many turns it has for one of others'. When one more attempt may begin by its
    rate; None: now, or nobody knows."""

    group: str
    held: int
    waiting: int
    running_limit: int | None
    weight: int
    next_token_at: datetime | None


class Groups(NamedTuple):
    """Some groups, and after which key there are more, if there are."""

    states: list[GroupState]
    last: str | None


async def page(
    connection: Connection, *, queue: str, is_waiting: bool, after: str | None, limit: int
) -> Groups:
    """Groups of the queue by key: those that have tasks with slots, tasks that wait, or limits or
    weights of their own; or only those in which tasks wait."""
    condition, values = _WAITING if is_waiting else _ANY, [queue, Group(queue, "").id]
    if after is not None:
        condition += _AFTER
        values += [after, after, Group(queue, after).id]
    rows = await connection.fetch(_PAGE.format(condition), (*values, limit + 1))
    of_queue = (await read_settings(connection, queue=queue)).settings.limits
    standings, now = [standing_of(row) for row in rows[:limit]], await connection.now()
    return Groups(
        [_state(standing, of_queue, now) for standing in standings],
        standings[-1].group.key if len(rows) > limit else None,
    )


async def state(connection: Connection, *, group: Group) -> GroupState:
    """How one stands."""
    rows = await connection.fetch(_ONE, (group.id,))
    of_queue = (await read_settings(connection, queue=group.queue)).settings.limits
    if not rows:
        return GroupState(group.key, 0, 0, limit_of(group, None, of_queue), USUAL_WEIGHT, None)
    return _state(standing_of(rows[0]), of_queue, await connection.now())


def _state(standing: Standing, of_queue: Limits, now: datetime) -> GroupState:
    return GroupState(
        standing.group.key,
        standing.held,
        standing.waiting,
        standing.limit(of_queue),
        standing.weight or USUAL_WEIGHT,
        standing.next_token_at(of_queue, now),
    )
