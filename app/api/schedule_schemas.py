"""What goes in of schedules, as models."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from app.api import fields
from app.api.schemas import Input, Query, TaskTemplate
from app.domain.recurrence import INTERVAL_LIMIT_SECONDS, JITTER_LIMIT_SECONDS
from app.domain.schedule import CatchUp, Definition, Overlap

Count = Annotated[int, Field(ge=1, le=100, description="How many occurrences."), fields.IntegerText]
Timezone = Annotated[
    str,
    Field(min_length=1, max_length=64, description="IANA zone whose wall clock `cron` follows."),
]


class PutSchedule(Input):
    """A schedule, whole: what is omitted has its default."""

    cron: Annotated[
        str | None,
        Field(
            max_length=255,
            description="Five fields (minute, hour, day of month, month, day of week), six with "
            "seconds first, or @hourly, @daily, @weekly, @monthly, @yearly. Either this or "
            "`interval_seconds`.",
        ),
    ] = None
    interval_seconds: Annotated[
        int | None, Field(ge=1, le=INTERVAL_LIMIT_SECONDS), fields.WHOLE
    ] = Field(
        default=None,
        description="Counted from `starts_at`, or from when the schedule was made.",
    )
    timezone: Timezone = "UTC"
    task: TaskTemplate
    catch_up: CatchUp = Field(
        default=CatchUp.ONE,
        description="Which occurrences run that no scheduler was there for: none, the newest, or "
        "all (the newest 1,000).",
    )
    overlap: Overlap = Field(
        default=Overlap.SKIP,
        description="What becomes of an occurrence while the previous one's task has not ended: it "
        "is left out, runs all the same, or waits for that end, one at most.",
    )
    jitter_seconds: Annotated[int, Field(ge=0, le=JITTER_LIMIT_SECONDS), fields.WHOLE] = Field(
        default=0, description="Each task may be claimed up to this much later."
    )
    starts_at: fields.Time | None = Field(default=None, description="No occurrence before it.")
    ends_at: fields.Time | None = Field(default=None, description="No occurrence after it.")

    @field_validator("jitter_seconds")
    @classmethod
    def _is_not_debounced(cls, seconds: int, info: ValidationInfo) -> int:
        task: TaskTemplate | None = info.data.get("task")
        if seconds and task and task.unique and task.unique.debounce_seconds is not None:
            raise ValueError("must be left out where there is debounce_seconds, which puts it off")
        return seconds

    def to_definition(self) -> Definition:
        """For the queue."""
        return Definition(
            cron=self.cron,
            interval_seconds=self.interval_seconds,
            timezone=self.timezone,
            task=self.task.to_new_task(),
            catch_up=self.catch_up,
            overlap=self.overlap,
            jitter_seconds=self.jitter_seconds,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


class Backfill(Input):
    """A past time whose occurrences are to run."""

    begin: fields.Time = Field(alias="from", description="Occurrences at or after this time.")
    end: fields.Time = Field(alias="to", description="Occurrences before this time.")


class NextQuery(Query):
    count: Count = 10
    after: fields.Time | None = Field(
        default=None, description="Occurrences after this time; by default after now."
    )


class CronQuery(Query):
    expression: Annotated[str, Field(max_length=255, description="As `cron` of a schedule.")]
    timezone: Timezone = "UTC"
    count: Count = 10
