"""Errors as RFC 9457 problem documents: the one place where what went wrong becomes HTTP."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from fastapi import Request, Response
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from app.domain import errors
from app.domain.documents import dumps

MEDIA_TYPE: Final = "application/problem+json"

log = structlog.get_logger(__name__)


class Kind(NamedTuple):
    """How one sort of error shows."""

    status: int
    title: str


KINDS: Final[Mapping[type[errors.RowlockError], Kind]] = {
    errors.TaskNotFoundError: Kind(404, "Task not found"),
    errors.ScheduleNotFoundError: Kind(404, "Schedule not found"),
    errors.WorkerNotFoundError: Kind(404, "Worker not found"),
    errors.RevisionMismatchError: Kind(412, "Revision mismatch"),
    errors.StaleLeaseError: Kind(409, "Lease is gone"),
    errors.TransitionNotAllowedError: Kind(409, "Not allowed in this state"),
    errors.FieldLockedError: Kind(409, "Field can no longer change"),
    errors.RetryLimitTooLowError: Kind(409, "Retry limit too low"),
    errors.UniqueKeyHeldError: Kind(409, "Unique key held"),
    errors.DependencyFailedError: Kind(409, "Dependency failed"),
    errors.DependencyUnmetError: Kind(409, "Dependency unmet"),
    errors.WaitsNoLongerError: Kind(409, "Waits no longer"),
    errors.MoreMatchError: Kind(409, "More match than expected"),
    errors.KeyReusedError: Kind(422, "Idempotency key reused"),
    errors.SearchTooSlowError: Kind(422, "Search too slow"),
    errors.TooManyWaitingError: Kind(429, "Too many waiting"),
    errors.DatabaseAwayError: Kind(503, "Database away"),
    errors.DatabaseBusyError: Kind(503, "Database busy"),
    errors.RowBusyError: Kind(503, "Row busy"),
    errors.PacketTooSmallError: Kind(503, "Packet too small"),
}

# What no client sets: states are the system's.
SYSTEM_FIELDS: Final = frozenset(
    {"id", "status", "current_retry_count", "created_at", "updated_at", "completed_at"}
    | {"result", "error", "attempt", "worker", "started_at", "progress"}
)

# Of what is one fault after the other, the answer would be larger than the call, and making it
# takes longer than all else.
FAULTS_NAMED: Final = 20
FAULTS_LISTED: Final = 1000
FAULTS_TOLD: Final = 10
NAME_CHARACTERS: Final = 100
MESSAGE_CHARACTERS: Final = 300

# Named by the error itself, for programs that act on it.
_EXTENSIONS: Final = (
    "schedule",
    "revision",
    "worker",
    "task_id",
    "task_status",
    "unique_key",
    "dependency",
    "outcome",
    "field",
    "current_retry_count",
    "matched",
    "expect_at_most",
)


class FieldError(NamedTuple):
    """What is wrong with one field."""

    field: str
    message: str


class InvalidRequestError(Exception):
    """A request that cannot be taken as it is, with every field that is wrong."""

    def __init__(
        self, fields: Sequence[FieldError], *, status: int = 422, title: str = "Invalid request"
    ) -> None:
        super().__init__(title)
        self.fields = [
            FieldError(_short(f), _short(m, MESSAGE_CHARACTERS)) for f, m in fields[:FAULTS_NAMED]
        ]
        self.unnamed = len(fields) - len(self.fields)
        self.status = status
        self.title = title


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **extensions: object,
) -> Response:
    """A problem document as the answer."""
    body = {
        "type": _type(status, title),
        "title": title,
        "status": status,
        "detail": detail,
        **extensions,
    }
    return Response(dumps(body), status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def invalid_fields(
    error: ValidationError, *, prefix: tuple[str | int, ...] = ()
) -> list[FieldError]:
    """What pydantic found, named as the caller wrote it: `tasks.3.title`."""
    if error.error_count() > FAULTS_LISTED:
        return [FieldError("body", f"has {error.error_count():,} errors, too many to list")]
    return [
        FieldError(
            ".".join(str(part) for part in (*prefix, *_location(details))) or "body",
            _message(details),
        )
        for details in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def problem_of(error: Exception) -> Response:
    """The answer to whatever went wrong."""
    if isinstance(error, errors.RowlockError) and type(error) in KINDS:
        return _of_domain(error)
    if isinstance(error, errors.InvalidRecurrenceError):
        error = InvalidRequestError([FieldError(error.field, str(error))])
    if isinstance(error, errors.NoDependencyError):
        error = InvalidRequestError([FieldError(str(error.facts["field"]), str(error))])
    if isinstance(error, InvalidRequestError):
        detail = "; ".join(f"{field}: {message}" for field, message in error.fields[:FAULTS_TOLD])
        if error.unnamed:
            detail += f"; and {error.unnamed:,} more"
        fields = [field_error._asdict() for field_error in error.fields]
        return problem(error.status, error.title, detail, errors=fields)
    if isinstance(error, HTTPException):
        status = error.status_code
        return problem(status, _reason(status), str(error.detail), headers=error.headers)
    # A bug. The caller learns nothing of its insides; the log does.
    log.error("unexpected_error", exc_info=error)
    return problem(500, "Internal error", "An unexpected error occurred; it was logged.")


def in_item(error: errors.RowlockError) -> dict[str, Any]:
    """The same in an item of an answer to many."""
    if isinstance(error, errors.NoDependencyError):
        wrong = {"field": error.facts["field"], "message": str(error)}
        detail = f"{error.facts['field']}: {error}"
        kind, more = Kind(422, "Invalid request"), {"errors": [wrong]}
    else:
        kind, detail, more = KINDS[type(error)], str(error), {}
    return {"status": kind.status, "type": _type(*kind), "detail": detail, **more}


async def on_error(_request: Request, error: Exception) -> Response:
    """The same, as FastAPI calls it."""
    return problem_of(error)


def _of_domain(error: errors.RowlockError) -> Response:
    kind = KINDS[type(error)]
    extensions = {
        name: error.facts[name] for name in _EXTENSIONS if error.facts.get(name) is not None
    }
    retry_after = getattr(error, "retry_after_seconds", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return problem(kind.status, kind.title, str(error), headers=headers, **extensions)


def _location(details: ErrorDetails) -> tuple[str | int, ...]:
    # Parts like "function-after[...]" or a union's branch are pydantic's, not the caller's; but
    # the name of an unknown field is whatever the caller wrote.
    *parents, last = details["loc"] or ("",)
    known = [p for p in parents if isinstance(p, int) or p.isidentifier()]
    is_named = details["type"] == "extra_forbidden" or isinstance(last, int) or last.isidentifier()
    return (*known, last) if is_named else tuple(known)


def _message(details: ErrorDetails) -> str:
    messages: dict[str, str] = {
        "extra_forbidden": "is set by the system only"
        if details["loc"] and details["loc"][-1] in SYSTEM_FIELDS
        else "is unknown",
        "missing": "is required",
        "json_invalid": details["msg"].replace("Invalid JSON", "is not valid JSON"),
    }
    return messages.get(details["type"], details["msg"].removeprefix("Value error, "))


def _short(text: str, limit: int = NAME_CHARACTERS) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


def _type(status: int, title: str) -> str:
    is_plain = title == _reason(status)
    return "about:blank" if is_plain else f"urn:rowlock:{title.lower().replace(' ', '-')}"


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase
