"""Recurring schedules: their occurrences and runs."""

from datetime import datetime
from typing import Any

from rowlock.models.answer import Answer


class Schedule(Answer):
    """A recurring schedule.

    `task` has the fields of the task that each occurrence submits. `catch_up` is `none`, `one` or
    `all`, `overlap` is `skip`, `allow` or `queue_one`. `next_at` is the next occurrence, None while
    it is paused or when none comes any more. `revision` grows with each change.
    """

    name: str
    cron: str | None
    interval_seconds: int | None
    timezone: str
    task: dict[str, Any]
    catch_up: str
    overlap: str
    jitter_seconds: int
    starts_at: datetime | None
    ends_at: datetime | None
    paused_at: datetime | None
    next_at: datetime | None
    last_task_id: int | None
    revision: int
    created_at: datetime
    updated_at: datetime


class Occurrence(Answer):
    """A time at which a schedule submits its task. `due_at` is when that may be claimed, with the
    jitter; `local` is what the clock on the wall shows then."""

    occurrence_at: datetime
    due_at: datetime
    local: str


class ScheduleRun(Answer):
    """What came of an occurrence. `kind` is `due`, `manual` or `backfill`; `outcome` is
    `submitted`, `skipped_overlap`, `skipped_unique` or `skipped_late`, which stands for `skipped`
    occurrences: all that were left out up to this one. `task_id` is the task that was submitted,
    or that holds its unique key."""

    occurrence_at: datetime
    kind: str
    outcome: str
    skipped: int
    task_id: int | None
    fired_at: datetime


class BackfillResult(Answer):
    """How many tasks were submitted, and how many occurrences had one already, or have the one
    that holds their unique key."""

    submitted: int
    existing: int
