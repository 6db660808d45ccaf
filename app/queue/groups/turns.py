"""Turns: the places of tasks in the claim's order, where the groups of a queue take turns."""

from collections.abc import Sequence
from datetime import datetime

from app.domain.slots import Group
from app.domain.states import RANK
from app.domain.task import NewTask, Task
from app.domain.turns import USUAL_WEIGHT, turn
from app.mysql.connection import Connection
from app.queue.groups import rows
from app.queue.slot_changes import Changes, group_of


async def take(
    connection: Connection, changes: Changes, tasks: Sequence[Task | NewTask], now: datetime
) -> list[datetime]:
    """The places of these, in their order. Their groups are locked."""
    heads = await rows.heads(connection, {(task.queue, RANK[task.priority]) for task in tasks})
    places = []
    for task in tasks:
        group, rank = group_of(task), RANK[task.priority]
        standing = changes.locked[group]
        taken = turn(
            begins_at=heads.get((task.queue, rank), now),
            after=changes.next_turns.get((group, rank), standing.next_turns[rank]),
            weight=standing.weight or USUAL_WEIGHT,
            created_at=task.created_at if isinstance(task, Task) else now,
        )
        changes.next_turns[group, rank] = taken.ends_at
        places.append(taken.turn_at)
    return places


def next_turns(changes: Changes, group: Group) -> tuple[datetime | None, ...]:
    """Where those of a locked group go on, by rank."""
    known = changes.locked[group].next_turns
    return tuple(changes.next_turns.get((group, rank), known[rank]) for rank in RANK.values())
