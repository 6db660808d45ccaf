"""What a schedule is, and what becomes of its occurrences. Pure: MySQL's time comes in."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from app.domain.dependency import Depends, OnParentFailure
from app.domain.recurrence import Recurrence, due_at
from app.domain.states import Backoff, Priority
from app.domain.task import NewTask
from app.domain.unique import Conflict, Hold, Unique

# An occurrence that is looked at later than this is missed.
LATE: Final = timedelta(seconds=10)
CATCH_UP_LIMIT: Final = 1000
# So many occurrences of one schedule are decided in one transaction.
DECIDED_LIMIT: Final = 100
MICROSECOND: Final = timedelta(microseconds=1)


class CatchUp(StrEnum):
    """What becomes of occurrences that no scheduler was there for."""

    NONE = "none"  # left out
    ONE = "one"  # the newest runs
    ALL = "all"  # each runs, up to a limit


class Overlap(StrEnum):
    """What becomes of an occurrence while the task of the one before it has not ended."""

    SKIP = "skip"  # left out
    ALLOW = "allow"  # runs beside it
    QUEUE_ONE = "queue_one"  # runs once that one has ended; while one waits so, left out


class Kind(StrEnum):
    """What brought an occurrence about."""

    DUE = "due"
    MANUAL = "manual"
    BACKFILL = "backfill"


class Outcome(StrEnum):
    """What became of it."""

    SUBMITTED = "submitted"
    SKIPPED_OVERLAP = "skipped_overlap"
    SKIPPED_LATE = "skipped_late"
    SKIPPED_UNIQUE = "skipped_unique"


class Definition(NamedTuple):
    """What a client says of a schedule."""

    cron: str | None
    interval_seconds: int | None
    timezone: str
    task: NewTask
    catch_up: CatchUp
    overlap: Overlap
    jitter_seconds: int
    starts_at: datetime | None
    ends_at: datetime | None

    def recurrence(self, *, created_at: datetime) -> Recurrence:
        """When it occurs, if it was made then. Raises `InvalidRecurrenceError`."""
        return Recurrence.of(
            cron=self.cron,
            interval_seconds=self.interval_seconds,
            timezone=self.timezone,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            created_at=created_at.replace(microsecond=0),
        )


class Schedule(NamedTuple):
    """One row of `schedules`."""

    name: str
    definition: Definition
    paused_at: datetime | None
    considered_at: datetime
    next_at: datetime | None
    last_task_id: int | None
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def recurrence(self) -> Recurrence:
        """When it occurs."""
        return self.definition.recurrence(created_at=self.created_at)

    def due_at(self, occurrence: datetime) -> datetime:
        """When the task of an occurrence may be claimed."""
        jitter_seconds = self.definition.jitter_seconds
        return due_at(occurrence, schedule=self.name, jitter_seconds=jitter_seconds)

    def from_now_on(self, *, now: datetime) -> "Schedule":
        """The same, with nothing to catch up."""
        next_at = None if self.paused_at else self.recurrence.next_after(now)
        return self._replace(considered_at=now, next_at=next_at)


class Run(NamedTuple):
    """One row of `schedule_runs`, but for its schedule. `skipped` is how many occurrences a
    `skipped_late` stands for: up to and with its own. The task is the one that was submitted, or
    holds its unique key: it stands for it, or, for a `skipped_unique`, stood in its way."""

    occurrence_at: datetime
    kind: Kind
    outcome: Outcome
    skipped: int
    task_id: int | None
    fired_at: datetime


class Due(NamedTuple):
    """The occurrences of a schedule that are to be decided now, oldest first; those left out
    before them; and where it stands after that."""

    occurrences: list[datetime]
    skipped: int
    last_skipped: datetime | None
    considered_at: datetime
    next_at: datetime | None


def due(schedule: Schedule, *, now: datetime, limit: int = DECIDED_LIMIT) -> Due:
    """What is to be decided by now. Of more than `limit` a part: `next_at` is then past, and the
    rest comes with the next look."""
    recurrence, after = schedule.recurrence, schedule.considered_at
    border = max(after, now - LATE - MICROSECOND)
    kept = _kept(schedule, recurrence, after, border)
    skipped_until = kept[0] - MICROSECOND if kept else border
    skipped = recurrence.count(after, skipped_until)
    last_skipped = recurrence.newest(after, skipped_until) if skipped else None
    occurrences = kept + recurrence.between(border, now, limit=limit + 1)
    considered_at = now
    if len(occurrences) > limit:
        occurrences = occurrences[:limit]
        considered_at = occurrences[-1]
    next_at = recurrence.next_after(considered_at)
    return Due(occurrences, skipped, last_skipped, considered_at, next_at)


def outcomes(
    schedule: Schedule,
    occurrences: list[datetime],
    *,
    decided: Collection[datetime],
    is_open: bool,
    is_queued: bool = False,
) -> Iterator[tuple[datetime, Outcome]]:
    """For each occurrence that is not decided yet, whether it runs. `is_open`: the task of the one
    before has not ended; `is_queued`: it waits for the end of another one itself."""
    overlap = schedule.definition.overlap
    for occurrence in occurrences:
        if occurrence in decided:
            continue
        if is_open and (overlap is Overlap.SKIP or (overlap is Overlap.QUEUE_ONE and is_queued)):
            yield occurrence, Outcome.SKIPPED_OVERLAP
        else:
            is_open = True
            yield occurrence, Outcome.SUBMITTED


def task_for(
    schedule: Schedule, occurrence: datetime, *, now: datetime, behind: int | None = None
) -> NewTask:
    """The task that an occurrence submits; `behind` which other one it waits."""
    due_at = schedule.due_at(occurrence)
    depends = None
    if behind is not None:
        depends = Depends(ids=(behind,), places=(0,), on_failure=OnParentFailure.RUN)
    return schedule.definition.task._replace(
        available_at=due_at if due_at > now else None,
        origin=origin_text(schedule.name, occurrence),
        depends=depends,
    )


def origin_text(name: str, occurrence: datetime) -> str:
    """What its task says of an occurrence, as a JSON text."""
    origin = {"schedule": name, "occurrence_at": occurrence}
    return orjson.dumps(origin, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode()


def text_of(task: NewTask) -> str:
    """A task to be submitted, as the JSON text that is stored."""
    unique = None if task.unique is None else task.unique._asdict()
    return orjson.dumps(task._asdict() | {"unique": unique}).decode()


def template_of(text: str) -> NewTask:
    """The task of such a text."""
    values: dict[str, Any] = orjson.loads(text)
    for name in ("due_date", "available_at"):
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    values["priority"] = Priority(values["priority"])
    values["retry_backoff"] = Backoff(values["retry_backoff"])
    values["tag_names"] = tuple(values["tag_names"])
    if unique := values.get("unique"):
        hold, conflict = Hold(unique.pop("hold")), Conflict(unique.pop("conflict"))
        values["unique"] = Unique(hold=hold, conflict=conflict, **unique)
    return NewTask(**values)


def _kept(
    schedule: Schedule, recurrence: Recurrence, after: datetime, border: datetime
) -> list[datetime]:
    """Those of the missed occurrences that run."""
    match schedule.definition.catch_up:
        case CatchUp.NONE:
            return []
        case CatchUp.ONE:
            return recurrence.newest_of(after, border, limit=1)
        case CatchUp.ALL:
            return recurrence.newest_of(after, border, limit=CATCH_UP_LIMIT)
