"""`GET /tasks`: a page of what matches, newest or oldest first, however many tasks there are.

The order is by `created_at` and id. Whatever the filters, the rows are found along an index that
has this order behind what it is looked up by, so that a page is read from its place on, and
nothing is sorted but the page:

- a tag: `task_tags (tag_id, task_created_at, task_id)`;
- status, queue, priority: `tasks (status, queue, priority, created_at, id, due_date)`, a stream for
  each combination, merged;
- neither: `tasks (created_at)`.

Of several tags the rarest leads; of a tag and the rest what takes fewer reads, by the counters:
they choose the way, and never the result. Due dates say between which
`created_at` their tasks are: one look for each day that has some.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import date, timedelta
from itertools import product
from typing import Final, NamedTuple

from pymysql import err

from app.domain.errors import SearchTooSlowError
from app.domain.states import Priority, Status
from app.domain.task import ROW, Task, task_of
from app.mysql.connection import Connection, placeholders
from app.mysql.time_limits import is_out_of_time, timed
from app.queue.figures import counters
from app.queue.lists.filters import TaskFilter, Where
from app.queue.lists.pages import BEGINNING, END, Asked, Page, Position, Span, along, merged, tagged

# Beyond these, one look at each combination takes longer than reading along `created_at`.
MOST_STREAMS: Final = 128
# So few are quickly sorted.
FEW_TASKS: Final = 50_000
# A whole row, against an entry of an index in its order.
ROW_COST: Final = 3
_INSTANT: Final = timedelta(microseconds=1)


class _Counts(NamedTuple):
    """How many tasks there are, and in each combination of status, queue and priority asked for."""

    total: int
    matching: list[int]


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
    add: Callable[[Task], int],
    limit_bytes: int,
) -> Listed:
    """Give the tasks of a page to `add`, which says how large they are by now together. The page
    ends early when they are so large.

    Raises `SearchTooSlowError` when MySQL gives up after that long.
    """
    query = await _query(connection, ROW, wanted, page._replace(limit=page.limit + 1))
    if query is None:
        return Listed(None, is_full=False)
    count = size = 0
    last: Position | None = None
    select = timed(query.condition, timeout_seconds, is_mariadb=connection.is_mariadb)
    with _in_time(timeout_seconds):
        async with aclosing(connection.stream(select, query.values, reads_on=False)) as rows:
            # One after the other: a thousand tasks may have half a megabyte each.
            async for (row,) in rows:
                is_full = size > limit_bytes
                if is_full or count == page.limit:
                    return Listed(last, is_full)
                task = task_of(row)
                last = Position(task.created_at, task.id)
                size = add(task)
                count += 1
    return Listed(None, is_full=False)


async def matching(
    connection: Connection, *, wanted: TaskFilter, page: Page, timeout_seconds: float
) -> list[Match]:
    """The tasks of a page. Raises `SearchTooSlowError` likewise."""
    query = await _query(connection, "tasks.created_at, tasks.id, tasks.status", wanted, page)
    if query is None:
        return []
    select = timed(query.condition, timeout_seconds, is_mariadb=connection.is_mariadb)
    with _in_time(timeout_seconds):
        rows = await connection.fetch(select, query.values)
    return [Match(Position(*place), status) for *place, status in rows]


@contextmanager
def _in_time(timeout_seconds: float) -> Iterator[None]:
    try:
        yield
    except err.MySQLError as error:
        if is_out_of_time(error):
            raise SearchTooSlowError(seconds=timeout_seconds) from error
        raise


async def _query(  # noqa: PLR0911 (each way of finding the rows is one)
    connection: Connection, columns: str, wanted: TaskFilter, page: Page
) -> Where | None:
    """The statement of a page and its values; None where nothing can match."""
    tag_ids = await _tag_ids(connection, wanted.tags)
    span = await _span(connection, wanted)
    if span.begin >= span.end or len(tag_ids) < len(wanted.tags):
        return None
    asked = Asked(columns, wanted, tag_ids, span, page)
    if wanted.ids:
        return along(asked, "tasks")
    by_state = wanted.status or wanted.queue or wanted.priority
    if not by_state and not tag_ids:
        return along(asked, "tasks FORCE INDEX (ix_tasks_created)")
    if not by_state and len(tag_ids) == 1:
        return tagged(asked, wanted.tags[0])
    if tag_ids:
        of_tag = await _tag_counts(connection, wanted.tags)
        rarest = min(of_tag, key=lambda name: of_tag[name])
        if not by_state or _by_tag_costs_less(
            of_tag[rarest], await _counts(connection, wanted), page.limit
        ):
            return tagged(asked, rarest)
    streams = await _streams(connection, wanted)
    if len(streams) <= MOST_STREAMS:
        return merged(asked, streams) if streams else None
    if sum((await _counts(connection, wanted)).matching) > FEW_TASKS:
        return along(asked, "tasks FORCE INDEX (ix_tasks_created)")
    # All of them named: the index is no use without its first columns.
    statuses, queues, _ = map(dict.fromkeys, zip(*streams, strict=True))
    named = wanted._replace(status=tuple(statuses), queue=tuple(queues))
    return along(asked._replace(wanted=named), "tasks FORCE INDEX (ix_tasks_list)")


def _by_tag_costs_less(of_tag: int, in_states: _Counts, limit: int) -> bool:
    """Whether it takes fewer reads to go along a tag's tasks, looking up the row of each, or along
    the streams, looking up the tag of each; were one independent of the other."""
    total, matching = max(in_states.total, 1), in_states.matching
    by_tag = min(of_tag, limit * total / max(sum(matching), 1))
    by_stream = sum(min(count, limit * total / max(of_tag, 1)) for count in matching)
    return ROW_COST * by_tag <= by_stream


async def _span(connection: Connection, wanted: TaskFilter) -> Span:
    """When the tasks were created that can match: as the filter says, and as far as tasks with
    such due dates are."""
    begin, end = wanted.created_after or BEGINNING, wanted.created_before or END
    due_after, due_before = wanted.due_after, wanted.due_before
    if due_after is not None and due_before is not None and due_after >= due_before:
        return Span(END, BEGINNING)
    if due_after is not None or due_before is not None:
        days = (
            due_after.date() if due_after is not None else date(1000, 1, 1),
            due_before.date() if due_before is not None else date(9999, 12, 31),
        )
        ((first, last),) = await connection.fetch(
            "SELECT MIN(first), MAX(last) FROM ("
            "SELECT MIN(created_at) AS first, MAX(created_at) AS last "
            "FROM tasks FORCE INDEX (ix_tasks_due) "
            "WHERE due_day >= %s AND due_day <= %s GROUP BY due_day) AS days",
            days,
        )
        if first is None:
            return Span(END, BEGINNING)
        begin, end = max(begin, first), min(end, last + _INSTANT)
    return Span(begin, end)


async def _streams(connection: Connection, wanted: TaskFilter) -> list[tuple[str, str, str]]:
    """Each (status, queue, priority) that may have tasks that match. All that a task may move to,
    not only those that have some by now."""
    queues: Sequence[str] = wanted.queue
    if not queues:
        # Skips from queue to queue on the claim's index.
        queues = [row[0] for row in await connection.fetch("SELECT DISTINCT queue FROM tasks")]
    statuses, priorities = wanted.status or tuple(Status), wanted.priority or tuple(Priority)
    return [(str(s), q, str(p)) for s, q, p in product(statuses, queues, priorities)]


async def _counts(connection: Connection, wanted: TaskFilter) -> _Counts:
    total, matching = 0, []
    for name, count in (await counters.read_queues(connection)).items():
        kind, *parts = name.split("/")
        if kind == "queue":
            queue, status, priority = parts
            total += count
            if (
                (not wanted.queue or queue in wanted.queue)
                and (not wanted.status or status in wanted.status)
                and (not wanted.priority or priority in wanted.priority)
            ):
                matching.append(count)
    return _Counts(total, matching)


async def _tag_counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """How many tasks each of the tags has."""
    counts = await counters.read_some_tags(connection, names)
    return {name: counts[f"{counters.TAG}{name}"] for name in names}


async def _tag_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    rows = await connection.fetch(
        f"SELECT name, id FROM tags WHERE name IN ({placeholders(names)})", tuple(names)
    )
    return {row[0]: row[1] for row in rows}
