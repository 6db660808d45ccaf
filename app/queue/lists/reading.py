"""Reads that lock nothing: get, attempts, and what a key or a lease stands for."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from contextlib import aclosing
from typing import Final, NamedTuple

from app.domain.errors import StaleLeaseError
from app.domain.states import Outcome, Status
from app.domain.task import LIGHT_ROW, ROW, EndedAttempt, Lease, RunningAttempt, Task, task_of
from app.mysql.connection import Connection, placeholders

_ATTEMPTS: Final = (
    f"SELECT {', '.join(EndedAttempt._fields)} FROM task_attempts FORCE INDEX (PRIMARY) "
    "WHERE task_id = %s AND attempt > %s ORDER BY attempt LIMIT %s"
)
_LAST: Final = (
    "SELECT status, attempt, worker, started_at, completed_at, finish_token "
    "FROM tasks WHERE id = %s"
)
# Skips from key to key, however many tasks each has made.
_FIRST_OF_KEYS: Final = (
    "SELECT idempotency_key, MIN(item) FROM idempotency_keys FORCE INDEX (PRIMARY) "
    "WHERE idempotency_key IN ({}) GROUP BY idempotency_key"
)


class Attempts(NamedTuple):
    """How a page of attempts has ended: after which one the next begins, if any; and whether it
    ended early, because they are large."""

    last: int | None
    is_full: bool


async def get_tasks(
    connection: Connection, ids: Collection[int], *, whole: bool = True
) -> dict[int, Task]:
    """Those of the tasks that exist. Without `whole` their long texts are left out."""
    if not ids:
        return {}
    columns = ROW if whole else LIGHT_ROW
    rows = await connection.fetch(
        f"SELECT {columns} FROM tasks WHERE id IN ({placeholders(ids)})",
        tuple(ids),
    )
    return {task.id: task for task in (task_of(row) for (row,) in rows)}


async def attempts_of(
    connection: Connection,
    task_id: int,
    *,
    after: int,
    limit: int,
    add: Callable[[EndedAttempt | RunningAttempt], int],
    limit_bytes: int,
) -> Attempts | None:
    """Give the attempts of a task to `add`, the first one first, which says how large they
    are by now together. The page ends early when they are so large. None where there is no such
    task."""
    rows = await connection.fetch(_LAST, (task_id,))
    if not rows:
        return None
    number = count = size = 0
    attempts = connection.stream(_ATTEMPTS, (task_id, after, limit + 1), reads_on=False)
    async with aclosing(attempts):
        # One after the other: each may have an error of 64 KiB.
        async for row in attempts:
            is_full = size > limit_bytes
            if is_full or count == limit:
                return Attempts(number, is_full)
            attempt = EndedAttempt._make(row)
            number = attempt.attempt
            size = add(attempt)
            count += 1
    ((status, last, worker, started_at, completed_at, token),) = rows
    # One that ran a moment ago may have ended since, and was among them then.
    if status not in (Status.DONE, Status.IN_PROGRESS) or last <= max(after, number):
        return Attempts(None, is_full=False)
    if count == limit:
        return Attempts(number, is_full=False)
    if status == Status.DONE:
        done = (last, worker, started_at, completed_at, Outcome.DONE, None, token)
        add(EndedAttempt(task_id, *done))
    else:
        add(RunningAttempt(last, worker, started_at))
    return Attempts(None, is_full=False)


async def first_by_key(connection: Connection, keys: Collection[str]) -> dict[str, tuple[str, int]]:
    """For each idempotency key used before: the hash of its body, and the first of the tasks it
    made that are still there."""
    if not keys:
        return {}
    rows = await connection.fetch(_FIRST_OF_KEYS.format(placeholders(keys)), tuple(keys))
    if not rows:
        return {}
    found = await connection.fetch(
        "SELECT idempotency_key, body_hash, task_id FROM idempotency_keys FORCE INDEX (PRIMARY) "
        f"WHERE {_either('idempotency_key = %s AND item = %s', rows)}",
        [value for row in rows for value in row],
    )
    return {key: (body_hash, task_id) for key, body_hash, task_id in found}


async def used_keys_ahead(
    connection: Connection, keys: Collection[str]
) -> list[Sequence[str | int]]:
    """Those of the keys that were used before, known once the next statement has run: it goes
    along with that one."""
    if not keys:
        return []
    return await connection.fetch_ahead(_FIRST_OF_KEYS.format(placeholders(keys)), tuple(keys))


async def tasks_of_key(
    connection: Connection,
    *,
    key: str,
    after: int,
    is_whole: bool,
    add: Callable[[Task], int],
    limit_bytes: int,
) -> int | None:
    """Give the tasks that a key has made to `add`, in order, from after an item on; the last item
    where they are larger by then than they may be, None where these were all. Without `is_whole`
    the long texts are left out."""
    columns = ROW if is_whole else LIGHT_ROW
    rows = connection.stream(
        f"SELECT item, {columns} FROM idempotency_keys FORCE INDEX (PRIMARY) "
        "STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = task_id "
        "WHERE idempotency_key = %s AND item > %s ORDER BY item",
        (key, after),
        reads_on=False,
    )
    size, last = 0, after
    async with aclosing(rows):
        async for item, row in rows:
            if size > limit_bytes:
                return last
            size, last = add(task_of(row)), item
    return None


async def outcomes_by_lease(
    connection: Connection, leases: Iterable[Lease], tasks: Mapping[int, Task]
) -> dict[Lease, str]:
    """How the attempts of leases ended that no longer hold their task; those that were never
    given out are not among them."""
    late = set(leases)
    outcomes: dict[Lease, str] = {
        lease: Outcome.DONE for lease in late if tasks[lease.task_id].finish_token == lease.token
    }
    unknown = late - outcomes.keys()
    if unknown:
        # Never all attempts of a task: there may be any number of them.
        rows = await connection.fetch(
            "SELECT task_id, lease_token, outcome FROM task_attempts "
            "FORCE INDEX (ix_task_attempts_lease) "
            f"WHERE {_either('task_id = %s AND lease_token = %s', unknown)}",
            [value for lease in unknown for value in lease],
        )
        for task_id, token, outcome in rows:
            outcomes[Lease(task_id, token)] = outcome
    return outcomes


def _either(condition: str, values: Sized) -> str:
    """The condition on any of so many. Of pairs, MariaDB looks up no `(a, b) IN (…)`."""
    return " OR ".join([f"({condition})"] * len(values))


def stale(task: Task, outcome: str | None) -> StaleLeaseError:
    """Why a lease whose attempt ended in `outcome` (None: never given out) no longer counts."""
    reason = "no such lease was issued" if outcome is None else f"its attempt ended as {outcome}"
    return StaleLeaseError(
        task_id=task.id, task_status=str(task.status), reason=reason, outcome=outcome, task=task
    )
