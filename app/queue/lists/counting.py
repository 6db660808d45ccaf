"""`GET /tasks/count`: how many tasks match, and whether it is known."""

import time
from contextlib import aclosing
from typing import Final, NamedTuple

from pymysql import err

from app.mysql.connection import Connection
from app.mysql.time_limits import is_out_of_time, timed
from app.queue.figures import counters
from app.queue.lists.by_status import by_status
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import OrderBy, Page
from app.queue.lists.ways import query

# So many are counted as they are found: if the time is over, it is known how many there were.
ONE_BY_ONE: Final = 1000


class Count(NamedTuple):
    """How many tasks; at least so many where it is not exact."""

    tasks: int
    is_exact: bool


async def count_tasks(
    connection: Connection, *, wanted: TaskFilter, limit: int, timeout_seconds: float
) -> Count:
    """By the counters where they know, however many there are; else along an index, up to `limit`,
    and no longer than so many seconds."""
    if (known := await _known(connection, wanted)) is not None:
        return Count(max(known, 0), is_exact=True)
    until = time.monotonic() + timeout_seconds
    most = min(limit + 1, ONE_BY_ONE)
    found, is_over = await _one_by_one(connection, wanted, most, timeout_seconds)
    if not is_over and found == most <= limit:
        together = await _together(connection, wanted, limit + 1, until - time.monotonic())
        is_over = together is None
        found = together or found
    return Count(min(found, limit), is_exact=not is_over and found <= limit)


async def _known(connection: Connection, wanted: TaskFilter) -> int | None:
    """What the counters say; None where they do not."""
    if (found := await by_status(connection, wanted=wanted)) is not None:
        return found.total()
    tag = wanted.tags[:1]
    if wanted == TaskFilter(tags=tag):
        return (await counters.read_some_tags(connection, tag)).total()
    return None


async def _one_by_one(
    connection: Connection, wanted: TaskFilter, limit: int, seconds: float
) -> tuple[int, bool]:
    """How many were found, and whether the time was over before the end."""
    asked = await query(connection, "1", wanted, Page(limit, order_by=OrderBy.NOTHING))
    if asked is None:
        return 0, False
    select = timed(asked.condition, seconds, is_mariadb=connection.is_mariadb)
    found = 0
    try:
        async with aclosing(connection.stream(select, asked.values, reads_on=True)) as rows:
            async for _ in rows:
                found += 1
    except err.MySQLError as error:
        if not is_out_of_time(error):
            raise
        return found, True
    return found, False


async def _together(
    connection: Connection, wanted: TaskFilter, limit: int, seconds: float
) -> int | None:
    """How many there are, up to a limit; None where the time is over before that is known."""
    asked = await query(connection, "1", wanted, Page(limit, order_by=OrderBy.NOTHING))
    if asked is None:
        return 0
    count = f"SELECT COUNT(*) FROM ({asked.condition}) AS counted"
    try:
        ((found,),) = await connection.in_time(max(seconds, 0)).fetch(count, asked.values)
    except err.MySQLError as error:
        if is_out_of_time(error):
            return None
        raise
    return int(found)
