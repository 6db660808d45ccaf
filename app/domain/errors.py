"""What can go wrong in the domain. A docstring is the message; HTTP is not known here."""

from collections.abc import Sequence
from typing import ClassVar


class RowlockError(Exception):
    """Something went wrong."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__((type(self).__doc__ or "").format(**facts))


class TaskNotFoundError(RowlockError):
    """There is no task {task_id}."""


class ScheduleNotFoundError(RowlockError):
    """There is no schedule {schedule}."""


class WorkerNotFoundError(RowlockError):
    """There is no worker {worker}."""


class RevisionMismatchError(RowlockError):
    """Schedule {schedule} is at revision {revision}, not at the one that If-Match names."""


class StaleLeaseError(RowlockError):
    """This lease no longer holds task {task_id}: {reason}. The task is now {task_status}."""


class TransitionNotAllowedError(RowlockError):
    """Task {task_id} is {task_status}; it cannot be {done}."""


class FieldLockedError(RowlockError):
    """{field} of task {task_id} can no longer be changed: the task is {task_status}."""


class RetryLimitTooLowError(RowlockError):
    """retry_limit must be at least {current_retry_count}: task {task_id} used that many retries."""


class KeyReusedError(RowlockError):
    """This Idempotency-Key was already used with another body; use a new key."""


class UniqueKeyHeldError(RowlockError):
    """Task {task_id}, which is {task_status}, holds the unique key {unique_key}."""


class DependencyFailedError(RowlockError):
    """It depends on task {dependency}, which {fate}, and on_parent_failure is cancel."""


class DependencyUnmetError(RowlockError):
    """Task {task_id} depends on task {dependency}, which {fate}; retry that one first."""


class NoDependencyError(RowlockError):
    """There is no task {dependency}."""


class WaitsNoLongerError(RowlockError):
    """Task {task_id} does not wait for other tasks, or waits no longer."""


class SearchTooSlowError(RowlockError):
    """The query took longer than {seconds:g} s and was stopped; narrow it with another filter."""


class MoreMatchError(RowlockError):
    """At least {matching}, more than {expect_at_most:,}; nothing was changed."""


class DatabaseAwayError(RowlockError):
    """MySQL cannot be reached or does not answer: {reason}. A change may not have been stored."""

    retry_after_seconds: ClassVar[int] = 1


class DatabaseBusyError(RowlockError):
    """Too many calls already wait for MySQL. A change may not have been stored; try again."""

    retry_after_seconds: ClassVar[int] = 1


class RowBusyError(RowlockError):
    """Another transaction holds a row that this call needs. Nothing was stored; try again."""

    retry_after_seconds: ClassVar[int] = 1


class PacketTooSmallError(RowlockError):
    """MySQL's max_allowed_packet is too small for this task; set it to 16M. Nothing was stored."""

    retry_after_seconds: ClassVar[int] = 10


class TooManyWaitingError(RowlockError):
    """{limit:,} long polls are already waiting; try again later."""

    retry_after_seconds: ClassVar[int] = 5


class RecountUnderWayError(RowlockError):
    """Another recount of this database is running; nothing was changed."""


class TagMissingError(RowlockError):
    """A tag was deleted at the same time; nothing was stored."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        super().__init__()


class GuardFailedError(RowlockError):
    """{statement} matched {matched} rows instead of {expected}; it was rolled back."""


class UnfitServerError(RowlockError):
    """{reason}"""


class InvalidRecurrenceError(ValueError):
    """Says in a sentence what `field` of a schedule cannot be, and what it may be."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)
