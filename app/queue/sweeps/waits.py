"""Tasks whose wait for others is over, and is not dealt with yet: they are freed, or cancelled with
what they depend on. One small batch a call."""

from collections.abc import Collection
from typing import Any, Final

from app.domain import transitions
from app.domain.dependency import ANY, WAITS_FOR_TASKS, Crossing
from app.mysql.connection import Connection, placeholders
from app.queue import statements
from app.queue.dependencies import rows
from app.queue.dependencies.linking import FATES
from app.queue.dependents import changes_of
from app.queue.requests import Move

_DUE: Final = (
    "SELECT task_id, cause FROM task_waits FORCE INDEX (ix_task_waits_look_at) "
    "WHERE look_at IS NOT NULL ORDER BY look_at LIMIT %s"
)
_FAILED: Final = (
    "SELECT child_id, MIN(parent_id) "
    "FROM task_dependencies FORCE INDEX (ix_task_dependencies_child) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = parent_id "
    "WHERE child_id IN ({}) AND status IN ('failed', 'cancelled') GROUP BY child_id"
)
_STATUSES: Final = "SELECT id, status FROM tasks FORCE INDEX (PRIMARY) WHERE id IN ({})"
_TO_TELL: Final = (
    "SELECT parent_id, has_failed, after_child FROM fanouts FORCE INDEX (PRIMARY) "
    "ORDER BY parent_id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_NEXT_CHILDREN: Final = (
    "SELECT child_id FROM task_dependencies FORCE INDEX (PRIMARY) "
    "WHERE parent_id = %s AND child_id > %s ORDER BY child_id LIMIT %s"
)


async def due(connection: Connection, *, limit: int) -> dict[int, int | None]:
    """Those that the sweep has to look at, by a plain read, each with the task that it is to be
    cancelled for."""
    return dict(await connection.fetch(_DUE, (limit,)))  # type: ignore[arg-type]


async def look_at(connection: Connection, *, waits: dict[int, int | None]) -> list[Move]:
    """Free or cancel these, but for rows that somebody else holds; those that were cancelled.

    A task is cancelled a level a transaction: those that wait for it follow in the next, or waits
    would be locked out of order.
    """
    changes = changes_of(connection.unsettled)
    changes.looks.update(waits)
    doomed = {task_id: cause for task_id, cause in waits.items() if cause is not None}
    if not doomed:
        return []
    now = await connection.now()
    tasks = await statements.lock_tasks(connection, doomed, whole=False, skip_locked=True)
    unknown = {i for i, cause in doomed.items() if cause == ANY and i in tasks}
    found = await _pairs(connection, _FAILED, unknown)
    causes = {i: found.get(i, 0) if i in unknown else cause for i, cause in doomed.items()}
    fates = await _pairs(connection, _STATUSES, {cause for cause in causes.values() if cause})
    moves: list[Move] = []
    for task_id, task in tasks.items():
        cause = causes[task_id]
        fate = FATES.get(fates[cause]) if cause in fates else "was deleted"
        if not cause or fate is None:
            # It was retried since. Whether another one has failed is looked up next time.
            changes.causes[task_id] = doomed[task_id], ANY if cause else None
        elif task.flags & WAITS_FOR_TASKS:
            error = f"dependency {cause} {fate}"
            moves.append((task, transitions.cascaded(task, now=now, error=error)))
        else:
            changes.left.add(task_id)
    await statements.move(connection, moves)
    return moves


async def is_to_tell(connection: Connection) -> bool:
    """Whether somebody is to be told bit by bit. Plain."""
    ((found,),) = await connection.fetch("SELECT EXISTS (SELECT 1 FROM fanouts)")
    return bool(found)


async def tell_bit_by_bit(connection: Connection) -> bool:
    """Tell some of those who depend on one task that it has ended; whether there was one."""
    to_tell = await connection.fetch(_TO_TELL)
    if not to_tell:
        return False
    ((parent_id, has_failed, after_child),) = to_tell
    is_there = bool(await _pairs(connection, _STATUSES, {parent_id}))
    found = await connection.fetch(_NEXT_CHILDREN, (parent_id, after_child, rows.EDGES))
    if has_failed is not None and found:
        crossing = Crossing(parent_id, -1, has_failed=bool(has_failed))
        told = changes_of(connection.unsettled).told
        for (child_id,) in found:
            told[child_id].append(crossing)
        await connection.execute(
            "UPDATE fanouts SET after_child = %s WHERE parent_id = %s", (found[-1][0], parent_id)
        )
        return True
    if not is_there:
        edges = await rows.children(connection, [parent_id], limit=rows.EDGES)
        await rows.delete_edges(connection, edges)
        if len(edges) == rows.EDGES:
            return True
    await connection.execute("DELETE FROM fanouts WHERE parent_id = %s", (parent_id,))
    return True


async def _pairs(connection: Connection, statement: str, ids: Collection[int]) -> dict[int, Any]:
    if not ids:
        return {}
    wanted = sorted(ids)
    return dict(await connection.fetch(statement.format(placeholders(wanted)), wanted))  # type: ignore[arg-type]
