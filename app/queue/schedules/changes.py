"""What clients and management do to a schedule: put, delete, pause, resume."""

from app.domain.errors import RevisionMismatchError, ScheduleNotFoundError
from app.domain.schedule import Definition, Schedule
from app.mysql.connection import Connection
from app.queue.schedules import rows


async def put(
    connection: Connection, *, name: str, definition: Definition, revision: int | None
) -> tuple[Schedule, bool]:
    """Make or change a schedule; and whether it is new. The same again changes nothing. With
    `revision` only the one at that revision.

    Raises `RevisionMismatchError` and `InvalidRecurrenceError`, and an IntegrityError where another
    transaction has just made one of that name.
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
        return made, True
    if revision is not None and revision != found.revision:
        raise RevisionMismatchError(schedule=name, revision=found.revision)
    if definition == found.definition:
        return found, False
    changed = found._replace(
        definition=definition, revision=found.revision + 1, updated_at=now
    ).from_now_on(now=now)
    _check(changed)
    await rows.write(connection, changed)
    return changed, False


async def delete(connection: Connection, *, name: str) -> None:
    """Delete a schedule; its tasks stay. Raises `ScheduleNotFoundError`."""
    await rows.delete(connection, name)


async def pause(connection: Connection, *, name: str) -> Schedule:
    """It submits nothing from now on. One that is paused stays so. Raises
    `ScheduleNotFoundError`."""
    found = await rows.lock(connection, name)
    if found.paused_at is not None:
        return found
    now = await connection.now()
    paused = found._replace(
        paused_at=now, next_at=None, revision=found.revision + 1, updated_at=now
    )
    await rows.write(connection, paused)
    return paused


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


def _check(schedule: Schedule) -> None:
    recurrence, now = schedule.recurrence, schedule.considered_at
    recurrence.check_comes(now)
    recurrence.check_jitter(schedule.definition.jitter_seconds, now)
