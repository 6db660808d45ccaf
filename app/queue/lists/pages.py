"""The statements of a page: along an index, along a tag's tasks, or along several streams."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from app.queue.lists.filters import TaskFilter, Where, conditions

BEGINNING, END = datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001


class OrderBy(StrEnum):
    """What a list goes by."""

    CREATED_AT = "created_at"
    # Only of tasks that wait for their time, and by that.
    AVAILABLE_AT = "available_at"
    # In none: they are counted.
    NOTHING = ""


# What waits for its time has it there too, in an index.
_COLUMNS: Final = {OrderBy.CREATED_AT: "created_at", OrderBy.AVAILABLE_AT: "sweep_at"}


class Position(NamedTuple):
    """A task's place in the order."""

    at: datetime
    id: int


class Page(NamedTuple):
    """Where a list goes on, and how far: the last first, or the first first."""

    limit: int
    is_ascending: bool = False
    after: Position | None = None
    order_by: OrderBy = OrderBy.CREATED_AT

    @property
    def column(self) -> str:
        """The time that it goes by."""
        return _COLUMNS.get(self.order_by, "created_at")

    def order(self, at: str, task_id: str) -> str:
        if self.order_by is OrderBy.NOTHING:
            return ""
        direction = "ASC" if self.is_ascending else "DESC"
        return f"ORDER BY {at} {direction}, {task_id} {direction}"


class Span(NamedTuple):
    """From when until when (not included) tasks are looked for, by what the list goes by. None:
    without an end, so that the last of all times, a program's word for never, is in it."""

    begin: datetime = BEGINNING
    end: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self.end is not None and self.begin >= self.end


class Asked(NamedTuple):
    """What is wanted of the tasks that match, tags by name and id."""

    columns: str
    wanted: TaskFilter
    tag_ids: Mapping[str, int]
    span: Span
    page: Page


class Streams(NamedTuple):
    """An index, its first columns, and what to look up by them: behind each, tasks are in the
    order of the list."""

    name: str
    columns: tuple[str, ...]
    places: Sequence[tuple[str, ...]]


def along(asked: Asked, index: str | None = None) -> Where:
    """Along one index, or through few enough rows to sort them; by their ids without one."""
    columns, wanted, tag_ids, span, page = asked
    at = f"tasks.{page.column}"
    place = _place(at, "tasks.id", span, page)
    matches = conditions(wanted, tag_ids.values())
    table = "tasks" if index is None else f"tasks FORCE INDEX ({index})"
    return Where(
        f"SELECT {columns} FROM {table} WHERE {place.condition} AND {matches.condition} "
        f"{page.order(at, 'tasks.id')} LIMIT %s",
        (*place.values, *matches.values, page.limit),
        index or "PRIMARY",
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
        "ix_task_tags_tag",
    )


def merged(asked: Asked, streams: Streams) -> Where:
    """Along each of the streams, which are no part of what else is wanted, and of all those the
    first."""
    columns, wanted, tag_ids, span, page = asked
    place = _place(page.column, "id", span, page)
    matches = conditions(wanted, tag_ids.values())
    lookup = " AND ".join(f"{column} = %s" for column in streams.columns)
    stream = (
        f"(SELECT id, {page.column} AS at FROM tasks FORCE INDEX ({streams.name}) "
        f"WHERE {lookup} AND {place.condition} AND {matches.condition} "
        f"{page.order(page.column, 'id')} LIMIT %s)"
    )
    values: list[Any] = []
    for looked_up in streams.places:
        values += (*looked_up, *place.values, *matches.values, page.limit)
    return Where(
        f"SELECT {columns} FROM (SELECT id AS page_id, at AS page_at FROM ("
        f"{' UNION ALL '.join([stream] * len(streams.places))}) AS streams "
        f"{page.order('at', 'id')} LIMIT %s) AS page "
        f"STRAIGHT_JOIN tasks ON tasks.id = page_id {page.order('page_at', 'page_id')}",
        (*values, page.limit),
        streams.name,
    )


def _place(at: str, task_id: str, span: Span, page: Page) -> Where:
    """From where on, as ranges of an index on both."""
    condition, values = f"{at} >= %s", [span.begin]
    if span.end is not None:
        condition += f" AND {at} < %s"
        values.append(span.end)
    if page.after is None:
        return Where(condition, tuple(values))
    last, after_id = page.after
    beyond = ">" if page.is_ascending else "<"
    return Where(
        f"({at} = %s AND {task_id} {beyond} %s OR {at} {beyond} %s) AND {condition}",
        (last, after_id, last, *values),
    )
