"""What clients and management do to a schedule: put, delete, pause, resume.

What was due before a change is decided by it as it was: no occurrence is lost between two looks of
the schedulers.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.errors import RevisionMismatchError, ScheduleNotFoundError
from app.domain.schedule import Definition, Schedule
from app.mysql.connection import Connection
from app.queue.requests import Submitted
from app.queue.schedules import firing, rows
from app.queue.tags import TagIds


class Changed(NamedTuple):
    """A schedule after a call; whether that has made it; and what was submitted since it was due
    before."""

    schedule: Schedule
    is_new: bool = False
    answers: Sequence[Submitted] = ()


async def put(
    connection: Connection,
    *,
    name: str,
    definition: Definition,
    revision: int | None,
    tag_ids: TagIds,
) -> Changed:
    """Make or change a schedule. The same again changes nothing. With `revision` only the one at
    that revision.

    Raises `RevisionMismatchError` and `InvalidRecurrenceError`, and an IntegrityError where another
    transaction has just made one of that name; and as `submitting.submit` does.
    """
    now = await connection.now()
    try:
        found = await rows.lock(connection, name)
    except ScheduleNotFoundError:
        if revision is not None:
            raise RevisionMismatchError(schedule=name, revision=0) from None
        made = Schedule(
            name=name,
            definition=definition,
            paused_at=None,
            considered_at=now,
            next_at=None,
            last_task_id=None,
            revision=1,
            created_at=now,
            updated_at=now,
        ).from_now_on(now=now)
        _check(made)
        await rows.insert(connection, made)
        return Changed(made, is_new=True)
    if revision is not None and revision != found.revision:
        raise RevisionMismatchError(schedule=name, revision=found.revision)
    if definition == found.definition:
        return Changed(found)
    found, answers = await _decided(connection, found, now, tag_ids)
    changed = found._replace(
        definition=definition, revision=found.revision + 1, updated_at=now
    ).from_now_on(now=now)
    _check(changed)
    await rows.write(connection, changed)
    return Changed(changed, answers=answers)


async def delete(connection: Connection, *, name: str) -> None:
    """Delete a schedule; its tasks stay. Raises `ScheduleNotFoundError`."""
    await rows.delete(connection, name)


async def pause(connection: Connection, *, name: str, tag_ids: TagIds) -> Changed:
    """It submits nothing from now on. One that is paused stays so. Raises
    `ScheduleNotFoundError`, and as `submitting.submit` does."""
    found = await rows.lock(connection, name)
    if found.paused_at is not None:
        return Changed(found)
    now = await connection.now()
    found, answers = await _decided(connection, found, now, tag_ids)
    paused = found._replace(
        paused_at=now, next_at=None, revision=found.revision + 1, updated_at=now
    )
    await rows.write(connection, paused)
    return Changed(paused, answers=answers)


async def resume(connection: Connection, *, name: str) -> Schedule:
    """It goes on with its next occurrence; what fell into the pause is left out. Raises
    `ScheduleNotFoundError`."""
    found = await rows.lock(connection, name)
    if found.paused_at is None:
        return found
    now = await connection.now()
    resumed = found._replace(
        paused_at=None, revision=found.revision + 1, updated_at=now
    ).from_now_on(now=now)
    await rows.write(connection, resumed)
    return resumed


async def _decided(
    connection: Connection, schedule: Schedule, now: datetime, tag_ids: TagIds
) -> tuple[Schedule, list[Submitted]]:
    answers: list[Submitted] = []
    while schedule.next_at is not None and schedule.next_at <= now:
        (schedule,), more = await firing.decide(connection, [schedule], now=now, tag_ids=tag_ids)
        answers += more
    return schedule, answers


def _check(schedule: Schedule) -> None:
    recurrence, now = schedule.recurrence, schedule.considered_at
    recurrence.check_comes(now)
    recurrence.check_jitter(schedule.definition.jitter_seconds, now)
