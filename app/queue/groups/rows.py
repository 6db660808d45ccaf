"""The rows of groups, and of the tasks that wait for their slots.

A group's row is locked after all tasks and waits, in one statement and in the order of the ids;
who waits for its slots changes only behind that lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.domain.slots import NO_LIMITS, QUEUES_OWN, Group, Limits, Standing, Turn
from app.domain.states import RANK
from app.mysql.connection import Connection, placeholders
from app.queue.deletion import delete_by_key
from app.queue.queue_settings import understood

CHUNK: Final = 100
# Of those that may be turned back for a task of a higher priority the last ones are remembered.
UNCLAIMED: Final = 200
COLUMNS: Final = (
    "queue, group_key, held, waiting, running, unclaimed, is_full, look_at, unpaid, paid_until, "
    "weight, turn_0, turn_1, turn_2"
)

# A missing one is made, and so locked: who locks some and makes others would do it out of order.
_LOCK: Final = (
    "INSERT INTO task_groups (id, queue, group_key) VALUES {} ON DUPLICATE KEY UPDATE held = held"
)
_READ: Final = f"SELECT {COLUMNS} FROM task_groups FORCE INDEX (PRIMARY) WHERE id IN ({{}})"
_LIMITS: Final = (
    "SELECT queue, settings FROM queue_settings FORCE INDEX (PRIMARY) WHERE queue IN ({})"
)
_FIRST: Final = (
    "(SELECT %s AS place, claim_rank, turn_at, task_id "
    "FROM group_waits FORCE INDEX (ix_group_waits_turn) WHERE group_id = %s "
    "ORDER BY group_id, claim_rank, turn_at, task_id LIMIT %s)"
)
_HEADS: Final = (
    "(SELECT %s AS place, turn_at FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s ORDER BY queue, claim_rank, turn_at LIMIT 1) UNION ALL "
    "(SELECT %s, turn_at FROM group_waits FORCE INDEX (ix_group_waits_turn) "
    "WHERE group_id = %s AND claim_rank = %s ORDER BY group_id, claim_rank, turn_at LIMIT 1)"
)
_SET: Final = (
    "UPDATE task_groups FORCE INDEX (PRIMARY) SET held = CASE id {cases}END, "
    "waiting = CASE id {cases}END, unclaimed = CASE id {cases}END, is_full = CASE id {cases}END, "
    "look_at = CASE id {cases}END, unpaid = CASE id {cases}END, "
    "paid_until = CASE id {cases}END, turn_0 = CASE id {cases}END, turn_1 = CASE id {cases}END, "
    "turn_2 = CASE id {cases}END WHERE id IN ({ids})"
)
# Looked at in any case: of how many slots there are its row says nothing.
_CORRECT: Final = (
    "UPDATE task_groups FORCE INDEX (PRIMARY) SET held = held + %s, unpaid = unpaid + %s, "
    "waiting = waiting + %s, look_at = UTC_TIMESTAMP(6) WHERE id = %s"
)
_JOIN: Final = "INSERT INTO group_waits (group_id, claim_rank, turn_at, task_id) VALUES {}"


async def lock(
    connection: Connection, groups: Collection[Group]
) -> tuple[dict[Group, Standing], dict[str, Limits]]:
    """How these stand, until the commit, and what is set for their queues. In one round trip."""
    by_id = {group.id: group for group in groups}
    ids, queues = sorted(by_id), sorted({group.queue for group in groups})
    for chunk in _chunks(ids):
        values = [value for i in chunk for value in (i, *by_id[i])]
        await connection.fetch_ahead(_LOCK.format(placeholders(chunk, "(%s, %s, %s)")), values)
    settings = await connection.fetch_ahead(_LIMITS.format(placeholders(queues)), queues)
    found = await read(connection, groups)
    known = {queue: understood(queue, text).limits for queue, text in settings}
    return found, {queue: known.get(queue, NO_LIMITS) for queue in queues}


async def read(connection: Connection, groups: Collection[Group]) -> dict[Group, Standing]:
    """How those that are there stand. Plain."""
    found: dict[Group, Standing] = {}
    for chunk in _chunks(sorted(group.id for group in groups)):
        for row in await connection.fetch(_READ.format(placeholders(chunk)), chunk):
            standing = standing_of(row)
            found[standing.group] = standing
    return found


def standing_of(row: Sequence[Any]) -> Standing:
    """What a group's row says."""
    queue, key, held, waiting, running, unclaimed, is_full, look_at, unpaid, paid_until = row[:10]
    weight, *turns = row[10:]
    return Standing(
        group=Group(queue, key),
        held=held,
        waiting=waiting,
        running=running,
        unclaimed=tuple(map(int, unclaimed.split())),
        is_full=bool(is_full),
        look_at=look_at,
        unpaid=unpaid,
        paid_until=paid_until,
        weight=weight,
        next_turns=tuple(turns),
    )


