"""What goes out, as models: the other half of the contract. They say what is answered, and check
nothing: `app/domain/documents.py` makes it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.findings import Verdict
from app.domain.schedule import CatchUp, Kind, Overlap
from app.domain.schedule import Outcome as RunOutcome
from app.domain.states import Backoff, Outcome, Priority, Status
from app.domain.worker import SILENT_SECONDS, WorkerState
from app.queue.processes import GAP_SECONDS, ProcessState


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] | None = None


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
    waiting_on: Literal["time", "tasks"] | None = Field(
        description="Why it cannot be claimed although it waits: `time` until `available_at`, "
        "`tasks` until those that it depends on have ended."
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


class AttemptDocument(BaseModel):
    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: datetime | None = Field(description="Null while it runs.")
    outcome: Outcome | None = Field(description="Null while it runs.")
    error: str | None


class LeaseDocument(BaseModel):
    lease_id: str = Field(examples=["1.0123456789abcdef0123456789abcdef"])
    attempt: int
    deadline: datetime
    expires_at: datetime
    task: TaskDocument


class HeartbeatDocument(BaseModel):
    expires_at: datetime
    deadline: datetime


class HeartbeatItem(BaseModel):
    lease_id: str
    status: Literal[200, 404, 409]
    expires_at: datetime | None = None
    deadline: datetime | None = None
    outcome: Outcome | None = Field(default=None, description="Why the lease is gone.")
    detail: str | None = None


class HeartbeatsDocument(BaseModel):
    items: list[HeartbeatItem]


class FinishedItem(BaseModel):
    lease_id: str
    status: Literal[200, 404, 409]
    task: TaskDocument | None = None
    detail: str | None = None


class FinishedDocument(BaseModel):
    items: list[FinishedItem]
    leases: list[LeaseDocument]


class TagDocument(BaseModel):
    name: str
    tasks: int


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


class QueueSettingsDocument(BaseModel):
    queue: str
    ageing_seconds: dict[Priority, int] | None = Field(
        description="By how much later tasks of this priority count as having come; null: tasks "
        "are claimed strictly by priority.",
        examples=[{"中": 600, "低": 3600}],
    )
    in_force_at: datetime | None = Field(
        description="When every process goes by them; null: they were never set."
    )


class WorkerDocument(BaseModel):
    """A worker, as the server last heard of it, up to 40 s ago."""

    worker: str = Field(examples=["host-1"])
    agent: str | None = Field(
        description="The `User-Agent` of its calls.",
        examples=["rowlock-python/0.1.0 (host-1)"],
    )
    address: str | None = Field(description="Where its calls come from.", examples=["192.0.2.7"])
    queues: list[str] = Field(
        description="The queues it polls; of one that was not heard of, those of its tasks.",
        examples=[["images", "default"]],
    )
    first_seen_at: datetime
    last_seen_at: datetime = Field(description="When it last asked for tasks.")
    state: WorkerState = Field(
        description="`running`: it holds tasks. `polling`: it holds none, and has asked for some "
        f"within {SILENT_SECONDS} s. `silent`: neither."
    )
    running: int = Field(description="How many tasks it holds.")
    oldest_started_at: datetime | None = Field(description="Since when it holds the oldest.")


class HeldTaskDocument(BaseModel):
    task_id: int
    title: str
    queue: str
    attempt: int
    started_at: datetime
    deadline: datetime


class WorkerDetailsDocument(WorkerDocument):
    """A worker, and the tasks that it holds."""

    leases: list[HeldTaskDocument] = Field(
        description="The tasks that it holds, the oldest first; 1,000 at most."
    )


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


class HealthDocument(BaseModel):
    status: Literal["ok"]


class MeDocument(BaseModel):
    doors: list[Literal["client", "worker", "admin", "viewer"]] = Field(
        description="What the token is for; all where no tokens are set. An `admin` and a `viewer` "
        "token open every GET."
    )
    version: str = Field(description="The server's.", examples=["0.1.0"])
    time: datetime | None = Field(description="MySQL's; null while it is away.")
    redis: str = Field(
        description="`ok`, `absent`, or `degraded` and why.",
        examples=["ok", "degraded: it is full (maxmemory)"],
    )
    retention_days: int | None = Field(
        description="After how many days tasks that ended are deleted; null: never."
    )


class FindingDocument(BaseModel):
    verdict: Verdict = Field(description="`note`: it works, but not as well as it could.")
    what: str = Field(examples=["sync_binlog"])
    detail: str
    fix: str | None = Field(
        description="A command or SQL that sets it right.",
        examples=["SET PERSIST sync_binlog = 1;"],
    )


class ExaminationDocument(BaseModel):
    """What `rowlock doctor` finds, up to 60 s ago."""

    verdict: Verdict = Field(description="The worst one.")
    age_seconds: float = Field(description="How long ago it was looked at.")
    findings: list[FindingDocument]


class ProcessDocument(BaseModel):
    id: str = Field(examples=["0123456789abcdef0123456789abcdef"])
    kind: Literal["api", "scheduler"]
    version: str
    running_since: datetime = Field(description="Since when it has been seen without a gap.")
    last_seen_at: datetime
    state: ProcessState = Field(
        description=f"`silent`: not seen for {GAP_SECONDS} s. It was killed, hangs, or does not "
        "reach MySQL. After a day it is forgotten."
    )


class SweepDocument(BaseModel):
    sweep: str = Field(examples=["promote"])
    runs: int
    moved: int = Field(description="How many tasks it has moved or deleted.")
    last_run_at: datetime = Field(description="As reported, every 5 s.")


class ProcessesDocument(BaseModel):
    """The processes, those seen last first, 1,000 at most; and what all schedulers together have
    done."""

    processes: list[ProcessDocument]
    sweeps: list[SweepDocument]


class ReadinessDocument(BaseModel):
    status: Literal["ready", "not ready"]
    parts: dict[Literal["mysql", "schema", "redis", "scheduler"], str] = Field(
        examples=[{"mysql": "ok", "schema": "ok", "redis": "degraded", "scheduler": "ok"}]
    )


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
    task_id: int | None
    fired_at: datetime


class BackfilledDocument(BaseModel):
    submitted: int
    existing: int
