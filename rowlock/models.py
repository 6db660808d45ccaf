"""The server's answers. Fields that a newer server adds are kept in `model_extra`."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

ENDED: Final = frozenset({"done", "failed", "cancelled"})


class Answer(BaseModel):
    """Frozen, and open to what is not known here yet."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Origin(Answer):
    """What submitted a task that no client did: an occurrence of a schedule."""

    schedule: str | None = None
    occurrence_at: datetime | None = None


class Task(Answer):
    """A task.

    `status` is one of `to_do`, `in_progress`, `done`, `paused`, `retrying`, `failed` and
    `cancelled`; `priority` is `高`, `中` or `低`. `waiting_on` is `time` until `available_at`;
    `unique_key` is the one that it holds now.
    While it is in progress, `get` and `wait` set `progress`, `deadline_at`, `lease_expires_at` and
    `last_heartbeat_at`; a list does not.
    If `is_summary`, the server omitted `description`, `payload` and `result`: they are None here,
    and `get` returns them. With `view="summary"` it cut `error` to its head, and the sizes are set
    in their place; a size of None is not known. If a large batch is submitted again under the same
    key, it omitted `error` too.
    """

    id: int
    title: str
    description: str | None = None
    status: str
    priority: str
    tags: list[str]
    due_date: datetime | None
    timeout_seconds: int
    retry_limit: int
    current_retry_count: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    queue: str
    payload: Any = None
    result: Any = None
    error: str | None = None
    attempt: int
    worker: str | None
    available_at: datetime | None
    started_at: datetime | None
    retry_delay_seconds: int
    retry_backoff: str
    progress: Any = None
    traceparent: str | None = None
    origin: Origin | None = None
    unique_key: str | None = None
    waiting_on: str | None = None
    deadline_at: datetime | None = None
    lease_expires_at: datetime | None = None
    last_heartbeat_at: datetime | None = None
    error_bytes: int | None = None
    payload_bytes: int | None = None
    result_bytes: int | None = None

    @property
    def is_summary(self) -> bool:
        """Whether the server omitted its long fields."""
        return "payload" not in self.model_fields_set

    @property
    def has_ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.status in ENDED


class Count(Answer):
    """How many tasks match; at least so many, unless `is_exact`."""

    count: int
    is_exact: bool


class Attempt(Answer):
    """An attempt. `outcome` is `done`, `failed`, `timed_out`, `lost`, `released` or `cancelled`,
    and None, as `finished_at` is, while it runs."""

    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    error: str | None


class Reason(Answer):
    """One reason for which a task stands where it stands; `detail` says it in a sentence.

    `reason` is one of `ended`, `paused`, `held`, `not_yet`, `no_scheduler`, `queue_paused`,
    `row_locked`, `no_worker`, `behind`, `due` and `unknown`. Fields that it does not have are None.
    """

    reason: str
    detail: str
    # ended, paused, queue_paused, due
    since: datetime | None = None
    # held
    worker: str | None = None
    attempt: int | None = None
    started_at: datetime | None = None
    deadline: datetime | None = None
    last_heartbeat_at: datetime | None = None
    ends_at: datetime | None = None
    ends_as: str | None = None
    becomes: str | None = None
    # not_yet
    until: datetime | None = None
    retry: int | None = None
    retry_limit: int | None = None
    # no_scheduler, no_worker
    last_run_at: datetime | None = None
    last_poll_at: datetime | None = None
    in_progress: int | None = None
    # behind
    tasks: int | None = None
    at_least: bool | None = None
    ended_per_minute: float | None = None
    expected_at: datetime | None = None
    # unknown
    part: str | None = None


class Why(Answer):
    """What a task waits for: all reasons that apply, the most decisive first.

    If `is_claimable`, a worker that asks gets it, once those ahead of it are taken.
    """

    status: str
    is_claimable: bool
    reasons: list[Reason]


class Lease(Answer):
    """A claimed task, with the time at which the lease expires."""

    lease_id: str
    attempt: int
    deadline: datetime
    expires_at: datetime
    task: Task


class Tag(Answer):
    """A tag, and how many tasks have it."""

    name: str
    tasks: int


class QueueStats(Answer):
    """The state of a queue, and its throughput in the last `recent_minutes`."""

    queue: str
    paused: bool
    paused_at: datetime | None
    # by status, then by priority
    tasks: dict[str, dict[str, int]]
    waiting: int
    in_progress: int
    oldest_waiting_seconds: float | None
    recent_minutes: int
    recent_done: int
    recent_failed_attempts: int
    done_per_minute: float
    failure_rate: float | None


class Stats(Answer):
    """The state of every queue."""

    queues: list[QueueStats]


