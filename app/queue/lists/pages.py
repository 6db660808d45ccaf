"""The statements of a page: along an index, along a tag's tasks, or along several streams."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.queue.lists.filters import TaskFilter, Where, conditions

BEGINNING, END = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001


class Position(NamedTuple):
    """A task's place in the order."""

    created_at: datetime
    id: int


class Page(NamedTuple):
    """Where a list goes on, and how far: newest first, or oldest first."""

    limit: int
    is_ascending: bool = False
    after: Position | None = None

    def order(self, created_at: str, task_id: str) -> str:
        direction = "ASC" if self.is_ascending else "DESC"
        return f"ORDER BY {created_at} {direction}, {task_id} {direction}"


class Span(NamedTuple):
    """From when until when (not included) tasks are looked for."""

    begin: datetime = BEGINNING
    end: datetime = END


class Asked(NamedTuple):
    """What is wanted of the tasks that match, tags by name and id."""

    columns: str
    wanted: TaskFilter
    tag_ids: Mapping[str, int]
    span: Span
    page: Page


def along(asked: Asked, table: str) -> Where:
    """Along one index, or through few enough rows to sort them."""
    columns, wanted, tag_ids, span, page = asked
    place = _place("tasks.created_at", "tasks.id", span, page)
    matches = conditions(wanted, tag_ids.values())
    return Where(
        f"SELECT {columns} FROM {table} WHERE {place.condition} AND {matches.condition} "
        f"{page.order('tasks.created_at', 'tasks.id')} LIMIT %s",
        (*place.values, *matches.values, page.limit),
    )


def tagged(asked: Asked, leader: str) -> Where:
    """Along the tasks of one tag."""
    columns, wanted, tag_ids, span, page = asked
    created_at, task_id = "leader.task_created_at", "leader.task_id"
    place = _place(created_at, task_id, span, page)
    matches = conditions(wanted, (i for name, i in tag_ids.items() if name != leader))
    return Where(
        f"SELECT {columns} FROM task_tags AS leader FORCE INDEX (ix_task_tags_tag) "
        f"STRAIGHT_JOIN tasks ON tasks.id = leader.task_id "
        f"WHERE leader.tag_id = %s AND {place.condition} AND {matches.condition} "
        f"{page.order(created_at, task_id)} LIMIT %s",
        (tag_ids[leader], *place.values, *matches.values, page.limit),
    )


def merged(asked: Asked, streams: Sequence[tuple[str, str, str]]) -> Where:
    """Along each combination of status, queue and priority, and of all those the first."""
    columns, wanted, tag_ids, span, page = asked
    place = _place("created_at", "id", span, page)
    rest = wanted._replace(status=(), queue=(), priority=())
    matches = conditions(rest, tag_ids.values())
    order = page.order("created_at", "id")
    stream = (
        "(SELECT id, created_at FROM tasks FORCE INDEX (ix_tasks_list) "
        "WHERE status = %s AND queue = %s AND priority = %s "
        f"AND {place.condition} AND {matches.condition} {order} LIMIT %s)"
    )
    values: list[Any] = []
    for combination in streams:
        values += (*combination, *place.values, *matches.values, page.limit)
    return Where(
        f"SELECT {columns} FROM (SELECT id AS page_id, created_at AS page_created_at FROM ("
        f"{' UNION ALL '.join([stream] * len(streams))}) AS streams {order} LIMIT %s) AS page "
        f"STRAIGHT_JOIN tasks ON tasks.id = page_id {page.order('page_created_at', 'page_id')}",
        (*values, page.limit),
    )


def _place(created_at: str, task_id: str, span: Span, page: Page) -> Where:
    """From where on, as ranges of an index on both."""
    begin, end = span
    condition, values = f"{created_at} >= %s AND {created_at} < %s", (begin, end)
    if page.after is None:
        return Where(condition, values)
    at, after_id = page.after
    beyond = ">" if page.is_ascending else "<"
    return Where(
        f"({created_at} = %s AND {task_id} {beyond} %s OR {created_at} {beyond} %s) "
        f"AND {condition}",
        (at, after_id, at, *values),
    )
