"""Recurring schedules: their occurrences and runs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.domain.schedule import CatchUp, Kind, Overlap
from app.domain.schedule import Outcome as RunOutcome


class ScheduleDocument(BaseModel):
    """A schedule."""

    name: str = Field(examples=["nightly report"])
    cron: str | None
    interval_seconds: int | None
    timezone: str
    task: dict[str, Any] = Field(description="The task that each occurrence submits.")
    catch_up: CatchUp
    overlap: Overlap
    jitter_seconds: int
    starts_at: datetime | None
    ends_at: datetime | None
    paused_at: datetime | None
    next_at: datetime | None = Field(
        description="The next occurrence; null while it is paused, or if it has ended."
    )
    last_task_id: int | None = Field(description="The task of the last occurrence that ran.")
    revision: int
    created_at: datetime
    updated_at: datetime


class OccurrenceDocument(BaseModel):
    occurrence_at: datetime
    due_at: datetime = Field(description="With the jitter: when the task may be claimed.")
    local: str = Field(
        description="The same occurrence on the wall clock of the zone.",
        examples=["2026-03-29T03:00:00+02:00"],
    )


class RunDocument(BaseModel):
    occurrence_at: datetime
    kind: Kind
    outcome: RunOutcome
    skipped: int = Field(
        description="Of `skipped_late`: how many occurrences were left out, up to this one."
    )
    task_id: int | None = Field(
        description="The task that stands for it: the one that was submitted, or, as for a "
        "`skipped_unique`, the one that holds its unique key."
    )
    fired_at: datetime


class BackfilledDocument(BaseModel):
    submitted: int
    existing: int
