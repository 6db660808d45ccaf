"""What can go wrong between a program and the server."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rowlock.models import Task


class RowlockError(Exception):
    """The base class of all errors of this package."""


class UnreachableError(RowlockError):
    """The server could not be reached, or did not answer.

    `may_have_happened` says whether the call may have taken effect nevertheless.
    """

    def __init__(self, message: str, *, may_have_happened: bool) -> None:
        super().__init__(message)
        self.may_have_happened = may_have_happened


class UnexpectedAnswerError(RowlockError):
    """The answer is not from a Rowlock server; check the URL."""


class WaitTimeoutError(RowlockError, TimeoutError):
    """The task did not end in time; `task` is its last known state, None if the server was away
    all the time."""

    def __init__(self, task_id: int, task: Task | None) -> None:
        still = "not known to have ended" if task is None else f"still {task.status}"
        super().__init__(f"task {task_id} is {still}")
        self.task = task


class StuckHandlersError(RowlockError):
    """A worker has ended because too many of its threads are held by handlers that do not end."""


class FieldError(NamedTuple):
    """What is wrong with one field."""

    field: str
    message: str


class PayloadError(RowlockError, ValueError):
    """A payload is not what the handler for its tasks takes; `errors` lists the fields that are
    not valid. Raised by a handler's `submit`, nothing was sent."""

    def __init__(self, title: str, errors: Sequence[FieldError]) -> None:
        said = "; ".join(f"{error.field}: {error.message}" for error in errors)
        super().__init__(f"This is not a payload of {title!r}: {said}")
        self.errors = list(errors)


class WorkerProcessError(RowlockError):
    """A worker with several processes has ended because these could not start, or because one
    ended with an error as the worker did. What the error was, they have written to stderr."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"A process of this worker has ended with exit code {exit_code}")
        self.exit_code = exit_code


class LifespanError(RowlockError):
    """A worker's lifespan failed, and the worker has ended; the cause is what it raised."""


class ScheduleError(RowlockError):
    """A worker has ended since a schedule of a handler could not be put: the server refused it, and
    the cause is what it said, or its function has no title."""


class NaiveTimeError(RowlockError, ValueError):
    """A time without an offset from UTC. The offset is not guessed; nothing was sent."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(
            f"{field}: {value} has no time zone. End text with an offset, such as +01:00, or with "
            "Z for UTC; give a datetime a tzinfo, as in datetime.now(UTC), or with .astimezone() "
            "if it is in local time"
        )


class ProblemError(RowlockError):
    """The server refused the call, with a problem document (RFC 9457).

    `errors` lists the fields that are not valid, `task_status` is the task's status if that is
    the reason, and `problem` is the whole document. `may_have_happened` says whether the call may
    have taken effect nevertheless: at an earlier try, whose answer was lost, or as it failed.
    """

    may_have_happened = False

    def __init__(self, status: int, title: str, detail: str, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {title}: {detail}" if detail else f"{status} {title}")
        self.status = status
        self.title = title
        self.detail = detail
        self.problem = problem
        errors = problem.get("errors")
        self.errors = [
            FieldError(str(error.get("field")), str(error.get("message")))
            for error in (errors if isinstance(errors, list) else ())
            if isinstance(error, Mapping)
        ]
        self.task_status: str | None = problem.get("task_status")


class InvalidRequestError(ProblemError):
    """400, 413, 415, 422: the request is not valid."""


class NotAllowedError(ProblemError):
    """401, 403: the token is missing, not valid, or for another door."""


class NotFoundError(ProblemError):
    """404: there is no such task, or no such schedule."""


class ConflictError(ProblemError):
    """409: the task's state does not allow it, the lease is gone, or another task holds the unique
    key, which `problem["task_id"]` names; 412: the schedule is at
    another revision."""


class UnavailableError(ProblemError):
    """429, 500 and above: try again later, after `retry_after_seconds` if the server says so."""

    retry_after_seconds: float | None = None


def is_refusal(error: RowlockError) -> bool:
    """Whether the same call would be answered the same at any other time."""
    return isinstance(error, ProblemError) and not isinstance(
        error, NotAllowedError | UnavailableError
    )
