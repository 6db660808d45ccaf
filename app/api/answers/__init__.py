"""What goes out, as models: the other half of the contract. They say what is answered, and check
nothing: `app/domain/documents.py` makes it."""

from app.api.answers.deployment import (
    ExaminationDocument,
    FindingDocument,
    HealthDocument,
    MeDocument,
    ProcessDocument,
    ProcessesDocument,
    ReadinessDocument,
    SweepDocument,
)
from app.api.answers.leases import (
    EndedTask,
    FinishedDocument,
    FinishedItem,
    HeartbeatDocument,
    HeartbeatItem,
    HeartbeatsDocument,
    LeaseDocument,
)
from app.api.answers.problems import Problem
from app.api.answers.queues import (
    GroupDocument,
    HistoryBucketDocument,
    HistoryDocument,
    QueueDocument,
    QueueSettingsDocument,
    QueueStateDocument,
    StatsDocument,
)
from app.api.answers.schedules import (
    BackfilledDocument,
    OccurrenceDocument,
    RunDocument,
    ScheduleDocument,
)
from app.api.answers.tasks import (
    AttemptDocument,
    BulkDocument,
    CostDocument,
    CountDocument,
    ListedTask,
    Origin,
    TagDocument,
    TaskDocument,
    TaskSummary,
)
from app.api.answers.workers import HeldTaskDocument, WorkerDetailsDocument, WorkerDocument

__all__ = [
    "AttemptDocument",
    "BackfilledDocument",
    "BulkDocument",
    "CostDocument",
    "CountDocument",
    "EndedTask",
    "ExaminationDocument",
    "FindingDocument",
    "FinishedDocument",
    "FinishedItem",
    "GroupDocument",
    "HealthDocument",
    "HeartbeatDocument",
    "HeartbeatItem",
    "HeartbeatsDocument",
    "HeldTaskDocument",
    "HistoryBucketDocument",
    "HistoryDocument",
    "LeaseDocument",
    "ListedTask",
    "MeDocument",
    "OccurrenceDocument",
    "Origin",
    "Problem",
    "ProcessDocument",
    "ProcessesDocument",
    "QueueDocument",
    "QueueSettingsDocument",
    "QueueStateDocument",
    "ReadinessDocument",
    "RunDocument",
    "ScheduleDocument",
    "StatsDocument",
    "SweepDocument",
    "TagDocument",
    "TaskDocument",
    "TaskSummary",
    "WorkerDetailsDocument",
    "WorkerDocument",
]
