"""Slots for tasks that are about to be stored: with one they are claimable from the first."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from app.domain.dependency import WAITS_FOR_TASKS
from app.domain.slots import OF_GROUPS, Group, missing_slot
from app.domain.states import RANK
from app.domain.task import NewTask
from app.domain.turns import BY_TURNS
from app.mysql.connection import Connection
from app.queue import dependents
from app.queue.groups import turns
from app.queue.groups.settling import lock
from app.queue.slot_changes import changes_of, giver_of, group_of


async def reserve(
    connection: Connection, tasks: Sequence[NewTask], *, now: datetime
) -> Sequence[NewTask]:
    """The tasks, with their turns, and with the slots that are free and that nobody waits for; the
    others get theirs when it is their turn. Locks the groups: the transaction is to lock no task
    after it, and no wait."""
    needy = {n: t for n, t in enumerate(tasks) if t.flags & OF_GROUPS and _is_next(t, now)}
    if not needy or dependents.CHANGES in connection.unsettled:
        return tasks
    changes = changes_of(connection.unsettled)
    wanted = {giver_of(task, slot) for task in needy.values() for slot in _slots(task)}
    by_turns = [number for number, task in needy.items() if task.flags & BY_TURNS]
    wanted |= {group_of(needy[number]) for number in by_turns}
    await lock(connection, changes, changes.groups | wanted)
    reserved = list(tasks)
    if by_turns:
        places = await turns.take(connection, changes, [needy[n] for n in by_turns], now)
        for number, turn_at in zip(by_turns, places, strict=True):
            needy[number] = reserved[number] = needy[number]._replace(turn_at=turn_at)
    taken: Counter[Group] = Counter()
    for number, task in sorted(needy.items(), key=lambda of: (RANK[of[1].priority], of[0])):
        flags = task.flags
        while slot := missing_slot(flags):
            group = giver_of(task, slot)
            room = changes.room(group, now)
            if changes.waiting(group) or (room is not None and room <= taken[group]):
                break
            taken[group] += 1
            flags |= changes.given(group)
        reserved[number] = task._replace(flags=flags)
    return reserved


def _is_next(task: NewTask, now: datetime) -> bool:
    has_time = task.available_at is None or task.available_at <= now
    return has_time and not task.flags & WAITS_FOR_TASKS


def _slots(task: NewTask) -> list[int]:
    """All that it needs, in their order."""
    flags, found = task.flags, []
    while slot := missing_slot(flags):
        found.append(slot)
        flags |= slot
    return found
