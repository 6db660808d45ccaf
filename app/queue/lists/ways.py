"""Which way a page of tasks is found, however many there are.

The order is by `created_at` and id. Whatever the filters, the rows are found along an index that
has this order behind what it is looked up by, so that a page is read from its place on, and
nothing is sorted but the page:

- a tag: `task_tags (tag_id, task_created_at, task_id)`;
- status, queue, priority: `tasks (status, queue, priority, created_at, id, due_date)`, a stream for
  each combination, merged;
- neither: `tasks (created_at)`.

Of several tags the rarest leads; of a tag and the rest what takes fewer reads, by the counters:
they choose the way, and never the result. Due dates say between which
`created_at` their tasks are: one look for each day that has some. What no index is for (`title`,
`worker`, when a task was done, when it may be claimed) is looked for along the same ways, until
the time is over.

By `available_at`, which is of what waits for its time alone, the way is `tasks (status, sweep_at)`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from typing import Final, NamedTuple

from app.domain.states import WAITING, Priority, Status
from app.mysql.connection import Connection, placeholders
from app.queue.figures import counters
from app.queue.lists.filters import TaskFilter, Where
from app.queue.lists.pages import (
    BEGINNING,
    END,
    Asked,
    OrderBy,
    Page,
    Span,
    Streams,
    along,
    merged,
    tagged,
)

# Beyond these, one look at each combination takes longer than reading along `created_at`.
MOST_STREAMS: Final = 128
# So few are quickly sorted.
FEW_TASKS: Final = 50_000
# A whole row, against an entry of an index in its order.
ROW_COST: Final = 3
_INSTANT: Final = timedelta(microseconds=1)


class Counts(NamedTuple):
    """How many tasks there are, and in each combination of status, queue and priority asked for."""

    total: int
    matching: list[int]


async def query(  # noqa: PLR0911 (each way of finding the rows is one)
    connection: Connection, columns: str, wanted: TaskFilter, page: Page
) -> Where | None:
    """The statement of a page and its values; None where nothing can match."""
    only = narrowed(wanted, page)
    if only is None:
        return None
    wanted = only
    tag_ids = await _tag_ids(connection, wanted.tags)
    if len(tag_ids) < len(wanted.tags):
        return None
    if page.order_by is OrderBy.AVAILABLE_AT:
        return _delayed(Asked(columns, wanted, tag_ids, Span(), page))
    span = await _span(connection, wanted)
    if span.is_empty:
        return None
    asked = Asked(columns, wanted, tag_ids, span, page)
    if wanted.ids:
        return along(asked)
    by_state = wanted.status or wanted.queue or wanted.priority
    if not by_state and not tag_ids:
        return along(asked, "ix_tasks_created")
    if not by_state and len(tag_ids) == 1:
        return tagged(asked, wanted.tags[0])
    if tag_ids:
        of_tag = await tag_counts(connection, wanted.tags)
        rarest = min(of_tag, key=lambda name: of_tag[name])
        if not by_state or _by_tag_costs_less(
            of_tag[rarest], await counts(connection, wanted), page.limit
        ):
            return tagged(asked, rarest)
    streams = await _streams(connection, wanted)
    if not streams:
        return None
    if len(streams) <= MOST_STREAMS and page.order_by is not OrderBy.NOTHING:
        rest = wanted._replace(status=(), queue=(), priority=())
        listed = Streams("ix_tasks_list", ("status", "queue", "priority"), streams)
        return merged(asked._replace(wanted=rest), listed)
    if len(streams) > MOST_STREAMS and sum((await counts(connection, wanted)).matching) > FEW_TASKS:
        return along(asked, "ix_tasks_created")
    # All of them named: the index is no use without its first columns.
    statuses, queues, _ = map(dict.fromkeys, zip(*streams, strict=True))
    named = wanted._replace(status=tuple(statuses), queue=tuple(queues))
    return along(asked._replace(wanted=named), "ix_tasks_list")._replace(is_sorted=True)


def narrowed(wanted: TaskFilter, page: Page) -> TaskFilter | None:
    """With the statuses that what is asked for has anyhow; None where none of them may match."""
    statuses = wanted.status or tuple(Status)
    if page.order_by is OrderBy.AVAILABLE_AT:
        statuses = tuple(status for status in statuses if status in WAITING)
    if wanted.completed_after is not None or wanted.completed_before is not None:
        statuses = tuple(status for status in statuses if status is Status.DONE)
    if not statuses:
        return None
    return wanted if len(statuses) == len(Status) else wanted._replace(status=statuses)


def _delayed(asked: Asked) -> Where | None:
    """What waits for its time, by it."""
    wanted = asked.wanted
    span = Span(wanted.available_after or BEGINNING, wanted.available_before)
    if span.is_empty:
        return None
    # That is what the span says.
    rest = wanted._replace(available_after=None, available_before=None)
    asked = asked._replace(wanted=rest, span=span)
    if wanted.ids:
        return along(asked)
    statuses = [(str(status),) for status in wanted.status]
    waiting = Streams("ix_tasks_sweep", ("status",), statuses)
    return merged(asked._replace(wanted=rest._replace(status=())), waiting)


def _by_tag_costs_less(of_tag: int, in_states: Counts, limit: int) -> bool:
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
    if wanted.completed_before is not None:
        end = min(end, wanted.completed_before)  # nothing is done before it is there
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


async def counts(connection: Connection, wanted: TaskFilter) -> Counts:
    """Of all tasks, and of those in the states that are wanted, as the counters know it."""
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
    return Counts(total, matching)


async def tag_counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """How many tasks each of the tags has."""
    found = await counters.read_some_tags(connection, names)
    return {name: found[f"{counters.TAG}{name}"] for name in names}


async def _tag_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    rows = await connection.fetch(
        f"SELECT name, id FROM tags WHERE name IN ({placeholders(names)})", tuple(names)
    )
    return {row[0]: row[1] for row in rows}
