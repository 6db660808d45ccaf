"""What can go wrong in the domain. A docstring is the message; HTTP is not known here."""

from typing import ClassVar


class RowlockError(Exception):
    """Something went wrong."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__((type(self).__doc__ or "").format(**facts))


class TaskNotFoundError(RowlockError):
    """There is no task {task_id}."""


class StaleLeaseError(RowlockError):
    """This lease no longer holds task {task_id}: {reason}. The task is {task_status} now."""


class TransitionNotAllowedError(RowlockError):
    """Task {task_id} is {task_status}; it cannot be {done}."""


class FieldLockedError(RowlockError):
    """{field} of task {task_id} cannot change any more: the task is {task_status}."""


class RetryLimitTooLowError(RowlockError):
    """retry_limit cannot be below the {current_retry_count} retries task {task_id} has used."""


class KeyReusedError(RowlockError):
    """Idempotency-Key was used before with another body."""


class SearchTooSlowError(RowlockError):
    """The list took longer than {seconds:g} s and was cut off; narrow it with another filter."""


class DatabaseAwayError(RowlockError):
    """MySQL cannot be reached or does not answer: {reason}. Nothing is known to be stored."""

    retry_after_seconds: ClassVar[int] = 1


class DatabaseBusyError(RowlockError):
    """Too many such calls wait for MySQL already; nothing is known to be stored. Try again."""

    retry_after_seconds: ClassVar[int] = 1


class RowBusyError(RowlockError):
    """Somebody else holds a row that this call needs; nothing is stored. Try again."""

    retry_after_seconds: ClassVar[int] = 1


class PacketTooSmallError(RowlockError):
    """MySQL's max_allowed_packet is too small for this task; nothing is stored. 16M is enough."""

    retry_after_seconds: ClassVar[int] = 10


class TooManyWaitingError(RowlockError):
    """{limit:,} long polls wait here already."""

    retry_after_seconds: ClassVar[int] = 5


class RecountUnderWayError(RowlockError):
    """Another recount of this database is under way; nothing was changed."""


class TagMissingError(RowlockError):
    """A tag was deleted just now; nothing is stored."""


class GuardFailedError(RowlockError):
    """{statement} was to change {expected} rows and matched {matched}; it was rolled back."""


class UnfitServerError(RowlockError):
    """{reason}"""
