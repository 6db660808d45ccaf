"""A task and its attempts, tags, and what an action on many tasks did."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.domain.states import Backoff, Outcome, Priority, Status


class Origin(BaseModel):
    """Which occurrence of a schedule submitted a task."""

    schedule: str = Field(examples=["nightly report"])
    occurrence_at: datetime


class TaskSummary(BaseModel):
    """A task without its long fields, used where the response would be too large."""

    id: int = Field(examples=[1])
    title: str = Field(examples=["resize image"])
    status: Status
    priority: Priority
    tags: list[str] = Field(examples=[["核心业务"]])
    due_date: datetime | None
    timeout_seconds: int
    retry_limit: int
    current_retry_count: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    queue: str = Field(examples=["default"])
    attempt: int
    worker: str | None
    available_at: datetime | None
    started_at: datetime | None
    retry_delay_seconds: int
    retry_backoff: Backoff
    traceparent: str | None = Field(
        description="The W3C trace context of the call that submitted it.",
        examples=["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    )
    origin: Origin | None = Field(description="The schedule that submitted it; null for a client.")
    unique_key: str | None = Field(
        description="The unique key that it holds; null once it holds none.",
        examples=["customer-17"],
    )
    group: str | None = Field(
        description="Whose it is: of a group as many run at a time as its queue's settings say.",
        examples=["customer-17"],
    )
    waiting_on: Literal["time", "tasks", "group"] | None = Field(
        description="Why it cannot be claimed although it waits: `time` until `available_at`, "
        "`tasks` until those that it depends on have ended, `group` until a slot of its group, or "
        "of its queue, is free."
    )
    deadline_at: datetime | None = Field(
        description="When `timeout_seconds` of the running attempt are over; where `progress` is."
    )
    lease_expires_at: datetime | None = Field(
        description="When the running attempt ends if nothing more is heard of its worker, "
        "`deadline_at` at the latest; where `progress` is."
    )
    last_heartbeat_at: datetime | None = Field(
        description="When its worker was last heard of; null if it promised no heartbeats, or "
        "none is known; where `progress` is."
    )
    progress: Any = Field(
        description="Progress of the running attempt; in `GET /tasks/{id}`, and where a key is "
        "sent again."
    )


class TaskDocument(TaskSummary):
    """A task."""

    description: str | None
    payload: Any
    result: Any
    error: str | None


class ListedTask(TaskSummary):
    """A task in `view=summary`. Sizes are of the texts as they are stored."""

    error: str | None = Field(description="Its first 256 characters.")
    error_bytes: int | None
    payload_bytes: int | None = Field(
        description="Of the JSON; 0 without a payload. Null: a version stored it that kept none."
    )
    result_bytes: int | None = Field(description="Likewise.")


class CountDocument(BaseModel):
    count: int
    is_exact: bool = Field(
        description="If not, there are at least so many: they were counted up to the limit, or as "
        "far as there was time."
    )


class CostDocument(BaseModel):
    index: str | None = Field(
        description="The index that the list goes along; null where nothing can match."
    )
    rows_at_least: int = Field(
        description="About so many entries of it are read where tasks that match come first."
    )
    rows_at_most: int = Field(description="Where few match, or none.")
    is_estimate: bool = Field(
        description="Whether `rows_at_most` is MySQL's estimate; else the counters know it."
    )
    may_be_cut_off: bool = Field(
        description="Whether so many take longer, at 200,000 a second, than a list may take."
    )
    timeout_seconds: float = Field(description="How long a list may take.")


class AttemptDocument(BaseModel):
    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: datetime | None = Field(description="Null while it runs.")
    outcome: Outcome | None = Field(description="Null while it runs.")
    error: str | None


class TagDocument(BaseModel):
    name: str
    tasks: int


class BulkDocument(BaseModel):
    """What an action on many did; of a dry run also what it would do."""

    matched: int
    changed: int
    next: str | None = Field(
        description="What to send as `after` to go on; null: no more tasks match."
    )
    by_status: dict[Status, int] | None = Field(
        default=None, description="How many of `matched` are in each status."
    )
    to: dict[Status, list[Status | Literal["deleted"]]] | None = Field(
        default=None,
        description="Where the action takes the tasks of each status; those of a status that is "
        "not named stay as they are.",
        examples=[{"paused": ["to_do", "retrying"]}],
    )
    is_exact: bool | None = Field(
        default=None, description="False: there are more than `matched`, which were not counted."
    )
