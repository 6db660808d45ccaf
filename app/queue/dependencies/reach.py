"""How far a retry, a cancellation or a deletion goes along dependencies, a level a call. Plain
reads."""

from collections.abc import Sequence
from typing import Final

from app.domain.dependency import CASCADED
from app.mysql.connection import Connection, placeholders

_CASCADED: Final = (
    "SELECT DISTINCT child_id FROM task_dependencies FORCE INDEX (PRIMARY) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = child_id "
    f"WHERE parent_id IN ({{}}) AND status = 'cancelled' AND flags & {CASCADED} "
    "ORDER BY child_id"
)
_OPEN: Final = "status NOT IN ('done', 'failed', 'cancelled')"
_ONLY_FOR: Final = (
    "SELECT DISTINCT parent_id "
    "FROM task_dependencies AS edge FORCE INDEX (ix_task_dependencies_child) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = parent_id "
    f"WHERE child_id IN ({{}}) AND {_OPEN} AND NOT EXISTS ("
    "SELECT 1 FROM task_dependencies AS other FORCE INDEX (PRIMARY) "
    "STRAIGHT_JOIN tasks AS child FORCE INDEX (PRIMARY) ON child.id = other.child_id "
    f"WHERE other.parent_id = edge.parent_id AND child.{_OPEN}) ORDER BY parent_id"
)

_NEEDED: Final = (
    "SELECT DISTINCT parent_id FROM task_dependencies FORCE INDEX (PRIMARY) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = child_id "
    f"WHERE parent_id IN ({{}}) AND {_OPEN}"
)


async def needed_of(connection: Connection, parents: Sequence[int]) -> set[int]:
    """Those of them on which a task depends that has not ended."""
    return set(await _ids(connection, _NEEDED, parents)) if parents else set()


async def cascaded(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Those that were cancelled for what has become of one of these."""
    return await _ids(connection, _CASCADED, ids)


async def only_for(connection: Connection, ids: Sequence[int]) -> list[int]:
    """What these depend on, has not ended, and nobody else waits for."""
    return await _ids(connection, _ONLY_FOR, ids)


async def _ids(connection: Connection, statement: str, ids: Sequence[int]) -> list[int]:
    rows = await connection.fetch(statement.format(placeholders(ids)), ids)
    return [row[0] for row in rows]
