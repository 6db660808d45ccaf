"""The rows of dependencies: who depends on whom, who still waits, and ends that are told bit by
bit.

A wait is a row of its own, locked after all tasks: who ends a task that others depend on would
otherwise lock those while it holds its own, whatever their order. All is looked up and deleted by
the primary key in ascending order.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.domain.dependency import OnParentFailure, Wait
from app.mysql.connection import Connection, placeholders
from app.queue.deletion import delete_by_key

# So many that depend on what one transaction ends are told at once.
EDGES: Final = 2000
CHUNK: Final = 1000

_CHILDREN: Final = (
    "SELECT parent_id, child_id FROM task_dependencies FORCE INDEX (PRIMARY) "
    "WHERE parent_id IN ({}) ORDER BY parent_id, child_id LIMIT %s"
)
_WAITING_CHILDREN: Final = (
    "SELECT parent_id, child_id FROM task_dependencies FORCE INDEX (PRIMARY) "
    "STRAIGHT_JOIN task_waits FORCE INDEX (PRIMARY) ON task_id = child_id "
    "WHERE parent_id IN ({})"
)
_PARENTS: Final = (
    "SELECT parent_id, child_id FROM task_dependencies FORCE INDEX (ix_task_dependencies_child) "
    "WHERE child_id IN ({})"
)
_LOCK_WAITS: Final = (
    "SELECT task_id, unmet, on_failure, cause FROM task_waits FORCE INDEX (PRIMARY) "
    "WHERE task_id IN ({}) ORDER BY task_id FOR UPDATE"
)
_SET_WAITS: Final = (
    "UPDATE task_waits FORCE INDEX (PRIMARY) SET unmet = CASE task_id {unmet}END, "
    "cause = CASE task_id {cause}END, look_at = CASE task_id {look_at}END WHERE task_id IN ({ids})"
)
_INSERT_WAITS: Final = "INSERT INTO task_waits (task_id, unmet, on_failure) VALUES {}"
_INSERT_EDGES: Final = "INSERT INTO task_dependencies (parent_id, child_id, name) VALUES {}"
_TOLD_BIT_BY_BIT: Final = (
    "SELECT parent_id FROM fanouts FORCE INDEX (PRIMARY) WHERE parent_id IN ({})"
)
_INSERT_FANOUTS: Final = "INSERT INTO fanouts (parent_id, has_failed, after_child) VALUES {}"


class Edge(NamedTuple):
    """A task waits, or has waited, for another one, its parent."""

    parent_id: int
    child_id: int


async def children(
    connection: Connection, parents: Collection[int], *, limit: int = EDGES
) -> list[Edge]:
    """Who depends on these, in the order of the primary key, and no more than so many. Plain."""
    if not parents:
        return []
    ids = sorted(parents)
    rows = await connection.fetch(_CHILDREN.format(placeholders(ids)), (*ids, limit))
    return [Edge(*row) for row in rows]


async def waiting_children(connection: Connection, parents: Collection[int]) -> list[Edge]:
    """Those of them that wait. Plain."""
    return await _edges(connection, _WAITING_CHILDREN, parents)


async def parents(connection: Connection, of_children: Collection[int]) -> list[Edge]:
    """On whom these depend. Plain."""
    return await _edges(connection, _PARENTS, of_children)


async def _edges(connection: Connection, statement: str, ids: Collection[int]) -> list[Edge]:
    if not ids:
        return []
    wanted = sorted(ids)
    rows = await connection.fetch(statement.format(placeholders(wanted)), wanted)
    return [Edge(*row) for row in rows]


async def lock_waits(connection: Connection, ids: Collection[int]) -> list[Wait]:
    """The waits of these tasks, as far as they wait, locked in order."""
    found: list[Wait] = []
    wanted = sorted(ids)
    for begin in range(0, len(wanted), CHUNK):
        chunk = wanted[begin : begin + CHUNK]
        rows = await connection.fetch(_LOCK_WAITS.format(placeholders(chunk)), chunk)
        found += [Wait(i, unmet, OnParentFailure(how), cause) for i, unmet, how, cause in rows]
    return found


async def set_waits_last(connection: Connection, waits: Sequence[Wait], now: datetime) -> None:
    """Write waits, which are locked, together with the commit. The sweep looks at those at once
    that have come to an end."""
    for begin in range(0, len(waits), CHUNK):
        chunk = waits[begin : begin + CHUNK]
        when = "WHEN %s THEN %s " * len(chunk)
        look_ats = [now if wait.is_over else None for wait in chunk]
        statement = _SET_WAITS.format(unmet=when, cause=when, look_at=when, ids=placeholders(chunk))
        values = [
            *(value for wait in chunk for value in (wait.task_id, wait.unmet)),
            *(value for wait in chunk for value in (wait.task_id, wait.cause)),
            *(value for w, at in zip(chunk, look_ats, strict=True) for value in (w.task_id, at)),
            *(wait.task_id for wait in chunk),
        ]
        await connection.execute_last(statement, values)


async def insert_waits_last(connection: Connection, waits: Sequence[Wait]) -> None:
    """New ones, of tasks that nobody else can know of or that are locked, likewise."""
    rows = [(wait.task_id, wait.unmet, str(wait.on_failure)) for wait in waits]
    await _insert_last(connection, _INSERT_WAITS, rows)


async def insert_edges_last(
    connection: Connection, edges: Sequence[tuple[int, int, str | None]]
) -> None:
    """New ones (parent, child, the parent's name there), of parents that are locked, likewise."""
    await _insert_last(connection, _INSERT_EDGES, sorted(edges))


async def delete_waits(connection: Connection, ids: Collection[int]) -> None:
    """Waits that are locked."""
    await delete_by_key(connection, table="task_waits", key="task_id", values=sorted(ids))


async def delete_edges(connection: Connection, edges: Collection[Edge]) -> None:
    """Those of the edges that are there, in order."""
    ordered = sorted(edges)
    for begin in range(0, len(ordered), CHUNK):
        chunk = ordered[begin : begin + CHUNK]
        more = " UNION ALL SELECT %s, %s" * (len(chunk) - 1)
        await connection.execute(
            "DELETE task_dependencies FROM "
            f"(SELECT %s AS parent_id, %s AS child_id{more}) AS chosen "
            "STRAIGHT_JOIN task_dependencies FORCE INDEX (PRIMARY) "
            "ON task_dependencies.parent_id = chosen.parent_id "
            "AND task_dependencies.child_id = chosen.child_id",
            [value for edge in chunk for value in edge],
        )


async def told_bit_by_bit(connection: Connection, ids: Collection[int]) -> set[int]:
    """Whose end not all that depend on them know of yet. Plain."""
    if not ids:
        return set()
    wanted = sorted(ids)
    rows = await connection.fetch(_TOLD_BIT_BY_BIT.format(placeholders(wanted)), wanted)
    return {row[0] for row in rows}


async def insert_fanouts_last(
    connection: Connection, ends: Sequence[tuple[int, bool | None]]
) -> None:
    """The end of these (id, whether it has failed; None: there is none to tell, and they are
    deleted) is told bit by bit, by the sweep."""
    await _insert_last(connection, _INSERT_FANOUTS, [(*end, 0) for end in sorted(ends)])


async def _insert_last(
    connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]
) -> None:
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        marks = placeholders(chunk, f"({placeholders(chunk[0])})")
        await connection.execute_last(
            statement.format(marks), [value for row in chunk for value in row]
        )
