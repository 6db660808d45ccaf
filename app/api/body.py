"""A request's body: bounded while it is read, JSON, and every fault named by its field."""

import json
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from app.api.problems import FieldError, InvalidRequestError, invalid_fields

BODY_LIMIT_BYTES: Final = 1024 * 1024
LARGE_BODY_LIMIT_BYTES: Final = 16 * 1024 * 1024

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """The body. Raises `InvalidRequestError` (413) as soon as it is known to be too large, and
    `ClientDisconnect` if it will never be there whole: nothing must be done for half a call."""
    declared = header_of(request, b"content-length")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    receive = request.receive
    message = await receive()
    if message["type"] == "http.disconnect" and _has_body(request):
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        chunks, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit_bytes:
                raise _too_large(limit_bytes)
        body = b"".join(chunks)
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def parse_body(request: Request, body: bytes, model: type[Model], *, may_be_empty: bool) -> Model:
    """The body as `model`. Raises `InvalidRequestError`: 415, 400 for what is no JSON, 422."""
    if not body and may_be_empty:
        return model()
    kind = header_of(request, b"content-type").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/merge-patch+json"):
        said = kind or "nothing"
        raise InvalidRequestError(
            [FieldError("Content-Type", f"must be application/json, not {said}")],
            status=415,
            title="Unsupported media type",
        )
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if any(details["type"] == "json_invalid" for details in error.errors()):
            raise _not_json(body, error) from error
        raise InvalidRequestError(invalid_fields(error)) from error


def _has_body(request: Request) -> bool:
    length = header_of(request, b"content-length")
    return length not in ("", "0") or header_of(request, b"transfer-encoding") != ""


def header_of(request: Request, name: bytes) -> str:
    """A header's value, or "". Starlette's own way makes an object and encodes at each look."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def _not_json(body: bytes, error: ValidationError) -> InvalidRequestError:
    """Text that JSON can spell but Unicode cannot (a lone surrogate) is a field's fault."""
    try:
        field = _surrogate_in(json.loads(body))
    except (ValueError, RecursionError):
        field = None
    if field is not None:
        return InvalidRequestError([FieldError(field, "has a lone surrogate: not Unicode text")])
    return InvalidRequestError(invalid_fields(error), status=400, title="Not JSON")


def _surrogate_in(value: Any, path: str = "") -> str | None:
    if isinstance(value, str):
        is_text = not any("\ud800" <= character <= "\udfff" for character in value)
        return None if is_text else path or "body"
    items: Any = ()
    if isinstance(value, dict):
        if any(_surrogate_in(key) for key in value):
            return path or "body"
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found = _surrogate_in(item, f"{path}.{key}".lstrip("."))
        if found is not None:
            return found
    return None


def _too_large(limit_bytes: int) -> InvalidRequestError:
    return InvalidRequestError(
        [FieldError("body", f"is larger than {limit_bytes:,} bytes")],
        status=413,
        title="Body too large",
    )
