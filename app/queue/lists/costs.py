"""`GET /tasks/cost`: what a page would have MySQL read, without reading it."""

from contextlib import aclosing
from typing import Final, NamedTuple

from app.mysql.connection import Connection
from app.mysql.time_limits import timed
from app.queue.lists.filters import TaskFilter, Where
from app.queue.lists.listing import in_time
from app.queue.lists.pages import Page
from app.queue.lists.ways import counts, narrowed, query, tag_counts

# Rows a second that a search looks at: 300,000 to 400,000 were measured where all are in memory.
ROWS_A_SECOND: Final = 200_000
# InnoDB says half of a table at most, of however much of it: from so much on it may be all.
_ALL: Final = 1 / 3
_CREATED: Final = frozenset({"created_after", "created_before"})
_BY_TIME: Final = "INDEX (ix_tasks_created)"
_TIMES: Final = (*_CREATED, "due_after", "due_before", "completed_before")
# Along each index, the filters that each row found matches.
_SETTLED: Final = {
    "PRIMARY": frozenset({"ids"}),
    "ix_tasks_created": _CREATED,
    "ix_tasks_list": _CREATED | {"status", "queue", "priority"},
    "ix_task_tags_tag": _CREATED | {"tags"},
    "ix_tasks_sweep": frozenset({"status", "available_after", "available_before"}),
}


class Cost(NamedTuple):
    """Along which index a page is found, None where nothing can match; and how many entries of it
    are read: at least so many where tasks that match come first, at most where few or none do."""

    along: str | None
    rows_at_least: int
    rows_at_most: int
    is_estimate: bool
    may_be_cut_off: bool


async def cost_of(
    connection: Connection, *, wanted: TaskFilter, page: Page, timeout_seconds: float
) -> Cost:
    """By the counters where they know; else as MySQL estimates it.

    Raises `SearchTooSlowError` when MySQL does not say so in that time.
    """
    page = page._replace(limit=page.limit + 1)
    only = narrowed(wanted, page)
    asked = await query(connection, "1", wanted, page)
    if asked is None or only is None:
        return Cost(None, 0, 0, is_estimate=False, may_be_cut_off=False)
    streams, is_estimate = await _streams(connection, asked, only), False
    if streams is None or page.after is not None or any(getattr(only, at) for at in _TIMES):
        estimated = await _estimated(connection, asked, timeout_seconds)
        if streams is None or sum(estimated) < _ALL * sum(streams):
            streams, is_estimate = estimated, True
    streams = [max(entries, 0) for entries in streams]
    most = sum(streams)
    if asked.is_sorted:
        least = most
    elif _finds_others(asked.along, wanted):
        least = min(most, page.limit)
    else:
        least = most = sum(min(entries, page.limit) for entries in streams)
    is_long = most > ROWS_A_SECOND * timeout_seconds
    return Cost(asked.along, least, most, is_estimate, is_long)


def _finds_others(along: str, wanted: TaskFilter) -> bool:
    """Whether there may be tasks along the index that do not match."""
    asked = {name for name, value in wanted._asdict().items() if value not in ((), None)}
    return len(wanted.tags) > 1 or not asked <= _SETTLED[along]


async def _streams(connection: Connection, asked: Where, wanted: TaskFilter) -> list[int] | None:
    """How many entries there are from one end to the other, one stream after the other; None where
    the counters do not know."""
    match asked.along:
        case "ix_tasks_created":
            return [(await counts(connection, wanted)).total]
        case "ix_tasks_list":
            return (await counts(connection, wanted)).matching
        case "ix_task_tags_tag":
            return [min((await tag_counts(connection, wanted.tags)).values())]
    return None


async def _estimated(connection: Connection, asked: Where, timeout_seconds: float) -> list[int]:
    """The same by EXPLAIN, of what is between the bounds."""
    # MySQL looks into no range of the only index that it is left with, and says 1.
    select = asked.condition.replace(f"FORCE {_BY_TIME}", f"USE {_BY_TIME}")
    statement = f"EXPLAIN FORMAT=TRADITIONAL {select}"
    explain = timed(statement, timeout_seconds, is_mariadb=connection.is_mariadb)
    # MySQL has columns of partitions and of what the rest filters out besides.
    access, rows = (3, -2) if connection.is_mariadb else (4, -3)
    # Read as a stream: MySQL's note, the statement as it has rewritten it, would be a warning.
    with in_time(timeout_seconds):
        async with aclosing(connection.stream(explain, asked.values, reads_on=True)) as lines:
            return [
                int(line[rows] or 0)
                async for line in lines
                if line[2] in ("tasks", "leader") and line[access] != "eq_ref"
            ]
