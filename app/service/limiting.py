"""The sweeps of limits, each to its end: free slots are given out, tasks that were there before a
limit get it, and those that have slots beyond it give them back."""

from datetime import timedelta
from functools import partial
from typing import Final

from app.domain.slots import Group
from app.domain.states import RANK
from app.queue.sweeps import adoption, slots, surplus
from app.queue.sweeps.adoption import DueQueue, Position
from app.queue.sweeps.surplus import Place
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
    given_back, has_none = await _give_back(resources, of)
    moved, is_clean = moved + given_back, is_clean and has_none
    # What began before the limits were known is committed by now.
    all_know = of.adopts_from + timedelta(seconds=resources.settings.database_timeout_seconds)
    if is_clean and of.now > all_know and resources.work.is_open:
        await database.transact(partial(adoption.end, of=of))
    return moved


async def _give_back(resources: Resources, of: DueQueue) -> tuple[int, bool]:
    """How many tasks have given back what they have beyond the limits; and whether there was
    none."""
    moved, is_clean = 0, True
    has_slots = of.limits.are_for_all or of.limits.are_per_group
    for rank in sorted(RANK.values(), reverse=True) if has_slots else ():
        before: Place | None = Place()
        while before is not None and resources.work.is_open:
            give_back = partial(
                surplus.give_back, of=of, rank=rank, before=before, limit=ADOPTED_AT_ONCE
            )
            found = await resources.database.transact(give_back)
            await resources.after_commit.moved(found.moves)
            before, is_clean = found.before, is_clean and found.is_clean
            moved += len(found.moves)
    return moved, is_clean
