"""`GET /tasks`: a page of what matches, newest or oldest first, and how many that are."""

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime
from typing import NamedTuple

from pymysql import err

from app.domain.errors import SearchTooSlowError
from app.domain.task import ROW, SUMMARY_ROW, Summary, Task, summary_of, task_of
from app.mysql.connection import Connection
from app.mysql.time_limits import is_out_of_time, timed
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import Page, Position
from app.queue.lists.ways import query


class Match(NamedTuple):
    """Where a task that matches is in the order, and its state."""

    position: Position
    status: str


class Listed(NamedTuple):
    """How a page has ended: after which task the next one begins, if any; and whether it ended
    early, because its tasks are large."""

    last: Position | None
    is_full: bool


async def list_tasks(
    connection: Connection,
    *,
    wanted: TaskFilter,
    page: Page,
    timeout_seconds: float,
    add: Callable[[Task | Summary], int],
    limit_bytes: int,
    is_summary: bool = False,
) -> Listed:
    """Give the tasks of a page to `add`, which says how large they are by now together. The page
    ends early when they are so large. Of a summary no long text is read, but the sizes are known.

    Raises `SearchTooSlowError` when MySQL gives up after that long.
    """
    columns = SUMMARY_ROW if is_summary else ROW
    asked = await query(connection, columns, wanted, page._replace(limit=page.limit + 1))
    if asked is None:
        return Listed(None, is_full=False)
    count = size = 0
    last: Position | None = None
    select = timed(asked.condition, timeout_seconds, is_mariadb=connection.is_mariadb)
    with in_time(timeout_seconds):
        async with aclosing(connection.stream(select, asked.values, reads_on=False)) as rows:
            # One after the other: a thousand tasks may have half a megabyte each.
            async for (row,) in rows:
                is_full = size > limit_bytes
                if is_full or count == page.limit:
                    return Listed(last, is_full)
                found = summary_of(row) if is_summary else task_of(row)
                task = found.task if isinstance(found, Summary) else found
                last = Position(_at(task, page), task.id)
                size = add(found)
                count += 1
    return Listed(None, is_full=False)


async def matching(
    connection: Connection, *, wanted: TaskFilter, page: Page, timeout_seconds: float
) -> list[Match]:
    """The tasks of a page. Raises `SearchTooSlowError` likewise."""
    asked = await query(connection, "tasks.created_at, tasks.id, tasks.status", wanted, page)
    if asked is None:
        return []
    select = timed(asked.condition, timeout_seconds, is_mariadb=connection.is_mariadb)
    with in_time(timeout_seconds):
        rows = await connection.fetch(select, asked.values)
    return [Match(Position(*place), status) for *place, status in rows]


def _at(task: Task, page: Page) -> datetime:
    at = getattr(task, page.column)
    assert isinstance(at, datetime)
    return at


@contextmanager
def in_time(timeout_seconds: float) -> Iterator[None]:
    try:
        yield
    except err.MySQLError as error:
        if is_out_of_time(error):
            raise SearchTooSlowError(seconds=timeout_seconds) from error
        raise
