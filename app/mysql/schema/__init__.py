"""The schema: tables, indexes and CHECKs, in one place. `alembic/` makes the same, and
`make check` holds the two to each other."""

from app.mysql.schema.columns import Model
from app.mysql.schema.dependencies import Fanout, TaskDependency, TaskWait
from app.mysql.schema.deployment import Deployment, Process, SkipLockedProof, Worker
from app.mysql.schema.figures import CounterDelta, CounterValue, History, SweepReport
from app.mysql.schema.groups import GroupWait, TaskGroup
from app.mysql.schema.queues import PausedQueue, QueueSettings, SettingsVersion
from app.mysql.schema.schedules import Schedule, ScheduleRun
from app.mysql.schema.tasks import (
    IdempotencyKey,
    Tag,
    Task,
    TaskAttempt,
    TaskTag,
    UniqueKey,
    UniqueKeyLock,
)

__all__ = [
    "CounterDelta",
    "CounterValue",
    "Deployment",
    "Fanout",
    "GroupWait",
    "History",
    "IdempotencyKey",
    "Model",
    "PausedQueue",
    "Process",
    "QueueSettings",
    "Schedule",
    "ScheduleRun",
    "SettingsVersion",
    "SkipLockedProof",
    "SweepReport",
    "Tag",
    "Task",
    "TaskAttempt",
    "TaskDependency",
    "TaskGroup",
    "TaskTag",
    "TaskWait",
    "UniqueKey",
    "UniqueKeyLock",
    "Worker",
]
