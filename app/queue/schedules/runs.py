"""What came of a schedule's occurrences, and those that are brought about by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from app.domain.errors import InvalidRecurrenceError, RowlockError
from app.domain.left_out import without
from app.domain.schedule import (
    MICROSECOND,
    Kind,
    Outcome,
    Run,
    Schedule,
    origin_text,
    task_for,
    text_of,
)
from app.domain.task import NewTask
from app.domain.unique import Conflict
from app.mysql.connection import Connection, placeholders
from app.queue import statements, submitting
from app.queue.requests import Submission, Submitted
from app.queue.schedules import rows
from app.queue.tags import TagIds

BACKFILL_LIMIT: Final = 1000
# Of all tasks of one backfill together: it is one transaction.
BACKFILL_LIMIT_BYTES: Final = 32 * 1024 * 1024
_COLUMNS: Final = ", ".join(Run._fields)
PAGE: Final = (
    f"SELECT {_COLUMNS} FROM schedule_runs FORCE INDEX (PRIMARY) "
    "WHERE schedule = %s AND occurrence_at < %s ORDER BY occurrence_at DESC LIMIT %s"
)


# So many of the newest are kept, and of these none that is older than that.
KEPT: Final = 1000
KEPT_FOR: Final = timedelta(days=90)
OLDEST_KEPT: Final = (
    "SELECT fired_at FROM schedule_runs FORCE INDEX (ix_schedule_runs_fired) "
    "WHERE schedule = %s ORDER BY fired_at DESC LIMIT 1 OFFSET %s"
)
OLD: Final = (
    "SELECT occurrence_at FROM schedule_runs FORCE INDEX (ix_schedule_runs_fired) "
    "WHERE schedule = %s AND fired_at < %s ORDER BY fired_at LIMIT %s"
)
OLD_LIMIT: Final = 1000


class Page(NamedTuple):
    """Some runs, and before which occurrence there are more, if there are."""

    runs: list[Run]
    last: datetime | None


class Backfilled(NamedTuple):
    """What was submitted, and how many occurrences had a task already, or have that of another
    one by its unique key."""

    answers: list[Submitted]
    existing: int

    @property
    def made(self) -> int:
        """How many tasks were made."""
        return sum(len(answer.made) for answer in self.answers)


async def page(connection: Connection, *, name: str, before: datetime, limit: int) -> Page:
    """Some of a schedule's runs, newest first. Raises `ScheduleNotFoundError`."""
    await rows.find(connection, name)
    found = await connection.fetch(PAGE, (name, before, limit + 1))
    runs = [_run_of(row) for row in found[:limit]]
    return Page(runs, runs[-1].occurrence_at if len(found) > limit else None)


async def decided(
    connection: Connection, names: Sequence[str], occurrences: Sequence[datetime]
) -> set[tuple[str, datetime]]:
    """Which of these occurrences of these schedules have been decided. Their rows are locked, and
    so nobody else decides one."""
    if not occurrences:
        return set()
    found = await connection.fetch(
        "SELECT schedule, occurrence_at FROM schedule_runs FORCE INDEX (PRIMARY) "
        f"WHERE schedule IN ({placeholders(names)}) "
        f"AND occurrence_at IN ({placeholders(occurrences)})",
        (*names, *occurrences),
    )
    return {(schedule, occurrence) for schedule, occurrence in found}


async def decided_within(
    connection: Connection, spans: Sequence[tuple[str, datetime, datetime]]
) -> Sequence[Sequence[Any]]:
    """What has been decided of these schedules, (schedule, occurrence), each after the one time and
    up to the other. Their rows are locked."""
    if not spans:
        return []
    span = "(schedule = %s AND occurrence_at > %s AND occurrence_at <= %s)"
    return await connection.fetch(
        "SELECT schedule, occurrence_at FROM schedule_runs FORCE INDEX (PRIMARY) "
        f"WHERE {' OR '.join([span] * len(spans))}",
        [value for each in spans for value in each],
    )


async def insert(connection: Connection, runs: Sequence[tuple[str, Run]]) -> None:
    """Record runs of schedules, whose rows are locked."""
    await statements.insert_rows(
        connection,
        f"INSERT INTO schedule_runs (schedule, {_COLUMNS}) VALUES ",
        [(name, *run) for name, run in runs],
    )


async def submit(
    connection: Connection, tasks: Sequence[NewTask], tag_ids: TagIds
) -> list[Submitted | RowlockError]:
    """Store the tasks of occurrences, each by itself. Raises as `submitting.submit` does."""
    if not tasks:
        return []
    return await submitting.submit(
        connection,
        submissions=[Submission([task]) for task in tasks],
        tag_ids=tag_ids,
        locks_keys=True,
    )


async def run_now(
    connection: Connection, *, name: str, key: str | None, body_hash: str, tag_ids: TagIds
) -> Submitted:
    """Submit the task of a schedule now, whatever it has under way; with `key` once only.

    Raises `ScheduleNotFoundError`, `KeyReusedError`, `UniqueKeyHeldError` and
    `RetryLimitTooLowError`, and as `submitting.submit` does.
    """
    schedule = await rows.lock(connection, name)
    now = occurrence = await connection.now()
    # On a whole second it would stand in the place of an occurrence.
    occurrence += MICROSECOND * (not now.microsecond)
    while await decided(connection, [name], [occurrence]):
        occurrence += MICROSECOND
    task = schedule.definition.task._replace(origin=origin_text(name, occurrence))
    (submitted,) = await submitting.submit(
        connection,
        submissions=[Submission([task], key, body_hash)],
        tag_ids=tag_ids,
        locks_keys=True,
    )
    if isinstance(submitted, RowlockError):
        raise submitted
    if submitted.tasks:
        run = Run(occurrence, Kind.MANUAL, Outcome.SUBMITTED, 0, submitted.first_id, now)
        await insert(connection, [(name, run)])
    return submitted


