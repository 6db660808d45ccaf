"""Rowlock's client and worker SDK. It talks to the server over HTTP only."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rowlock.client.async_client import AsyncClient
    from rowlock.client.fields import NewTask, Unique
    from rowlock.client.flow import AsyncFlow, Flow
    from rowlock.client.flow_plan import Member
    from rowlock.client.schedule_fields import ScheduledTask
    from rowlock.client.sync_client import Client
    from rowlock.errors import (
        ConflictError,
        InvalidRequestError,
        LifespanError,
        NaiveTimeError,
        NotAllowedError,
        NotFoundError,
        PayloadError,
        ProblemError,
        RowlockError,
        ScheduleError,
        StuckHandlersError,
        UnavailableError,
        UnexpectedAnswerError,
        UnreachableError,
        WaitTimeoutError,
        WorkerProcessError,
    )
    from rowlock.models import (
        Attempt,
        AwaitedTask,
        BackfillResult,
        BulkResult,
        Cost,
        Count,
        Dependencies,
        Examination,
        Finding,
        HeldTask,
        History,
        HistoryBucket,
        Lease,
        Me,
        Occurrence,
        Parent,
        Processes,
        QueueGroup,
        QueueSettings,
        QueueState,
        QueueStats,
        Reason,
        RegisteredWorker,
        RelatedTask,
        Schedule,
        ScheduleRun,
        ServerProcess,
        Stats,
        Sweep,
        Tag,
        Task,
        Why,
        WorkerDetails,
    )
    from rowlock.worker.attempt import Permanent, Retry, RunningAttempt, current_attempt
    from rowlock.worker.done import Done
    from rowlock.worker.task_handler import TaskHandler
    from rowlock.worker.worker import Worker

__all__ = [
    "AsyncClient",
    "AsyncFlow",
    "Attempt",
    "AwaitedTask",
    "BackfillResult",
    "BulkResult",
    "Client",
    "ConflictError",
    "Cost",
    "Count",
    "Dependencies",
    "Done",
    "Examination",
    "Finding",
    "Flow",
    "HeldTask",
    "History",
    "HistoryBucket",
    "InvalidRequestError",
    "Lease",
    "LifespanError",
    "Me",
    "Member",
    "NaiveTimeError",
    "NewTask",
    "NotAllowedError",
    "NotFoundError",
    "Occurrence",
    "Parent",
    "PayloadError",
    "Permanent",
    "ProblemError",
    "Processes",
    "QueueGroup",
    "QueueSettings",
    "QueueState",
    "QueueStats",
    "Reason",
    "RegisteredWorker",
    "RelatedTask",
    "Retry",
    "RowlockError",
    "RunningAttempt",
    "Schedule",
    "ScheduleError",
    "ScheduleRun",
    "ScheduledTask",
    "ServerProcess",
    "Stats",
    "StuckHandlersError",
    "Sweep",
    "Tag",
    "Task",
    "TaskHandler",
    "UnavailableError",
    "UnexpectedAnswerError",
    "Unique",
    "UnreachableError",
    "WaitTimeoutError",
    "Why",
    "Worker",
    "WorkerDetails",
    "WorkerProcessError",
    "current_attempt",
]

# In this order: what comes first loads little, and is found before what loads more.
_MODULES = (
    "errors",
    "models",
    "client.fields",
    "client.schedule_fields",
    "client.flow_plan",
    "client.flow",
    "client.sync_client",
    "client.async_client",
    "worker.attempt",
    "worker.done",
    "worker.task_handler",
    "worker.worker",
)

__version__: str


def __getattr__(name: str) -> Any:
    # Imported when asked for: who wants the version alone does not load an HTTP client.
    if name == "__version__":
        return _version()
    if name in __all__:
        for module in _MODULES:
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _version() -> str:
    metadata = import_module("importlib.metadata")
    try:
        return str(metadata.version("rowlock"))
    except metadata.PackageNotFoundError:  # run from a tree that was not installed
        return "0+unknown"
