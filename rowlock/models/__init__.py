"""The server's answers. Fields that a newer server adds are kept in `model_extra`."""

from rowlock.models.answer import Answer
from rowlock.models.dependencies import Dependencies, Parent, RelatedTask
from rowlock.models.deployment import Examination, Finding, Me, Processes, ServerProcess, Sweep
from rowlock.models.leases import Finished, FinishedItem, HeartbeatItem, HeartbeatItems, Lease
from rowlock.models.queues import (
    History,
    HistoryBucket,
    QueueGroup,
    QueueSettings,
    QueueState,
    QueueStats,
    Stats,
)
from rowlock.models.schedules import BackfillResult, Occurrence, Schedule, ScheduleRun
from rowlock.models.tasks import (
    ENDED,
    Attempt,
    AwaitedTask,
    BulkResult,
    Cost,
    Count,
    Origin,
    Reason,
    Tag,
    Task,
    Why,
)
from rowlock.models.workers import HeldTask, RegisteredWorker, WorkerDetails

__all__ = [
    "ENDED",
    "Answer",
    "Attempt",
    "AwaitedTask",
    "BackfillResult",
    "BulkResult",
    "Cost",
    "Count",
    "Dependencies",
    "Examination",
    "Finding",
    "Finished",
    "FinishedItem",
    "HeartbeatItem",
    "HeartbeatItems",
    "HeldTask",
    "History",
    "HistoryBucket",
    "Lease",
    "Me",
    "Occurrence",
    "Origin",
    "Parent",
    "Processes",
    "QueueGroup",
    "QueueSettings",
    "QueueState",
    "QueueStats",
    "Reason",
    "RegisteredWorker",
    "RelatedTask",
    "Schedule",
    "ScheduleRun",
    "ServerProcess",
    "Stats",
    "Sweep",
    "Tag",
    "Task",
    "Why",
    "WorkerDetails",
]
