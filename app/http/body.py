"""A request's body: bounded while it is read, JSON, and every fault named by its field."""

import json
import re
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from app.http.admission import LARGE_BYTES, room_of
from app.http.problems import FieldError, InvalidRequestError, invalid_fields

BODY_LIMIT_BYTES: Final = 1024 * 1024
LARGE_BODY_LIMIT_BYTES: Final = 16 * 1024 * 1024
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
# Some systems put it before every text; RFC 8259 lets a reader ignore it.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_NEITHER: Final = bytes(set(range(256)) - set(b'",[{'))
_STRING: Final = re.compile(rb'"[^"]*"')

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, *, limit_bytes: int) -> bytes | bytearray:
    """The body. Raises `InvalidRequestError` (413) as soon as it is known to be too large, and
    `ClientDisconnect` if it will never be there whole: nothing must be done for half a call."""
    declared = header_of(request, b"content-length") or ""
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise _too_large(f"must be at most {limit_bytes:,} bytes")
    receive = request.receive
    message = await receive()
    if message["type"] == "http.disconnect" and _has_body(request):
        raise ClientDisconnect
    body: bytes | bytearray = message.get("body", b"")
    if message.get("more_body"):
        body = bytearray(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > limit_bytes:
                raise _too_large(f"must be at most {limit_bytes:,} bytes")
    if len(body) > limit_bytes:
        raise _too_large(f"must be at most {limit_bytes:,} bytes")
    if declared.isdecimal() and len(body) < int(declared):
        raise ClientDisconnect
    return body


async def parse_body(
    request: Request, body: bytes | bytearray, model: type[Model], *, may_be_empty: bool
) -> Model:
    """The body as `model`. Raises `InvalidRequestError`: 415, 400 for what is no JSON, 413, 422."""
    if len(body) <= LARGE_BYTES:
        return _parse(request, body, model, may_be_empty=may_be_empty)
    async with room_of(request).parsing(len(body)):
        return _parse(request, body, model, may_be_empty=may_be_empty)


def _parse(
    request: Request, body: bytes | bytearray, model: type[Model], *, may_be_empty: bool
) -> Model:
    if body[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
        body = body[len(BYTE_ORDER_MARK) :]
    if not body and may_be_empty:
        return model()
    kind = (header_of(request, b"content-type") or "").partition(";")[0].strip().lower()
    if kind not in (JSON, MERGE_PATCH if request.method == "PATCH" else JSON):
        raise _unsupported("Content-Type", f"must be application/json, not {kind or 'absent'}")
    coding = (header_of(request, b"content-encoding") or "").strip().lower()
    if coding not in ("", "identity"):
        raise _unsupported("Content-Encoding", f"must be identity, not {coding}")
    limit = request.app.state.settings.body_values_limit
    if len(body) > limit and _count_values(body, enough=limit) > limit:
        raise _too_large(f"must have at most {limit:,} values")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if error.error_count() == 1 and error.errors()[0]["type"] == "json_invalid":
            raise _not_json(body, error) from error
        raise InvalidRequestError(invalid_fields(error)) from error


def _has_body(request: Request) -> bool:
    length = header_of(request, b"content-length")
    return length not in (None, "0") or header_of(request, b"transfer-encoding") is not None


def header_of(request: Request, name: bytes) -> str | None:
    """A header's value. Raises `InvalidRequestError` where there are two: others on the way may
    have seen the other one. Starlette's own way makes an object and encodes at each look."""
    found: bytes | None = None
    for key, value in request.scope["headers"]:
        if key == name:
            if found is not None:
                field = name.decode().title()
                raise InvalidRequestError([FieldError(field, "must be given only once")])
            found = value
    return None if found is None else str(found, "latin-1")


def _not_json(body: bytes | bytearray, error: ValidationError) -> InvalidRequestError:
    """Text that JSON can spell but Unicode cannot (a lone surrogate) is a field's fault."""
    try:
        field = _surrogate_in(json.loads(body))
    except (ValueError, RecursionError):
        field = None
    if field is not None:
        return InvalidRequestError(
            [FieldError(field, "must be Unicode text, without a lone surrogate")]
        )
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


def _count_values(body: bytes | bytearray, *, enough: int) -> int:
    """The values in a JSON text, give or take a few; beyond `enough`, any number beyond it.

    They are told by commas and brackets, and those in strings do not count.
    """
    marks = body.translate(None, _NEITHER)
    if len(marks) - marks.count(b'"') <= enough:
        return 0
    # A backslash stands in strings only, and a string that is empty by now can go.
    marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NEITHER)
    marks = marks.replace(b'""', b"")
    strings = marks.count(b'"') // 2
    return strings if strings > enough else len(_STRING.sub(b"", marks))


def _unsupported(field: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(
        [FieldError(field, message)], status=415, title="Unsupported media type"
    )


def _too_large(message: str) -> InvalidRequestError:
    return InvalidRequestError([FieldError("body", message)], status=413, title="Body too large")
