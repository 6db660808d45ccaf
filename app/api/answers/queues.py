"""Queues: their state, figures, history and settings."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.domain.states import Priority, Status


class QueueDocument(BaseModel):
    queue: str
    paused: bool
    paused_at: datetime | None
    tasks: dict[Status, dict[Priority, int]]
    waiting: int
    in_progress: int
    oldest_waiting_seconds: float | None
    recent_minutes: int
    recent_done: int
    recent_failed_attempts: int
    done_per_minute: float
    failure_rate: float | None


class StatsDocument(BaseModel):
    queues: list[QueueDocument]


class HistoryBucketDocument(BaseModel):
    begins_at: datetime
    is_complete: bool = Field(description="Whether its time is over.")
    submitted: int
    started: int = Field(description="Attempts that began.")
    done: int
    failed: int = Field(description="Tasks whose last attempt failed.")
    retried: int = Field(description="Attempts that failed, and whose tasks are tried again.")
    wait_p50: float | None = Field(description="Seconds from when a task could be claimed.")
    wait_p95: float | None
    run_p50: float | None = Field(description="Seconds of an attempt.")
    run_p95: float | None


class HistoryDocument(BaseModel):
    queue: str | None
    bucket_seconds: Literal[60, 3600]
    buckets: list[HistoryBucketDocument]


class QueueStateDocument(BaseModel):
    queue: str
    paused: bool
    paused_at: datetime | None


class RateDocument(BaseModel):
    limit: int = Field(examples=[100])
    per_seconds: int = Field(examples=[60])
    burst: int = Field(description="So many of them at once.", examples=[2])


class QueueSettingsDocument(BaseModel):
    queue: str
    ageing_seconds: dict[Priority, int] | None = Field(
        description="By how much later tasks of this priority count as having come; null: tasks "
        "are claimed strictly by priority.",
        examples=[{"中": 600, "低": 3600}],
    )
    running: int | None = Field(
        description="So many of its tasks run at a time; null: any number.", examples=[10]
    )
    running_per_group: int | None = Field(
        description="So many tasks of each of its groups run at a time; null: any number.",
        examples=[2],
    )
    fair: bool = Field(description="Its groups take turns.")
    rate: RateDocument | None = Field(
        description="So many attempts begin in a time; null: any number."
    )
    rate_per_group: RateDocument | None = Field(
        description="So many attempts begin in a time, of each of its groups; null: any number."
    )
    in_force_at: datetime | None = Field(
        description="When every process goes by them; null: they were never set."
    )


class GroupDocument(BaseModel):
    """A group of a queue's tasks."""

    group: str = Field(examples=["customer-17"])
    held: int = Field(description="Tasks that have a slot: they run, or may be claimed.")
    waiting: int = Field(description="Tasks that wait for a slot of the group.")
    running_limit: int | None = Field(
        description="How many may have a slot: the group's own limit, or else the queue's "
        "`running_per_group`; null: any number."
    )
    weight: int = Field(
        description="Where groups take turns, so many for one of a group's that has none set."
    )
    next_token_at: datetime | None = Field(
        description="When one more of its attempts may begin by the queue's `rate_per_group`; "
        "null: now, or once a task that may is claimed."
    )
