"""What a task depends on, and what depends on it, for whoever asks. Plain reads."""

from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Final, NamedTuple

from app.domain.errors import StaleLeaseError, TaskNotFoundError
from app.domain.task import Lease, Task
from app.mysql.connection import Connection
from app.queue.lists.reading import get_tasks, outcomes_by_lease, stale

# What of the text makes a JSON array too large is read by nobody.
_OF_CHILD: Final = "FORCE INDEX (ix_task_dependencies_child)"
_OF_PARENT: Final = "FORCE INDEX (PRIMARY)"
_COUNT: Final = (
    "SELECT status, COUNT(*) FROM task_dependencies {index} "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = {theirs} "
    "WHERE {own} = %s GROUP BY status"
)
_LIST: Final = (
    "SELECT tasks.id, name, title, status FROM task_dependencies {index} "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = {theirs} "
    "WHERE {own} = %s AND {theirs} > %s ORDER BY {theirs} LIMIT %s"
)
_RESULTS: Final = (
    "SELECT tasks.id, name, status, result, error "
    "FROM task_dependencies FORCE INDEX (ix_task_dependencies_child) "
    "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = parent_id "
    "WHERE child_id = %s AND parent_id > %s ORDER BY parent_id LIMIT %s"
)


class Direction(StrEnum):
    """Which way."""

    PARENTS = "parents"
    CHILDREN = "children"


class Related(NamedTuple):
    """A task at the other end of a dependency; its name is the parent's `ref`."""

    id: int
    name: str | None
    title: str
    status: str


class Dependencies(NamedTuple):
    """How many there are in each status, and some of them."""

    by_status: Counter[str]
    tasks: list[Related]


class ParentResult(NamedTuple):
    """What became of a task that another one depends on. `result` is a JSON text."""

    id: int
    name: str | None
    status: str
    result: str | None
    error: str | None


async def dependencies(
    connection: Connection, task_id: int, *, direction: Direction, after: int, limit: int
) -> Dependencies:
    """Of a task, in the order of their ids. Raises `TaskNotFoundError`."""
    if not await connection.fetch("SELECT 1 FROM tasks WHERE id = %s", (task_id,)):
        raise TaskNotFoundError(task_id=task_id)
    if direction is Direction.PARENTS:
        names = {"index": _OF_CHILD, "own": "child_id", "theirs": "parent_id"}
    else:
        names = {"index": _OF_PARENT, "own": "parent_id", "theirs": "child_id"}
    counts = await connection.fetch(_COUNT.format(**names), (task_id,))
    rows = await connection.fetch(_LIST.format(**names), (task_id, after, limit))
    return Dependencies(Counter(dict(counts)), [Related(*row) for row in rows])  # type: ignore[arg-type]


async def parents_of_lease(
    connection: Connection,
    lease: Lease,
    *,
    after: int,
    limit: int,
    add: Callable[[ParentResult], int],
    limit_bytes: int,
) -> tuple[int | None, bool]:
    """Give what became of those that the lease's task depends on to `add`, which says how large
    they are by now together; after which one the next page begins, if any, and whether this one
    ended early for its size. Raises `TaskNotFoundError` and `StaleLeaseError`."""
    await _hold(connection, lease)
    last, count, size = after, 0, 0
    rows = connection.stream(_RESULTS, (lease.task_id, after, limit + 1), reads_on=False)
    async with aclosing(rows):
        async for row in rows:
            is_full = size > limit_bytes
            if is_full or count == limit:
                return last, is_full
            parent = ParentResult(*row)
            last, count, size = parent.id, count + 1, add(parent)
    return None, False


async def _hold(connection: Connection, lease: Lease) -> None:
    tasks: dict[int, Task] = await get_tasks(connection, [lease.task_id], whole=False)
    task = tasks.get(lease.task_id)
    if task is None:
        raise TaskNotFoundError(task_id=lease.task_id)
    if task.lease_token != lease.token:
        outcomes = await outcomes_by_lease(connection, [lease], tasks)
        error: StaleLeaseError = stale(task, outcomes.get(lease))
        raise error
