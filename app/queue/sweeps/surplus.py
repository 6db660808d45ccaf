"""Slots beyond what a queue's new limits allow, whose tasks no worker has claimed yet, are given
back: the last in the claim's order first. One small batch a call."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from app.domain import admissions
from app.domain.slots import GIVEN, HAS, HAS_GROUPS, HAS_QUEUES, Group, Limits, Standing
from app.domain.states import WAITING
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.groups import rows
from app.queue.requests import Move
from app.queue.sweeps.adoption import DueQueue

_LAST: Final = (
    "SELECT turn_at, id, flags, group_key FROM tasks FORCE INDEX (ix_tasks_claim) "
    "WHERE queue = %s AND claim_rank = %s AND turn_at <= %s AND (turn_at < %s OR id < %s) "
    "ORDER BY queue DESC, claim_rank DESC, turn_at DESC, id DESC LIMIT %s"
)


class Place(NamedTuple):
    """How far back the walk through the claimable tasks of a rank has come."""

    turn_at: datetime = datetime(9999, 12, 31)  # noqa: DTZ001  (naive UTC, as MySQL gives it)
    id: int = 0


class GivenBack(NamedTuple):
    """Where to go on, None: that was the end; who gives a slot back, but for rows that somebody
    holds; and whether there was nobody."""

    before: Place | None
    moves: list[Move]
    is_clean: bool


async def give_back(
    connection: Connection, *, of: DueQueue, rank: int, before: Place, limit: int
) -> GivenBack:
    """Look at so many of those that may be claimed. Who comes first gets what is free with the
    commit."""
    values = (of.queue, rank, before.turn_at, *before, limit)
    found = await connection.fetch(_LAST, values)
    with_slots = [(i, _groups(of.queue, flags, key), flags) for _, i, flags, key in found]
    standings = await rows.read(connection, {group for _, some, _ in with_slots for group in some})
    now = await connection.now()
    wanted = _surplus(with_slots, standings, of.limits, now)
    tasks = await statements.lock_tasks(connection, wanted, whole=False, skip_locked=True)
    moves = [
        (task, _counted(task, wanted[task.id], now))
        for task in tasks.values()
        if task.status in WAITING and task.claim_rank is not None and task.flags & HAS
    ]
    await statements.move(connection, moves)
    last = Place(*found[-1][:2]) if len(found) == limit else None
    return GivenBack(last, moves, is_clean=not wanted)


def _counted(task: Task, unpaid: int, now: datetime) -> Task:
    if unpaid:
        return admissions.given_slot(task, unpaid, now=now)
    return admissions.without_slot(task, GIVEN, now=now)


def _surplus(
    tasks: Sequence[tuple[int, list[Group], int]],
    standings: dict[Group, Standing],
    limits: Limits,
    now: datetime,
) -> dict[int, int]:
    """Those that have a slot and do not count in the rate, with the flags of those that do: which
    are too many is known once all are counted. And those whose slots are too many, with 0."""
    found: dict[int, int] = {}
    for task_id, groups, flags in tasks:
        known = [standings[group] for group in groups if group in standings]
        rated = [standing.group.unpaid for standing in known if standing.rate(limits) is not None]
        if uncounted := sum(rated) & ~flags:
            found[task_id] = uncounted
        elif any(_is_over(standing, limits, now) for standing in known):
            found[task_id] = 0
            for standing in known:
                standings[standing.group] = standing._replace(
                    held=standing.held - 1,
                    unpaid=standing.unpaid - bool(flags & standing.group.unpaid),
                )
    return found


def _is_over(standing: Standing, limits: Limits, now: datetime) -> bool:
    limit, rate = standing.limit(limits), standing.rate(limits)
    if limit is not None and standing.held > limit:
        return True
    return rate is not None and standing.unpaid > rate.tokens(standing.paid_until, now)


def _groups(queue: str, flags: int, key: Any) -> list[Group]:
    """Those of whose slots a task with these flags has one."""
    found = [Group(queue, key)] if flags & HAS_GROUPS else []
    return [*found, Group(queue, "")] if flags & HAS_QUEUES else found
