"""The filters of `GET /tasks` as a WHERE clause. All combine."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from app.domain.states import Priority, Status
from app.mysql.connection import placeholders


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
    worker: str | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    available_after: datetime | None = None
    available_before: datetime | None = None


class Where(NamedTuple):
    """A condition on `tasks` and its values; of a statement, the index that rows are found along,
    and whether it finds all that match and sorts them."""

    condition: str
    values: tuple[Any, ...]
    along: str = "PRIMARY"
    is_sorted: bool = False


def conditions(wanted: TaskFilter, tag_ids: Iterable[int]) -> Where:
    """All of a filter as conditions on `tasks`; `tag_ids` are the tags still to be looked for."""
    found: list[str] = []
    values: list[Any] = []
    for column, members in (
        ("status", [str(s) for s in wanted.status]),
        ("priority", [str(p) for p in wanted.priority]),
        ("queue", list(wanted.queue)),
        ("id", list(wanted.ids)),
    ):
        if members:
            found.append(f"tasks.{column} IN ({placeholders(members)})")
            values += members
    for tag_id in tag_ids:
        # In the order of the tasks it is asked for, and so page by page. Not EXISTS, which either
        # server may turn round: all tasks of the tag, and then those that are asked for.
        found.append(
            "(SELECT 1 FROM task_tags FORCE INDEX (ix_task_tags_tag) WHERE tag_id = %s "
            "AND task_created_at = tasks.created_at AND task_id = tasks.id LIMIT 1) = 1"
        )
        values.append(tag_id)
    if wanted.title is not None:
        found.append("title LIKE %s")
        values.append("%" + _escaped(wanted.title) + "%")
    if wanted.worker is not None:
        found.append("worker = %s COLLATE utf8mb4_bin")
        values.append(wanted.worker)
    for comparison, moment in (
        ("tasks.created_at >= %s", wanted.created_after),
        ("tasks.created_at < %s", wanted.created_before),
        ("due_date >= %s", wanted.due_after),
        ("due_date < %s", wanted.due_before),
        ("completed_at >= %s", wanted.completed_after),
        ("completed_at < %s", wanted.completed_before),
        ("available_at >= %s", wanted.available_after),
        ("available_at < %s", wanted.available_before),
    ):
        if moment is not None:
            found.append(comparison)
            values.append(moment)
    return Where(" AND ".join(found) or "TRUE", tuple(values))


def _escaped(text: str) -> str:
    """`%` and `_` are characters like any other to whoever searches."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
