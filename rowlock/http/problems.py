"""Answers other than 2xx, as the errors that they are."""

from collections.abc import Mapping
from http.client import INTERNAL_SERVER_ERROR, responses
from typing import Any

from rowlock.errors import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ProblemError,
    UnavailableError,
)
from rowlock.http.answer import Answer

_BY_STATUS: Mapping[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: UnavailableError,
}

_SHOWN_CHARACTERS = 200


def problem_of(answer: Answer) -> ProblemError:
    """The error that an answer other than 2xx is, whoever gave it."""
    status = answer.status
    document = _document(answer)
    kind = _BY_STATUS.get(
        status, UnavailableError if status >= INTERNAL_SERVER_ERROR else ProblemError
    )
    error = kind(
        status,
        str(document.get("title") or responses.get(status, "")),
        str(document.get("detail") or ""),
        document,
    )
    if isinstance(error, UnavailableError):
        error.retry_after_seconds = _seconds(answer.headers.get("retry-after"))
    return error


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    # Not ours: a proxy's page, say. Its beginning is better than nothing.
    return {"detail": answer.text[:_SHOWN_CHARACTERS].strip()}


def _seconds(text: str | None) -> float | None:
    # As a date it is not worth another clock: the caller's own backoff will do.
    return float(text) if text is not None and text.isdecimal() else None
