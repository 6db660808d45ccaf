"""What can go wrong between a program and the server."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

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
    """The task did not end in time; `task` is its last known state."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"task {task.id} is still {task.status}")
        self.task = task


class NaiveTimeError(RowlockError, ValueError):
    """A time without an offset from UTC. The offset is not guessed; nothing was sent."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(
            f"{field}: {value} has no time zone. End text with an offset, such as +01:00, or with "
            "Z for UTC; give a datetime a tzinfo, as in datetime.now(UTC), or with .astimezone() "
            "if it is in local time"
        )


class FieldError(NamedTuple):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemError(RowlockError):
    """The server refused the call, with a problem document (RFC 9457).

    `errors` lists the fields that are not valid, `task_status` is the task's status if that is
    the reason, and `problem` is the whole document.
    """

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
    """404: there is no such task."""


class ConflictError(ProblemError):
    """409: the task's state does not allow it, or the lease is gone."""


class UnavailableError(ProblemError):
    """429, 500 and above: try again later, after `retry_after_seconds` if the server says so."""

    retry_after_seconds: float | None = None


_BY_STATUS: Mapping[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: UnavailableError,
}

_SHOWN_CHARACTERS = 200


def problem_of(response: httpx.Response) -> ProblemError:
    """The error that an answer other than 2xx is, whoever gave it."""
    status = response.status_code
    document = _document(response)
    kind = _BY_STATUS.get(status, UnavailableError if status >= httpx.codes(500) else ProblemError)
    error = kind(
        status,
        str(document.get("title") or response.reason_phrase),
        str(document.get("detail") or ""),
        document,
    )
    if isinstance(error, UnavailableError):
        error.retry_after_seconds = _seconds(response.headers.get("Retry-After"))
    return error


def _document(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    # Not ours: a proxy's page, say. Its beginning is better than nothing.
    return {"detail": response.text[:_SHOWN_CHARACTERS].strip()}


def _seconds(text: str | None) -> float | None:
    # As a date it is not worth another clock: the caller's own backoff will do.
    return float(text) if text is not None and text.isdecimal() else None
