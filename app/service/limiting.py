"""The sweeps of limits, each to its end: free slots are given out, and tasks that were there before
a limit get it."""

from datetime import timedelta
from functools import partial
from typing import Final

from app.domain.slots import Group
from app.queue.sweeps import adoption, slots
from app.queue.sweeps.adoption import DueQueue, Position
from app.service.resources import Resources

ADOPTED_AT_ONCE: Final = 500
GROUPS_AT_ONCE: Final = 50


async def give_slots(resources: Resources) -> int:
    """Give slots that became free to tasks that are next; those whose rows nobody holds."""
    database = resources.database
    seen: set[Group] = set()
    moved = 0
    while resources.work.is_open:
        due = await database.read(partial(slots.due, limit=GROUPS_AT_ONCE))
        if not moved and seen.issuperset(each.group for each in due):
            break  # others hold who is next: the next run's
        seen.update(each.group for each in due)
        unused = [each.group for each in due if each.is_unused]
        if unused:
            await database.transact(partial(slots.forget, groups=unused))
        used = [each.group for each in due if not each.is_unused]
        moved = len(await database.transact(partial(slots.look_at, groups=used))) if used else 0
    return 0


async def adopt(resources: Resources) -> int:
    """Give tasks limits that were set after they came."""
    moved = 0
    for queue in await resources.database.read(adoption.due):
        moved += await _adopt(resources, queue)
    return moved


async def _adopt(resources: Resources, of: DueQueue) -> int:
    database = resources.database
    key: str | None = None
    while True:
        look = partial(adoption.look_at_groups, queue=of.queue, after=key, limit=GROUPS_AT_ONCE)
        if (key := await database.transact(look)) is None:
            break
    moved, is_clean = 0, True
    for status, priority in adoption.PARTS:
        after: Position | None = Position()
        while after is not None and resources.work.is_open:
            found = await database.transact(
                partial(
                    adoption.adopt,
                    of=of,
                    status=status,
                    priority=priority,
                    after=after,
                    limit=ADOPTED_AT_ONCE,
                )
            )
            await resources.after_commit.moved(found.moves)
            after, is_clean = found.after, is_clean and found.is_clean
            moved += len(found.moves)
    # What began before the limits were known is committed by now.
    all_know = of.adopts_from + timedelta(seconds=resources.settings.database_timeout_seconds)
    if is_clean and of.now > all_know and resources.work.is_open:
        await database.transact(partial(adoption.end, of=of))
    return moved
