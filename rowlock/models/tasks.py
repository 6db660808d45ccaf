"""A task and its attempts, what it waits for, tags, and what an action on many tasks did."""

from datetime import datetime
from typing import Any, Final

from rowlock.models.answer import Answer

ENDED: Final = frozenset({"done", "failed", "cancelled"})


class Origin(Answer):
    """What submitted a task that no client did: an occurrence of a schedule."""

    schedule: str | None = None
    occurrence_at: datetime | None = None


class Task(Answer):
    """A task.

    `status` is one of `to_do`, `in_progress`, `done`, `paused`, `retrying`, `failed` and
    `cancelled`; `priority` is `高`, `中` or `低`. `waiting_on` is `tasks` until those that it
    depends on have ended, `time` until `available_at`, `group` until a slot of its `group` or its
    queue is free; `unique_key` is the one that it holds now.
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
    group: str | None = None
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


class Cost(Answer):
    """What a page of a list would have MySQL read: from `rows_at_least` to `rows_at_most` entries
    of `index`, None where nothing can match; and whether it may be cut off after
    `timeout_seconds`."""

    index: str | None
    rows_at_least: int
    rows_at_most: int
    is_estimate: bool
    may_be_cut_off: bool
    timeout_seconds: float


class Attempt(Answer):
    """An attempt. `outcome` is `done`, `failed`, `timed_out`, `lost`, `released` or `cancelled`,
    and None, as `finished_at` is, while it runs."""

    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    error: str | None


class AwaitedTask(Answer):
    """A task that has to end before another one begins."""

    id: int
    status: str


class Reason(Answer):
    """One reason for which a task stands where it stands; `detail` says it in a sentence.

    `reason` is one of `ended`, `paused`, `held`, `waits_for_tasks`, `waits_for_slot`, `not_yet`,
    `no_scheduler`, `queue_paused`, `row_locked`, `no_worker`, `behind`, `due` and `unknown`. Fields
    that it does not have are None.
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
    # waits_for_tasks
    unmet: int | None = None
    total: int | None = None
    parents: list[AwaitedTask] | None = None
    # waits_for_slot
    group: str | None = None
    held: int | None = None
    running_limit: int | None = None
    ahead: int | None = None
    # not_yet
    until: datetime | None = None
    retry: int | None = None
    retry_limit: int | None = None
    # no_scheduler, no_worker
    last_run_at: datetime | None = None
    last_poll_at: datetime | None = None
    in_progress: int | None = None
    # behind, waits_for_tasks, waits_for_slot
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


class Tag(Answer):
    """A tag, and how many tasks have it."""

    name: str
    tasks: int


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