async def first_turns(
    connection: Connection, wanted: Mapping[Group, int]
) -> dict[Group, list[Turn]]:
    """The first so many tasks that wait for a slot of each group."""
    groups = list(wanted)
    found: dict[Group, list[Turn]] = {group: [] for group in groups}
    for chunk in _chunks(range(len(groups))):
        statement = " UNION ALL ".join([_FIRST] * len(chunk))
        values = [v for i in chunk for v in (i, groups[i].id, wanted[groups[i]])]
        for place, *turn in await connection.fetch(statement, values):
            found[groups[place]].append(Turn(*turn))
    return found


async def heads(
    connection: Connection, ranks: Collection[tuple[str, int]]
) -> dict[tuple[str, int], datetime]:
    """The first turns of queues' ranks: of what may be claimed, or waits for the queue's slots."""
    of = sorted(ranks)
    found: dict[tuple[str, int], datetime] = {}
    for chunk in _chunks(range(len(of))):
        values: list[object] = []
        for place in chunk:
            queue, rank = of[place]
            values += (place, queue, rank, place, Group(queue, QUEUES_OWN).id, rank)
        statement = " UNION ALL ".join([_HEADS] * len(chunk))
        for place, turn_at in await connection.fetch(statement, values):
            found[of[place]] = min(turn_at, found.get(of[place], turn_at))
    return found


async def leave(connection: Connection, turns: Iterable[Turn]) -> None:
    """These tasks do not wait for that slot any more."""
    ids = sorted(turn.task_id for turn in turns)
    await delete_by_key(connection, table="group_waits", key="task_id", values=ids)


async def count_anew(
    connection: Connection, group: Group, *, held: int, unpaid: int, waiting: int
) -> None:
    """One that is locked has so many more, or fewer, than its row says."""
    await connection.execute(_CORRECT, (held, unpaid, waiting, group.id))


async def join_last(connection: Connection, turns: Sequence[tuple[Group, Turn]]) -> None:
    """These tasks wait, together with the commit."""
    for chunk in _chunks(sorted((turn.task_id, group.id, turn) for group, turn in turns)):
        values = [value for _, group_id, turn in chunk for value in (group_id, *turn)]
        statement = _JOIN.format(placeholders(chunk, "(%s, %s, %s, %s)"))
        await connection.execute_last(statement, values)


async def set_last(connection: Connection, standings: Sequence[Standing]) -> None:
    """So the groups stand, which are locked, together with the commit."""
    for chunk in _chunks(sorted(standings, key=lambda standing: standing.group.id)):
        ids = [standing.group.id for standing in chunk]
        columns: list[list[object]] = [
            [standing.held for standing in chunk],
            [standing.waiting for standing in chunk],
            [" ".join(map(str, standing.unclaimed)) for standing in chunk],
            [int(standing.is_full) for standing in chunk],
            [standing.look_at for standing in chunk],
            [standing.unpaid for standing in chunk],
            [standing.paid_until for standing in chunk],
            *([standing.next_turns[rank] for standing in chunk] for rank in RANK.values()),
        ]
        statement = _SET.format(cases="WHEN %s THEN %s " * len(chunk), ids=placeholders(ids))
        values = [v for column in columns for pair in zip(ids, column, strict=True) for v in pair]
        await connection.execute_last(statement, [*values, *ids])


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[begin : begin + CHUNK] for begin in range(0, len(items), CHUNK))
