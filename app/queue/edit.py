"""What clients change by hand: patch, delete."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.domain import transitions
from app.domain.errors import FieldLockedError, RetryLimitTooLowError, TaskNotFoundError
from app.domain.states import ENDED, Status
from app.domain.task import Task, names_text
from app.mysql.connection import Connection
from app.queue import statements
from app.queue.requests import Move
from app.queue.tags import TagIds

# What a running attempt was given, or an ended one has used, is history.
_LOCKED_ONCE_RUNNING: Final = (
    "timeout_seconds",
    "retry_limit",
    "retry_delay_seconds",
    "retry_backoff",
    "payload",
)


async def patch(
    connection: Connection,
    *,
    task_id: int,
    changes: Mapping[str, Any],
    tag_names: Sequence[str] | None,
    tag_ids: TagIds,
) -> Move:
    """Change what a client may change. `changes` are columns; `tag_names`, if given, replace.

    Raises `TaskNotFoundError`, `FieldLockedError`, `RetryLimitTooLowError`, `TagMissingError`.
    """
    now = await connection.now()
    task = (await statements.lock_tasks(connection, [task_id])).get(task_id)
    if task is None:
        raise TaskNotFoundError(task_id=task_id)
    if task.status in ENDED or task.status == Status.IN_PROGRESS:
        for field in _LOCKED_ONCE_RUNNING:
            if field in changes:
                raise FieldLockedError(field=field, task_id=task_id, task_status=str(task.status))
    if changes.get("retry_limit", task.retry_limit) < task.current_retry_count:
        raise RetryLimitTooLowError(task_id=task_id, current_retry_count=task.current_retry_count)
    patched = transitions.patched(task, changes, now=now)
    if tag_names is not None:
        await statements.replace_task_tags(connection, task, tag_names, tag_ids)
        patched = patched._replace(tag_names=names_text(tag_names))
    await statements.move(connection, [(task, patched)])
    return task, patched


async def delete(connection: Connection, *, task_id: int) -> Task:
    """Delete a task, whatever its state; its last row. Raises `TaskNotFoundError`."""
    task = (await statements.lock_tasks(connection, [task_id], whole=False)).get(task_id)
    if task is None:
        raise TaskNotFoundError(task_id=task_id)
    await statements.delete_tasks(connection, [task])
    return task