async def backfill(
    connection: Connection, *, name: str, begin: datetime, end: datetime, tag_ids: TagIds
) -> Backfilled:
    """Submit a task for each occurrence of a past time, from `begin` on and before `end`, that has
    none.

    Raises `ScheduleNotFoundError`, `InvalidRecurrenceError`, `UniqueKeyHeldError` and
    `RetryLimitTooLowError`, and as `submitting.submit` does.
    """
    schedule = await rows.lock(connection, name)
    now = await connection.now()
    occurrences = _occurrences(schedule, begin, end, now)
    first, last = await rows.forgotten(connection, name)
    if first and last and any(first <= at <= last for at in occurrences):
        raise InvalidRecurrenceError(
            "from",
            f"and to must leave out {first.isoformat()}Z to {last.isoformat()}Z: which occurrences "
            "have had a task then is not known any more",
        )
    had = await connection.fetch(
        "SELECT occurrence_at FROM schedule_runs FORCE INDEX (PRIMARY) WHERE schedule = %s "
        "AND occurrence_at >= %s AND occurrence_at < %s AND outcome = %s",
        (name, begin, end, Outcome.SUBMITTED),
    )
    existing = {at for (at,) in had}.intersection(occurrences)
    missing = [at for at in occurrences if at not in existing]
    _check_rejects(schedule, missing)
    tasks = [task_for(schedule, at, now=now) for at in missing]
    answers: list[Submitted] = []
    for answer in await submit(connection, tasks, tag_ids):
        if isinstance(answer, RowlockError):
            raise answer
        answers.append(answer)
    made = [
        Run(at, Kind.BACKFILL, Outcome.SUBMITTED, 0, answer.first_id, now)
        for at, answer in zip(missing, answers, strict=True)
    ]
    if made:
        await _replace(connection, schedule, made, begin, end)
    held = sum(not answer.is_new for answer in answers)
    return Backfilled(answers, len(existing) + held)


async def delete_old(connection: Connection, *, name: str) -> None:
    """Delete what is not kept of a schedule's runs; of very many a part."""
    ninety_days_ago = await connection.now() - KEPT_FOR
    oldest = await connection.fetch(OLDEST_KEPT, (name, KEPT - 1))
    border = max(ninety_days_ago, oldest[0][0]) if oldest else ninety_days_ago
    old = await connection.fetch(OLD, (name, border, OLD_LIMIT))
    if old:
        occurrences = [at for (at,) in old]
        await rows.forget(connection, name, min(occurrences), max(occurrences))
        await connection.execute(
            "DELETE FROM schedule_runs WHERE schedule = %s "
            f"AND occurrence_at IN ({placeholders(old)})",
            (name, *occurrences),
        )


async def _replace(
    connection: Connection, schedule: Schedule, made: Sequence[Run], begin: datetime, end: datetime
) -> None:
    """Record what was backfilled. What was skipped of it is not any more; where one run stood for
    that and for others, it stands for the others."""
    found = await connection.fetch(
        f"SELECT {_COLUMNS} FROM schedule_runs FORCE INDEX (PRIMARY) WHERE schedule = %s "
        "AND occurrence_at >= %s AND outcome = %s ORDER BY occurrence_at",
        (schedule.name, begin, Outcome.SKIPPED_LATE),
    )
    late = [_run_of(row) for row in found]
    stay = {run.occurrence_at: run for run in without(late, schedule.recurrence, begin, end)}
    changed = [run.occurrence_at for run in late if stay.get(run.occurrence_at) != run]
    gone = sorted({*changed, *(run.occurrence_at for run in made)})
    await connection.execute(
        "DELETE FROM schedule_runs WHERE schedule = %s "
        f"AND occurrence_at IN ({placeholders(gone)})",
        (schedule.name, *gone),
    )
    new = [run for at, run in stay.items() if run not in late]
    # Only where the rhythm was another one may there be one already.
    taken = await decided(connection, [schedule.name], [run.occurrence_at for run in new])
    new = [run for run in new if (schedule.name, run.occurrence_at) not in taken]
    await insert(connection, [(schedule.name, run) for run in (*new, *made)])


def _occurrences(
    schedule: Schedule, begin: datetime, end: datetime, now: datetime
) -> list[datetime]:
    if end > now:
        raise InvalidRecurrenceError("to", "must not be in the future")
    found = schedule.recurrence.between(
        begin - MICROSECOND, end - MICROSECOND, limit=BACKFILL_LIMIT + 1
    )
    if len(found) > BACKFILL_LIMIT:
        message = f"is too late: more than {BACKFILL_LIMIT:,} occurrences come after from"
        raise InvalidRecurrenceError("to", f"{message}; backfill them in parts")
    if len(found) * len(text_of(schedule.definition.task).encode()) > BACKFILL_LIMIT_BYTES:
        message = f"is too late: the tasks of {len(found):,} occurrences are too large together"
        raise InvalidRecurrenceError("to", f"{message}; backfill them in parts")
    return found


def _check_rejects(schedule: Schedule, missing: Sequence[datetime]) -> None:
    unique = schedule.definition.task.unique
    if unique is not None and unique.conflict is Conflict.REJECT and len(missing) > 1:
        message = f"is too late: the first of {len(missing):,} occurrences takes the unique key"
        raise InvalidRecurrenceError("to", f"{message}, which the others reject")


def _run_of(row: Sequence[object]) -> Run:
    occurrence_at, kind, outcome, *rest = row
    return Run(occurrence_at, Kind(kind), Outcome(outcome), *rest)  # type: ignore[arg-type]
