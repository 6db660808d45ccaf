"""Dependencies and waits, compared with the tasks and set right where they differ. One batch a
call.

What differs is looked for by plain reads of one snapshot each, in which nothing does, and is
looked at again behind the lock of its wait: whoever ends, retries or deletes a task has to have
the waits for it before the commit. What is told bit by bit is left alone meanwhile.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.domain.dependency import (
    ANY,
    RUNS_AFTER_FAILURE,
    WAITS_FOR_TASKS,
    OnParentFailure,
    Wait,
)
from app.domain.eligibility import NEVER
from app.domain.states import ENDED, Status
from app.mysql.connection import Connection, placeholders
from app.queue import statements
from app.queue.dependencies import rows
from app.queue.dependencies.rows import Edge
from app.queue.sweeps.audit import Audited

# Of a wait that is made anew: more than any task has, so that nothing is freed before the walk
# through the waits has counted.
UNCOUNTED: Final = 1_000_000_000

_FLAGS: Final = (
    "SELECT tasks.id, flags, task_id FROM tasks FORCE INDEX (ix_tasks_sweep) "
    "LEFT JOIN task_waits FORCE INDEX (PRIMARY) ON task_id = tasks.id "
    f"WHERE status = %s AND sweep_at = '{NEVER}' AND tasks.id > %s ORDER BY tasks.id LIMIT %s"
)
_WAITS: Final = (
    "SELECT task_id FROM task_waits FORCE INDEX (PRIMARY) "
    "WHERE task_id > %s ORDER BY task_id LIMIT %s"
)
_OPEN: Final = "parent.status NOT IN ('done', 'failed', 'cancelled')"
_GONE: Final = "edge.parent_id IS NOT NULL AND parent.id IS NULL"
_COUNT: Final = (
    "SELECT task_waits.task_id, unmet, on_failure, cause, child.status, child.flags, "
    f"COALESCE(SUM({_OPEN}), 0), COALESCE(SUM(parent.status IN ('failed', 'cancelled')), 0), "
    f"MIN(CASE WHEN {_GONE} THEN edge.parent_id END), COUNT(fanouts.parent_id) "
    "FROM task_waits FORCE INDEX (PRIMARY) "
    "LEFT JOIN tasks AS child FORCE INDEX (PRIMARY) ON child.id = task_id "
    "LEFT JOIN task_dependencies AS edge FORCE INDEX (ix_task_dependencies_child) "
    "ON edge.child_id = task_id "
    "LEFT JOIN tasks AS parent FORCE INDEX (PRIMARY) ON parent.id = edge.parent_id "
    "LEFT JOIN fanouts FORCE INDEX (PRIMARY) ON fanouts.parent_id = edge.parent_id "
    "WHERE task_id IN ({}) GROUP BY task_id"
)
_GONE_PARENTS: Final = (
    "SELECT edge.parent_id, edge.child_id "
    "FROM task_dependencies AS edge FORCE INDEX (ix_task_dependencies_child) "
    "LEFT JOIN tasks AS parent FORCE INDEX (PRIMARY) ON parent.id = edge.parent_id "
    "LEFT JOIN fanouts FORCE INDEX (PRIMARY) ON fanouts.parent_id = edge.parent_id "
    "WHERE edge.child_id IN ({}) AND parent.id IS NULL AND fanouts.parent_id IS NULL"
)
_EDGES: Final = (
    "SELECT edge.parent_id, edge.child_id, child.id IS NULL OR "
    "(parent.id IS NULL AND fanouts.parent_id IS NULL AND task_waits.task_id IS NULL) "
    "FROM task_dependencies AS edge FORCE INDEX (PRIMARY) "
    "LEFT JOIN tasks AS parent FORCE INDEX (PRIMARY) ON parent.id = edge.parent_id "
    "LEFT JOIN tasks AS child FORCE INDEX (PRIMARY) ON child.id = edge.child_id "
    "LEFT JOIN fanouts FORCE INDEX (PRIMARY) ON fanouts.parent_id = edge.parent_id "
    "LEFT JOIN task_waits FORCE INDEX (PRIMARY) ON task_waits.task_id = edge.child_id "
    "WHERE edge.parent_id > %s OR (edge.parent_id = %s AND edge.child_id > %s) "
    "ORDER BY edge.parent_id, edge.child_id LIMIT %s"
)


class _Counted(NamedTuple):
    """A wait, and what it should be like."""

    wait: Wait
    status: Status | None
    flags: int | None
    open: int
    failed: int
    # One that it depends on and that was deleted by SQL.
    gone: int | None
    told_bit_by_bit: int

    @property
    def has_no_task(self) -> bool:
        """Whether nobody waits there."""
        return self.status in {None, *ENDED} or not (self.flags or 0) & WAITS_FOR_TASKS

    @property
    def is_right(self) -> bool:
        """Whether nothing is to be set right, or nothing can be said just now."""
        if self.has_no_task:
            return False
        return self.told_bit_by_bit > 0 or (self.gone is None and self.right == self.wait)

    @property
    def right(self) -> Wait:
        """What the tasks say. One that was deleted by SQL had not ended, where it was counted."""
        cause = self.wait.cause
        if cause is None and self.wait.on_failure is OnParentFailure.CANCEL:
            if self.failed:
                cause = ANY
            elif self.wait.unmet != self.open:
                cause = self.gone
        return self.wait._replace(unmet=self.open, cause=cause)


async def lost_waits(
    connection: Connection, *, status: Status, after: int, limit: int
) -> Audited[int]:
    """Look at so many tasks, after an id, that nobody has to look at; those that wait for others
    and have no wait get one, but for rows that somebody holds. The walk through the waits counts
    them."""
    found = await connection.fetch(_FLAGS, (status, after, limit))
    lost = [i for i, flags, wait in found if flags & WAITS_FOR_TASKS and wait is None]
    if lost:
        tasks = await statements.lock_tasks(connection, lost, whole=False, skip_locked=True)
        # Who makes a wait, or deletes one, holds its task.
        have = {wait.task_id for wait in await rows.lock_waits(connection, tasks)}
        waits = [
            Wait(task.id, UNCOUNTED, _on_failure(task.flags))
            for task in tasks.values()
            if task.flags & WAITS_FOR_TASKS and task.id not in have
        ]
        await rows.insert_waits_last(connection, waits)
    return Audited(found[-1][0] if len(found) == limit else None, 0)


def _on_failure(flags: int) -> OnParentFailure:
    return OnParentFailure.RUN if flags & RUNS_AFTER_FAILURE else OnParentFailure.CANCEL


async def waits(connection: Connection, *, after: int, limit: int) -> Audited[int]:
    """Look at so many waits after a task's id: those of no task that waits go, the others are
    counted, and what they depend on and is not there is forgotten."""
    ids = [row[0] for row in await connection.fetch(_WAITS, (after, limit))]
    wrong = await _wrong(connection, ids)
    if wrong:
        await rows.lock_waits(connection, [counted.wait.task_id for counted in wrong])
        wrong = await _wrong(connection, [counted.wait.task_id for counted in wrong])
        left = [counted.wait.task_id for counted in wrong if counted.has_no_task]
        stay = [counted for counted in wrong if not counted.has_no_task]
        await rows.delete_waits(connection, left)
        await _forget_gone(connection, [c.wait.task_id for c in stay if c.gone is not None])
        await rows.set_waits_last(connection, [c.right for c in stay], await connection.now())
    return Audited(ids[-1] if len(ids) == limit else None, len(wrong))


async def _wrong(connection: Connection, ids: Sequence[int]) -> list[_Counted]:
    if not ids:
        return []
    all_ = [
        _Counted(
            Wait(task_id, unmet, OnParentFailure(how), cause), status, flags, int(open_),
            int(failed), gone, told,
        )
        for task_id, unmet, how, cause, status, flags, open_, failed, gone, told
        in await connection.fetch(_COUNT.format(placeholders(ids)), ids)
    ]  # fmt: skip
    return [counted for counted in all_ if not counted.is_right]


async def _forget_gone(connection: Connection, of_children: Sequence[int]) -> None:
    if of_children:
        statement = _GONE_PARENTS.format(placeholders(of_children))
        found = await connection.fetch(statement, of_children)
        await rows.delete_edges(connection, [Edge(*row) for row in found])


async def edges(
    connection: Connection, *, after: tuple[int, int], limit: int
) -> Audited[tuple[int, int]]:
    """Look at so many dependencies after (parent, child), and delete those of which one is not
    there; what a task that waits depends on is left to the walk through the waits."""
    found = await connection.fetch(_EDGES, (after[0], *after, limit))
    lost = [Edge(parent_id, child_id) for parent_id, child_id, is_lost in found if is_lost]
    await rows.delete_edges(connection, lost)
    return Audited((found[-1][0], found[-1][1]) if len(found) == limit else None, len(lost))
