"""The sweep that decides the occurrences of schedules which are due."""

from functools import partial
from typing import Final

from app.queue.schedules import firing
from app.queue.schedules.firing import Fired
from app.service.conflicts import or_again
from app.service.resources import Resources

RENEW_BATCH: Final = 500


async def fire_due(resources: Resources) -> int:
    """Submit the tasks of all occurrences that are due; how many."""
    if not resources.schedules_are_renewed:
        await _renew(resources)
    total = 0
    while True:
        fired = await or_again(resources.tags, partial(_fire_once, resources))
        await resources.after_commit.stored(fired.answers)
        total += fired.made
        if not fired.is_full or not resources.work.is_open:
            return total


async def _fire_once(resources: Resources) -> Fired:
    if not await resources.database.read(firing.is_any_due):
        return Fired([], is_full=False)
    return await resources.database.transact(partial(firing.fire_once, tag_ids=resources.tags.ids))


async def _renew(resources: Resources) -> None:
    """Once a process: it may know other time zones than the one that computed what is stored."""
    after: str | None = ""
    while after is not None:
        renew = partial(firing.renew, after=after, limit=RENEW_BATCH)
        after = await resources.database.transact(renew)
    resources.schedules_are_renewed = True
