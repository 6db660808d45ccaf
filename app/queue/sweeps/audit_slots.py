"""Slots and who waits for them, compared with the tasks and set right where they differ. One batch
a call.

What differs is looked for by plain reads of one snapshot each, in which nothing does, and is
looked at again behind the locks of its groups: whoever moves a task to a slot, or away from one,
has to have its group before the commit. Then free slots are given out.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog
from pymysql import err

from app.domain.eligibility import NEVER
from app.domain.slots import (
    GIVEN_BY_GROUPS,
    GIVEN_BY_QUEUES,
    HAS_GROUPS,
    HAS_QUEUES,
    NO_LIMITS,
    QUEUES_OWN,
    UNPAID_GROUPS,
    UNPAID_QUEUES,
    Group,
    Turn,
)
from app.domain.states import Priority, Status
from app.mysql.connection import Connection, placeholders
from app.mysql.time_limits import is_out_of_time
from app.queue.deletion import delete_by_key
from app.queue.groups import rows
from app.queue.queue_settings import understood
from app.queue.slot_changes import changes_of, turn_of
from app.queue.sweeps.audit import Audited

# The read of a queue goes through all its tasks that run or may be claimed.
READ_SECONDS: Final = 5.0

_ENTRY: Final = (
    "COALESCE(task_id, tasks.id), tasks.queue, tasks.group_key, priority, status, "
    "tasks.created_at, tasks.turn_at, tasks.claim_rank, sweep_at, flags, "
    "group_id, group_waits.claim_rank, group_waits.turn_at, "
    "task_groups.queue, task_groups.group_key "
)
_GROUP: Final = "LEFT JOIN task_groups FORCE INDEX (PRIMARY) ON task_groups.id = group_id "
_LINES: Final = (
    f"SELECT {_ENTRY}FROM group_waits FORCE INDEX (PRIMARY) "
    f"LEFT JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = task_id {_GROUP}"
    "WHERE task_id {} ORDER BY task_id LIMIT %s"
)
_TASKS: Final = (
    f"SELECT {_ENTRY}FROM tasks FORCE INDEX ({{index}}) "
    f"LEFT JOIN group_waits FORCE INDEX (PRIMARY) ON task_id = tasks.id {_GROUP}"
    "WHERE {where} ORDER BY tasks.id LIMIT %s"
)
_UNSEEN: Final = _TASKS.format(
    index="ix_tasks_sweep", where=f"status = %s AND sweep_at = '{NEVER}' AND tasks.id > %s"
)
_QUEUES: Final = (
    "SELECT queue, NULL FROM task_groups FORCE INDEX (ix_task_groups_queue) "
    "WHERE queue > %s GROUP BY queue UNION ALL "
    "SELECT queue, settings FROM queue_settings FORCE INDEX (PRIMARY) WHERE queue > %s"
)
_RUNS: Final = (
    "FROM tasks FORCE INDEX (ix_tasks_list) WHERE status = 'in_progress' AND queue = %s AND flags"
)
_RANKED: Final = (
    "FROM tasks FORCE INDEX (ix_tasks_claim) WHERE queue = %s AND claim_rank IN (0, 1, 2) AND flags"
)
_FIGURES: Final = (
    "SELECT MIN(group_key), SUM(held), SUM(unpaid), SUM(waiting) FROM ("
    "SELECT group_key, -held AS held, -unpaid AS unpaid, -waiting AS waiting "
    "FROM task_groups FORCE INDEX (ix_task_groups_queue) WHERE queue = %s "
    "UNION ALL SELECT group_key, 0, 0, 1 FROM task_groups FORCE INDEX (ix_task_groups_queue) "
    "STRAIGHT_JOIN group_waits FORCE INDEX (ix_group_waits_turn) ON group_id = task_groups.id "
    "WHERE queue = %s "
    f"UNION ALL SELECT group_key, flags & {HAS_GROUPS} > 0, flags & {UNPAID_GROUPS} > 0, 0 "
    f"{_RUNS} & {GIVEN_BY_GROUPS} "
    f"UNION ALL SELECT '', flags & {HAS_QUEUES} > 0, flags & {UNPAID_QUEUES} > 0, 0 "
    f"{_RUNS} & {GIVEN_BY_QUEUES} "
    f"UNION ALL SELECT group_key, flags & {HAS_GROUPS} > 0, flags & {UNPAID_GROUPS} > 0, 0 "
    f"{_RANKED} & {GIVEN_BY_GROUPS} "
    f"UNION ALL SELECT '', flags & {HAS_QUEUES} > 0, flags & {UNPAID_QUEUES} > 0, 0 "
    f"{_RANKED} & {GIVEN_BY_QUEUES} "
    # Those that have their group's and wait for the queue's.
    f"UNION ALL SELECT group_key, flags & {HAS_GROUPS} > 0, flags & {UNPAID_GROUPS} > 0, 0 "
    "FROM group_waits FORCE INDEX (ix_group_waits_turn) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = task_id "
    f"WHERE group_id = %s AND flags & {GIVEN_BY_GROUPS}) AS counted "
    # By its bytes: with or without spaces at the end it is another one.
    "GROUP BY CAST(group_key AS BINARY) "
    "HAVING SUM(held) <> 0 OR SUM(unpaid) <> 0 OR SUM(waiting) <> 0"
)

log = structlog.get_logger(__name__)


class _Task(NamedTuple):
    id: int
    queue: str
    group_key: str | None
    priority: Priority
    status: Status
    created_at: datetime
    turn_at: datetime
    claim_rank: int | None
    sweep_at: datetime | None
    flags: int


class _Entry(NamedTuple):
    """Where a task is in line, and where it should be."""

    task_id: int
    is_in: tuple[str, Turn] | None
    # That of the row, if it is known.
    group: Group | None
    should_be_in: tuple[Group, Turn] | None

    @property
    def is_right(self) -> bool:
        should = self.should_be_in
        return self.is_in == (None if should is None else (should[0].id, should[1]))

    @property
    def groups(self) -> set[Group]:
        """Those that it is about."""
        own = None if self.should_be_in is None else self.should_be_in[0]
        return {group for group in (self.group, own) if group is not None}


async def lines(connection: Connection, *, after: int, limit: int) -> Audited[int]:
    """Look at so many of those that wait, after a task's id: who does not, or elsewhere, goes, and
    who waits elsewhere goes there."""
    found = await _entries(connection, _LINES.format("> %s"), (after, limit))
    wrong = [entry.task_id for entry in found if not entry.is_right]
    again = _LINES.format(f"IN ({placeholders(wrong)})")
    repaired = await _set_right(connection, found, again, wrong)
    return Audited(found[-1].task_id if len(found) == limit else None, repaired)


async def unseen(connection: Connection, *, status: Status, after: int, limit: int) -> Audited[int]:
    """Look at so many tasks, after an id, that nobody has to look at: who waits for a slot and is
    not in line is so then."""
    found = await _entries(connection, _UNSEEN, (status, after, limit))
    wrong = [e.task_id for e in found if e.is_in is None and e.should_be_in is not None]
    again = _TASKS.format(index="PRIMARY", where=f"tasks.id IN ({placeholders(wrong)})")
    repaired = await _set_right(connection, found, again, wrong)
    return Audited(found[-1].task_id if len(found) == limit else None, repaired)


async def figures(connection: Connection, *, after: str, limit: int) -> Audited[str]:
    """Look at the next queue after one, and count anew how many have slots of its groups and wait
    for them. More groups than so many take several calls. Where it takes too long to look at a
    queue it is left alone."""
    queue = await _next_queue(connection, after)
    if queue is None:
        return Audited(None, 0)
    try:
        wrong = await _wrong(connection.in_time(READ_SECONDS), queue)
    except err.MySQLError as error:
        if not is_out_of_time(error):
            raise
        log.warning("not_audited", what="slots", queue=queue)
        return Audited(queue, 0)
    some = sorted(wrong)[:limit]
    repaired = 0
    if some:
        locked = await _lock(connection, some)
        for group, (held, unpaid, waiting) in (await _wrong(connection, queue)).items():
            if group in locked:
                await rows.count_anew(connection, group, held=held, unpaid=unpaid, waiting=waiting)
                repaired += 1
    return Audited(after if len(wrong) > len(some) else queue, repaired)


async def _entries(connection: Connection, statement: str, values: Sequence[Any]) -> list[_Entry]:
    return [_entry(*row) for row in await connection.fetch(statement, values)]


def _entry(task_id: int, *columns: Any) -> _Entry:
    of_task, (group_id, rank, turn_at, queue, key) = columns[:9], columns[9:]
    should = None
    if of_task[0] is not None:
        of_queue, group_key, priority, status, *rest = of_task
        task = _Task(task_id, of_queue, group_key, Priority(priority), Status(status), *rest)
        should = turn_of(task)
    return _Entry(
        task_id,
        None if group_id is None else (group_id, Turn(rank, turn_at, task_id)),
        None if queue is None else Group(queue, key),
        should,
    )


async def _set_right(
    connection: Connection, found: Iterable[_Entry], again: str, wrong: Collection[int]
) -> int:
    """Look again at these; how many were wrong still."""
    if not wrong:
        return 0
    groups = {group for entry in found if entry.task_id in wrong for group in entry.groups}
    locked = await _lock(connection, groups)
    entries = await _entries(connection, again, (*sorted(wrong), len(wrong)))
    still = [e for e in entries if not e.is_right and e.groups <= locked]
    gone = [entry.task_id for entry in still if entry.is_in is not None]
    await delete_by_key(connection, table="group_waits", key="task_id", values=gone)
    await rows.join_last(connection, [e.should_be_in for e in still if e.should_be_in is not None])
    return len(still)


async def _lock(connection: Connection, groups: Iterable[Group]) -> set[Group]:
    """With the queues' own, in one go; what they are looked at for is done before the commit."""
    wanted = {group for each in groups for group in (each, each.queues_own)}
    changes_of(connection.unsettled).looks.update(wanted)
    return {*(await rows.lock(connection, wanted))[0]} if wanted else set()


async def _next_queue(connection: Connection, after: str) -> str | None:
    """The next one that has groups, or limits."""
    found = await connection.fetch(_QUEUES, (after, after))
    return min(
        (
            queue
            for queue, text in found
            if text is None or understood(queue, text).limits != NO_LIMITS
        ),
        default=None,
    )


async def _wrong(connection: Connection, queue: str) -> dict[Group, tuple[int, int, int]]:
    """By how much the figures of its groups are."""
    own = Group(queue, QUEUES_OWN)
    values = (*[queue] * 6, own.id)
    found = await connection.fetch(_FIGURES, values)
    return {Group(queue, key): (int(h), int(u), int(w)) for key, h, u, w in found}
