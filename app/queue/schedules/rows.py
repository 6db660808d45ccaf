"""The rows of schedules, read and written. Whoever decides something of one holds its row."""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

import structlog

from app.domain.errors import GuardFailedError, ScheduleNotFoundError
from app.domain.schedule import CatchUp, Definition, Overlap, Schedule, template_of, text_of
from app.mysql.connection import Connection, placeholders

_COLUMNS: Final = (
    *("name", "cron", "interval_seconds", "timezone", "task", "catch_up", "overlap"),
    *("jitter_seconds", "starts_at", "ends_at", "paused_at", "considered_at", "next_at"),
    *("last_task_id", "revision", "created_at", "updated_at"),
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM schedules"
_BY_NAME: Final = f"{_SELECT} FORCE INDEX (PRIMARY) WHERE name = %s"
LOCK_DUE: Final = (
    f"{_SELECT} FORCE INDEX (ix_schedules_next) WHERE next_at <= %s "
    "ORDER BY next_at LIMIT %s FOR UPDATE SKIP LOCKED"
)
PAGE: Final = f"{_SELECT} FORCE INDEX (PRIMARY) WHERE name > %s ORDER BY name LIMIT %s"
# The task of a schedule was changed by hand, or is of a newer version.
_UNREADABLE: Final = (ValueError, TypeError, KeyError)
# A page ends early once its tasks are so large together.
PAGE_BYTES: Final = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


class Page(NamedTuple):
    """Some schedules, and after which name there are more, if there are."""

    schedules: list[Schedule]
    last: str | None


async def find(connection: Connection, name: str) -> Schedule:
    """Raises `ScheduleNotFoundError`."""
    return _the_one(name, await connection.fetch(_BY_NAME, (name,)))


async def lock(connection: Connection, name: str) -> Schedule:
    """The same, its row locked."""
    return _the_one(name, await connection.fetch(f"{_BY_NAME} FOR UPDATE", (name,)))


async def lock_due(
    connection: Connection, *, now: datetime, limit: int
) -> tuple[list[Schedule], list[str]]:
    """Those with an occurrence to decide by now, but for rows that others hold; and the names of
    those that cannot be read."""
    schedules: list[Schedule] = []
    unreadable: list[str] = []
    for row in await connection.fetch(LOCK_DUE, (now, limit)):
        try:
            schedules.append(_schedule_of(row))
        except _UNREADABLE as error:
            log.warning("schedule_not_readable", schedule=row[0], reason=repr(error))
            unreadable.append(row[0])
    return schedules, unreadable


async def put_off(connection: Connection, names: Sequence[str], *, until: datetime) -> None:
    """Have these, whose rows are locked, looked at again at that time."""
    if names:
        await connection.execute(
            f"UPDATE schedules SET next_at = %s WHERE name IN ({placeholders(names)})",
            (until, *names),
        )


async def page(connection: Connection, *, after: str, limit: int) -> Page:
    """Some of them, by name; fewer where their tasks are large. What cannot be read is left out."""
    schedules: list[Schedule] = []
    last = after
    count = 0
    size = 0
    found = connection.stream(PAGE, (after, limit + 1), reads_on=True)
    async with aclosing(found):
        async for row in found:
            if count == limit or size > PAGE_BYTES:
                return Page(schedules, last)
            with suppress(*_UNREADABLE):
                schedules.append(_schedule_of(row))
            last = row[0]
            count += 1
            size += len(row[_COLUMNS.index("task")])
    return Page(schedules, None)


async def insert(connection: Connection, schedule: Schedule) -> None:
    """Raises an IntegrityError where another transaction has just made one of that name."""
    values = _values(schedule)
    await connection.execute(
        f"INSERT INTO schedules ({', '.join(values)}) VALUES ({placeholders(values)})",
        tuple(values.values()),
    )


async def write(connection: Connection, schedule: Schedule) -> None:
    """Write all of one, whose row is locked."""
    values = _values(schedule)
    result = await connection.execute(
        f"UPDATE schedules SET {', '.join(f'{name} = %s' for name in values)} WHERE name = %s",
        (*values.values(), schedule.name),
    )
    _expect("write", result.matched, 1)


async def write_considered(connection: Connection, schedules: Sequence[Schedule]) -> None:
    """Write how far the occurrences of schedules have been decided; their rows are locked."""
    if not schedules:
        return
    columns = ("considered_at", "next_at", "last_task_id")
    case = f"CASE name {'WHEN %s THEN %s ' * len(schedules)}END"
    values: list[Any] = []
    for column in columns:
        for schedule in schedules:
            values += (schedule.name, getattr(schedule, column))
    result = await connection.execute(
        f"UPDATE schedules SET {', '.join(f'{column} = {case}' for column in columns)} "
        f"WHERE name IN ({placeholders(schedules)})",
        (*values, *[schedule.name for schedule in schedules]),
    )
    _expect("write_considered", result.matched, len(schedules))


async def forget(connection: Connection, name: str, first: datetime, last: datetime) -> None:
    """Remember that runs from the one occurrence to the other are not kept any more."""
    await connection.execute(
        "UPDATE schedules SET forgotten_from = LEAST(COALESCE(forgotten_from, %s), %s), "
        "forgotten_until = GREATEST(COALESCE(forgotten_until, %s), %s) WHERE name = %s",
        (first, first, last, last, name),
    )


async def forgotten(
    connection: Connection, name: str
) -> tuple[datetime, datetime] | tuple[None, None]:
    """Of which occurrences, first to last, it is not known whether they have a task; the row is
    locked."""
    ((first, last),) = await connection.fetch(
        "SELECT forgotten_from, forgotten_until FROM schedules FORCE INDEX (PRIMARY) "
        "WHERE name = %s",
        (name,),
    )
    return first, last


async def delete(connection: Connection, name: str) -> None:
    """Delete one, and what came of its occurrences. Raises `ScheduleNotFoundError`."""
    result = await connection.execute("DELETE FROM schedules WHERE name = %s", (name,))
    if result.matched == 0:
        raise ScheduleNotFoundError(schedule=name)
    await connection.execute("DELETE FROM schedule_runs WHERE schedule = %s", (name,))


def _the_one(name: str, rows: Sequence[Sequence[Any]]) -> Schedule:
    if not rows:
        raise ScheduleNotFoundError(schedule=name)
    return _schedule_of(rows[0])


def _schedule_of(row: Sequence[Any]) -> Schedule:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["task"] = template_of(values["task"])
    values["catch_up"] = CatchUp(values["catch_up"])
    values["overlap"] = Overlap(values["overlap"])
    definition = Definition(**{name: values.pop(name) for name in Definition._fields})
    return Schedule(definition=definition, **values)


def _values(schedule: Schedule) -> dict[str, Any]:
    values = schedule._asdict() | schedule.definition._asdict()
    values["task"] = text_of(schedule.definition.task)
    return {name: values[name] for name in _COLUMNS}


def _expect(statement: str, matched: int, expected: int) -> None:
    if matched != expected:
        raise GuardFailedError(statement=statement, expected=expected, matched=matched)
