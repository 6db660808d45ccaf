"""The filters of `GET /tasks` as a WHERE clause. All combine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.db import Connection, marks
from app.states import Priority, Status


class TaskFilter(NamedTuple):
    """Any of `status`, `priority`, `queue`, `ids`; all of `tags`; and the rest as said."""

    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    queue: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    title: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    due_after: datetime | None = None
    due_before: datetime | None = None


class Where(NamedTuple):
    """A condition on `tasks` and its values."""

    condition: str
    values: tuple[Any, ...]


async def where(connection: Connection, wanted: TaskFilter) -> Where | None:
    """The condition, or None where nothing can match (a tag that nobody has used)."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, members in (
        ("status", [str(s) for s in wanted.status]),
        ("priority", [str(p) for p in wanted.priority]),
        ("queue", list(wanted.queue)),
        ("id", list(wanted.ids)),
    ):
        if members:
            conditions.append(f"tasks.{column} IN ({marks(members)})")
            values += members
    if wanted.tags:
        tag_ids = await _tag_ids(connection, wanted.tags)
        if len(tag_ids) < len(set(wanted.tags)):
            return None
        for tag_id in tag_ids:
            conditions.append(
                "EXISTS (SELECT 1 FROM task_tags WHERE task_id = tasks.id AND tag_id = %s)"
            )
            values.append(tag_id)
    if wanted.title is not None:
        conditions.append("title LIKE %s")
        values.append("%" + _escaped(wanted.title) + "%")
    for comparison, moment in (
        ("created_at >= %s", wanted.created_after),
        ("created_at < %s", wanted.created_before),
        ("due_date >= %s", wanted.due_after),
        ("due_date < %s", wanted.due_before),
    ):
        if moment is not None:
            conditions.append(comparison)
            values.append(moment)
    return Where(" AND ".join(conditions) or "TRUE", tuple(values))


async def _tag_ids(connection: Connection, names: Sequence[str]) -> list[int]:
    rows = await connection.fetch(
        f"SELECT id FROM tags WHERE name IN ({marks(names)})",
        tuple(names),
    )
    return [row[0] for row in rows]


def _escaped(text: str) -> str:
    """`%` and `_` are characters like any other to whoever searches."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
