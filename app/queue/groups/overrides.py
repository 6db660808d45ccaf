"""What single groups have of their own: a limit, in place of their queue's for each group, and a
weight."""

from typing import Final

from app.domain.slots import Group, limit_of
from app.mysql.connection import Connection
from app.queue import queue_settings
from app.queue.groups.settling import lock
from app.queue.slot_changes import changes_of

_SET: Final = "UPDATE task_groups FORCE INDEX (PRIMARY) SET running = %s, weight = %s WHERE id = %s"
_IS_SET: Final = (
    "SELECT 1 FROM task_groups FORCE INDEX (PRIMARY) "
    "WHERE id = %s AND (running IS NOT NULL OR weight IS NOT NULL)"
)
_HELD: Final = "SELECT held FROM task_groups FORCE INDEX (PRIMARY) WHERE id = %s"


async def put(
    connection: Connection, *, group: Group, running: int | None, weight: int | None
) -> None:
    """So many of its tasks run at a time, and it has so many turns for one of others'; None: as
    its queue says, and one. If more run than before, those that wait get slots with the commit; if
    fewer, nobody is stopped."""
    if running is not None:
        await queue_settings.note_overrides(connection, queue=group.queue)
    await _set(connection, group, running, weight)


async def drop(connection: Connection, *, group: Group) -> None:
    """It has nothing of its own any more, and may have had nothing."""
    if await connection.fetch(_IS_SET, (group.id,)):
        await _set(connection, group, None, None)


async def _set(
    connection: Connection, group: Group, running: int | None, weight: int | None
) -> None:
    limits = (await queue_settings.read_settings(connection, queue=group.queue)).settings.limits
    limit, held = limit_of(group, running, limits), await connection.fetch(_HELD, (group.id,))
    if limit is not None and held and held[0][0] > limit:
        # Before the group, as whoever sets the first limit locks them.
        await queue_settings.adopt_anew(connection, queue=group.queue)
    changes = changes_of(connection.unsettled)
    changes.looks.add(group)
    await lock(connection, changes, [group])
    await connection.execute(_SET, (running, weight, group.id))
    changes.locked[group] = changes.locked[group]._replace(running=running, weight=weight)
