"""Queues: their state, figures, history and settings."""

from datetime import datetime

from rowlock.models.answer import Answer


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
    claimed strictly by priority. `running` tasks of it run at a time, and `running_per_group` of
    each of its groups, and at most `rate` and `rate_per_group` attempts begin in a time; None: any
    number. If `fair`, its groups take turns."""

    queue: str
    ageing_seconds: dict[str, int] | None
    running: int | None = None
    running_per_group: int | None = None
    fair: bool = False
    rate: dict[str, int] | None = None
    rate_per_group: dict[str, int] | None = None
    in_force_at: datetime | None


class QueueGroup(Answer):
    """A group of a queue: how many of its tasks run or may be claimed (`held`), how many may
    (`running_limit`, None: any number), and how many wait for that. Where groups take turns it has
    `weight` for one of others'. `next_token_at` is when one more attempt may begin by the queue's
    `rate_per_group`; None: now, or once one of those that may is claimed."""

    group: str
    held: int
    waiting: int
    running_limit: int | None
    weight: int = 1
    next_token_at: datetime | None = None
