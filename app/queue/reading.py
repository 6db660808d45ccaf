"""Reads that lock nothing: get, attempts, and what a key or a lease stands for."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.db import Connection, marks
from app.states import Outcome, Status
from app.task import LIGHT_ROW, ROW, EndedAttempt, Lease, Task, task_of

_ATTEMPT_COLUMNS = ", ".join(EndedAttempt._fields)


async def get_tasks(
    connection: Connection, ids: Collection[int], *, whole: bool = True
) -> dict[int, Task]:
    """Those of the tasks that exist. Without `whole` their long texts are left out."""
    if not ids:
        return {}
    columns = ROW if whole else LIGHT_ROW
    rows = await connection.fetch(
        f"SELECT {columns} FROM tasks WHERE id IN ({marks(ids)})",
        tuple(ids),
    )
    return {task.id: task for task in (task_of(row) for (row,) in rows)}


async def attempts_of(connection: Connection, task_id: int) -> list[EndedAttempt] | None:
    """The ended attempts of a task, the first one first; None where there is no such task."""
    task = (await get_tasks(connection, [task_id])).get(task_id)
    if task is None:
        return None
    rows = await connection.fetch(
        f"SELECT {_ATTEMPT_COLUMNS} FROM task_attempts WHERE task_id = %s ORDER BY attempt",
        (task_id,),
    )
    attempts = [EndedAttempt._make(row) for row in rows]
    if task.status == Status.DONE:
        assert task.started_at is not None
        assert task.completed_at is not None
        assert task.finish_token is not None
        attempts.append(
            EndedAttempt(
                task_id=task_id,
                attempt=task.attempt,
                worker=task.worker,
                started_at=task.started_at,
                finished_at=task.completed_at,
                outcome=Outcome.DONE,
                error=None,
                lease_token=task.finish_token,
            )
        )
    return attempts


async def tasks_by_key(
    connection: Connection, keys: Sequence[str]
) -> dict[str, tuple[str, list[Task]]]:
    """For each idempotency key used before: the hash of its body, and the tasks it made."""
    if not keys:
        return {}
    rows = await connection.fetch(
        f"SELECT idempotency_key, body_hash, {ROW} FROM idempotency_keys "
        f"JOIN tasks ON tasks.id = task_id WHERE idempotency_key IN ({marks(keys)}) "
        "ORDER BY idempotency_key, item",
        tuple(keys),
    )
    found: dict[str, tuple[str, list[Task]]] = {}
    for key, body_hash, row in rows:
        found.setdefault(key, (body_hash, []))[1].append(task_of(row))
    return found


async def outcomes_by_lease(
    connection: Connection, leases: Iterable[Lease], tasks: Mapping[int, Task]
) -> dict[Lease, Outcome]:
    """How the attempts of leases ended that no longer hold their task; those that were never
    given out are not among them."""
    late = set(leases)
    outcomes = {
        lease: Outcome.DONE for lease in late if tasks[lease.task_id].finish_token == lease.token
    }
    unknown = {lease.task_id for lease in late - outcomes.keys()}
    if unknown:
        rows = await connection.fetch(
            "SELECT task_id, lease_token, outcome FROM task_attempts "
            f"WHERE task_id IN ({marks(unknown)})",
            tuple(unknown),
        )
        for task_id, token, outcome in rows:
            outcomes[Lease(task_id, token)] = Outcome(outcome)
    return outcomes