class HistoryBucket(Answer):
    """A minute or an hour of a queue, or of all: tasks that were submitted, attempts that started
    and how they ended. `failed` are those that were their task's last, `retried` the others.

    Seconds, off by 4.5 % at most: `wait_p50` is how long half of those that started had waited at
    most, `run_p95` how long 95 % of those that ended had run at most; None: there were none.
    """

    begins_at: datetime
    is_complete: bool
    submitted: int
    started: int
    done: int
    failed: int
    retried: int
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None


class History(Answer):
    """How a queue went, or all of them together if `queue` is None; the last bucket is now."""

    queue: str | None
    bucket_seconds: int
    buckets: list[HistoryBucket]


class QueueState(Answer):
    """Whether a queue is paused."""

    queue: str
    paused: bool
    paused_at: datetime | None


class QueueSettings(Answer):
    """What is set for a queue, in force everywhere since `in_force_at`; None: it was never set.
    A task counts as if it had come `ageing_seconds` later, by its priority; None: tasks are
    claimed strictly by priority."""

    queue: str
    ageing_seconds: dict[str, int] | None
    in_force_at: datetime | None


class RegisteredWorker(Answer):
    """A worker, as the server last heard of it, up to 40 s ago.

    `state` is `running` while it holds tasks, `polling` if it has asked for some lately, else
    `silent`. `agent` is what its program calls itself. `queues` are those that it polls.
    """

    worker: str
    agent: str | None
    address: str | None
    queues: list[str]
    first_seen_at: datetime
    last_seen_at: datetime
    state: str
    running: int
    oldest_started_at: datetime | None


class HeldTask(Answer):
    """A task that a worker has under way."""

    task_id: int
    title: str
    queue: str
    attempt: int
    started_at: datetime
    deadline: datetime


class WorkerDetails(RegisteredWorker):
    """A worker with the tasks that it holds, the oldest first; 1,000 at most."""

    leases: list[HeldTask]


class Me(Answer):
    """What the token opens, and the server. `doors` are `client`, `worker`, `admin` and `viewer`;
    the last two open every call that only reads. `time` is MySQL's, None while it is away. `redis`
    is `ok`, `absent`, or `degraded` and why. `retention_days`: when tasks that ended are deleted.
    """

    doors: list[str]
    version: str
    time: datetime | None
    redis: str
    retention_days: int | None


class Finding(Answer):
    """One thing that was looked at. `verdict` is `ok`, `note` or `bad`; `fix` is a command or SQL
    that sets it right."""

    verdict: str
    what: str
    detail: str
    fix: str | None = None


class Examination(Answer):
    """What the server finds of its MySQL and its Redis; `verdict` is the worst one."""

    verdict: str
    age_seconds: float
    findings: list[Finding]


class ServerProcess(Answer):
    """An API process or a scheduler. `kind` is `api` or `scheduler`; `state` is `running`, or
    `silent` if it has not been seen for some seconds."""

    id: str
    kind: str
    version: str
    running_since: datetime
    last_seen_at: datetime
    state: str


class Sweep(Answer):
    """What all schedulers together have done of one sweep."""

    sweep: str
    runs: int
    moved: int
    last_run_at: datetime


class Processes(Answer):
    """The server's processes, and their sweeps."""

    processes: list[ServerProcess]
    sweeps: list[Sweep]


class BulkResult(Answer):
    """How many tasks matched the filters, and how many of them changed.

    `next` is what to pass as `after` to go on, None if no more tasks match. A dry run also says
    how many of `matched` are in each status (`by_status`), where the action takes the tasks of
    each status (`to`; those of a status that is not named stay as they are), and whether more
    match that were not counted (`is_exact` is False).
    """

    matched: int
    changed: int
    next: str | None = None
    by_status: dict[str, int] | None = None
    to: dict[str, list[str]] | None = None
    is_exact: bool | None = None


class Schedule(Answer):
    """A recurring schedule.

    `task` has the fields of the task that each occurrence submits. `catch_up` is `none`, `one` or
    `all`, `overlap` is `skip` or `allow`. `next_at` is the next occurrence, None while it is
    paused or when none comes any more. `revision` grows with each change.
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
    `submitted`, `skipped_overlap` or `skipped_late`, which stands for `skipped` occurrences: all
    that were left out up to this one."""

    occurrence_at: datetime
    kind: str
    outcome: str
    skipped: int
    task_id: int | None
    fired_at: datetime


class BackfillResult(Answer):
    """How many tasks were submitted, and how many occurrences had one already."""

    submitted: int
    existing: int


class FinishedItem(BaseModel):
    """What became of one finish. The task that comes with it is not read: nobody asks."""

    lease_id: str
    status: int
    detail: str | None = None


class HeartbeatItem(BaseModel):
    """What became of one heartbeat."""

    lease_id: str
    status: int
    outcome: str | None = None
    detail: str | None = None


class HeartbeatItems(BaseModel):
    """What `POST /leases/heartbeat` says."""

    items: list[HeartbeatItem]


class Finished(BaseModel):
    """What `POST /leases/finish` says."""

    items: list[FinishedItem]
    leases: list[Lease]
