"""What management does to tasks and queues: pause, resume, cancel, retry, delete."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.domain import transitions
from app.domain.errors import (
    DependencyUnmetError,
    RowBusyError,
    TaskNotFoundError,
    TransitionNotAllowedError,
)
from app.domain.queue_settings import DEFAULTS
from app.domain.states import OUTCOMES, Event, Status
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import queue_settings, statements
from app.queue.attempts.lifecycle import ended_attempt
from app.queue.dependencies import rearming
from app.queue.dependents import changes_of
from app.queue.lists.filters import TaskFilter
from app.queue.lists.listing import matching
from app.queue.lists.pages import Page
from app.queue.requests import Move

ACTIONS: Final[Mapping[Event, Callable[..., Task]]] = {
    Event.PAUSE: transitions.paused,
    Event.RESUME: transitions.resumed,
    Event.CANCEL: transitions.cancelled,
    Event.RETRY: transitions.retried,
}

# By primary key, of as many as one batch has.
RECHECK_SECONDS: Final = 2.0


class Managed(NamedTuple):
    """The tasks as they are now, and those that were moved."""

    tasks: list[Task]
    moves: list[Move]


async def manage_tasks(
    connection: Connection,
    *,
    event: Event,
    ids: Sequence[int],
    is_strict: bool,
    wanted: TaskFilter | None = None,
) -> Managed:
    """Pause, resume, cancel or retry tasks.

    Strict: raises `TaskNotFoundError`, `TransitionNotAllowedError`, or for a retry
    `DependencyUnmetError` or `RowBusyError`. Else tasks that are gone, or whose state does not
    allow it, are left as they are, as are those that by now are not `wanted`.
    """
    parents = rearming.NONE
    if event is Event.RETRY:
        parents = await rearming.parents_of(connection, ids)
    before = await statements.lock_tasks(connection, parents.open.union(ids), whole=is_strict)
    now = await connection.now()
    settings = await queue_settings.current(connection)
    again = rearming.Rearming(parents, before, now)
    if wanted is not None:
        ids = await _still_wanted(connection, ids, wanted)
    moves: list[Move] = []
    for task_id in again.ordered(ids):
        task = before.get(task_id)
        if task is None:
            if is_strict:
                raise TaskNotFoundError(task_id=task_id)
            continue
        try:
            if event is Event.RETRY:
                # Limits may have been set since it ended.
                needs = settings.get(task.queue, DEFAULTS).limits.needs(task.group_key)
                new = again.retried(task._replace(flags=task.flags | needs))
            else:
                new = ACTIONS[event](task, now=now)
        except (TransitionNotAllowedError, DependencyUnmetError, RowBusyError):
            if is_strict:
                raise
        else:
            moves.append((task, new))
    if again.waits:
        changes_of(connection.unsettled).begun.extend(again.waits)
    await statements.move(connection, moves)
    await statements.insert_attempts(
        connection,
        [
            ended_attempt(old, now=now, outcome=OUTCOMES[event], error=None)
            for old, _ in moves
            if old.status == Status.IN_PROGRESS
        ],
    )
    return Managed([new for _, new in moves], moves)


async def delete_tasks(
    connection: Connection, *, ids: Sequence[int], wanted: TaskFilter
) -> list[Task]:
    """Delete tasks, whatever their state, but for those that by now are not `wanted`; their last
    rows."""
    before = await statements.lock_tasks(connection, ids, whole=False)
    tasks = [before[i] for i in await _still_wanted(connection, [*before], wanted)]
    if tasks:
        await statements.delete_tasks(connection, tasks)
    return tasks


async def _still_wanted(
    connection: Connection, ids: Sequence[int], wanted: TaskFilter
) -> list[int]:
    """Of tasks that are locked, those that match: only now can they not change any more. To cancel
    what waits is not to cancel what runs."""
    if not ids:
        return []
    still = await matching(
        connection,
        wanted=wanted._replace(ids=tuple(ids)),
        page=Page(len(ids)),
        timeout_seconds=RECHECK_SECONDS,
    )
    return [match.position.id for match in still]


async def pause_queue(connection: Connection, *, queue: str) -> datetime:
    """Hand out nothing from this queue; since when."""
    await connection.execute(
        "INSERT INTO paused_queues (queue, paused_at) VALUES (%s, UTC_TIMESTAMP(6)) "
        "ON DUPLICATE KEY UPDATE paused_at = paused_at",
        (queue,),
    )
    ((paused_at,),) = await connection.fetch(
        "SELECT paused_at FROM paused_queues WHERE queue = %s", (queue,)
    )
    assert isinstance(paused_at, datetime)
    return paused_at


async def resume_queue(connection: Connection, *, queue: str) -> None:
    """Hand out its tasks again."""
    await connection.execute("DELETE FROM paused_queues WHERE queue = %s", (queue,))
