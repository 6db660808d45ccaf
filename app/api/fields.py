"""The types of the contract's fields: what each may hold, checked once, at the edge."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import pydantic_core
from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from app.domain.ageing import MOST_SECONDS
from app.domain.slots import MOST as MOST_RUNNING
from app.domain.states import Priority
from app.domain.turns import MOST_WEIGHT

MAX_ID: Final = 2**63 - 1
JSON_LIMIT_BYTES: Final = 256 * 1024
TEXT_LIMIT_BYTES: Final = 65_535
REF_CHARACTERS: Final = 64
QUEUE_PATTERN: Final = r"^[a-z0-9_.-]{1,64}$"
# What needs no escaping in a path segment, in JSON and in a file name, in any script.
SCHEDULE_PATTERN: Final = r"""^[^\x00-\x1f\x7f-\x9f\ufffd/\\"'?#%]+$"""
# 18 digits always fit MySQL's BIGINT, and count more tasks than there will ever be.
LEASE_ID_PATTERN: Final = r"^[1-9][0-9]{0,17}\.[0-9a-f]{32}$"

# What the document says of a text, in the words of JSON Schema; the validators say it in ours.
_NO_NUL: Final = Field(json_schema_extra={"pattern": r"^[^\x00]*$"})
_NO_NUL_NOR_BLANK: Final = Field(json_schema_extra={"pattern": r"^[^\x00]*[^\x00\s\x85][^\x00]*$"})
_FITS_TEXT_COLUMN: Final = Field(json_schema_extra={"maxLength": TEXT_LIMIT_BYTES})
_FROM_YEAR_1000: Final = Field(json_schema_extra={"pattern": "^[1-9]"})

_ENGLISH: Final = {"high": Priority.HIGH, "medium": Priority.MEDIUM, "low": Priority.LOW}
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|z|[-+ ]\d\d:?\d\d)?"
)


def _written(pattern: str, what: str) -> BeforeValidator:
    """For numbers in a path or query. Python would also read "1_0" as ten, and take "nan"."""

    def check(value: object) -> object:
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            raise ValueError(f"must be {what}")
        return value

    return BeforeValidator(check)


def _whole(value: object) -> object:
    # JSON has one sort of number: some languages write 3 as 3.0, an integer to JSON Schema too.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _fits_text_column(text: str) -> str:
    if len(text.encode()) > TEXT_LIMIT_BYTES:
        raise ValueError(f"must be at most {TEXT_LIMIT_BYTES:,} bytes")
    return text


def _priority(value: object) -> object:
    if isinstance(value, str):
        found = _ENGLISH.get(value, value)
        if found not in tuple(Priority):
            raise ValueError("must be 高, 中 or 低 (or high, medium, low)")
        return Priority(found)
    raise ValueError("must be a string")


def _time(value: object) -> datetime:
    if not isinstance(value, str) or not (parts := _TIME.fullmatch(value)):
        raise ValueError("must be an RFC 3339 time, like 2026-01-31T08:00:00Z")
    day, clock, offset = parts.groups()
    # A query that was not encoded turns the plus of an offset into a space.
    offset = (offset or "Z").upper().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not a valid time: {error}") from error
    if moment.year < 1000:  # noqa: PLR2004  (MySQL's DATETIME begins there, and ends with 9999)
        raise ValueError("must be from year 1000 to 9999")
    return moment.replace(tzinfo=None)


def _task_or_ref(value: object) -> object:
    value = _whole(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_ID:
        return value
    if isinstance(value, str) and 1 <= len(value) <= REF_CHARACTERS:
        return _no_nul(value)
    raise ValueError(f"must be a task's id, or a ref of 1 to {REF_CHARACTERS} characters")


def _schedule_name(name: str) -> str:
    if not re.fullmatch(SCHEDULE_PATTERN, name):
        raise ValueError("must have no control characters, and none of / \\ \" ' ? # %")
    if name != name.strip() or name in (".", ".."):
        raise ValueError("must not begin or end with a space, and not be . or ..")
    return name


def _sorted_once(names: list[str]) -> list[str]:
    return sorted(set(names))


Time = Annotated[
    datetime,
    BeforeValidator(_time, json_schema_input_type=Annotated[datetime, _FROM_YEAR_1000]),
]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255),
    AfterValidator(_no_nul),
    _NO_NUL_NOR_BLANK,
]
LongText = Annotated[
    str, AfterValidator(_no_nul), AfterValidator(_fits_text_column), _NO_NUL, _FITS_TEXT_COLUMN
]
TagName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    AfterValidator(_no_nul),
    _NO_NUL_NOR_BLANK,
]
Tags = Annotated[list[TagName], Field(max_length=32), AfterValidator(_sorted_once)]
QueueName = Annotated[str, StringConstraints(pattern=QUEUE_PATTERN)]
ScheduleName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(_schedule_name),
    Field(json_schema_extra={"pattern": SCHEDULE_PATTERN}),
]
UniqueKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(_no_nul),
    _NO_NUL,
]
GroupKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    AfterValidator(_no_nul),
    _NO_NUL,
]
WHOLE = BeforeValidator(_whole)
OtherTaskId = Annotated[int, Field(ge=1, le=MAX_ID), WHOLE]
Ref = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REF_CHARACTERS),
    AfterValidator(_no_nul),
    _NO_NUL,
]
# Not as a union: what is wrong would be told once for each branch.
TaskOrRef = Annotated[
    Any,
    AfterValidator(_task_or_ref),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_ID},
                {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": REF_CHARACTERS,
                    "pattern": r"^[^\x00]*$",
                },
            ]
        }
    ),
]
LeaseId = Annotated[str, StringConstraints(pattern=LEASE_ID_PATTERN)]
WorkerName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255),
    AfterValidator(_no_nul),
    _NO_NUL_NOR_BLANK,
]
AnyPriority = Annotated[
    Priority,
    BeforeValidator(
        _priority, json_schema_input_type=Literal["高", "中", "低", "high", "medium", "low"]
    ),
]
TimeoutSeconds = Annotated[int, Field(ge=1, le=2_592_000), WHOLE]
RetryLimit = Annotated[int, Field(ge=0, le=100), WHOLE]
DelaySeconds = Annotated[int, Field(ge=0, le=86_400), WHOLE]
DebounceSeconds = Annotated[int, Field(ge=1, le=86_400), WHOLE]
DebounceLimitSeconds = Annotated[int, Field(ge=1, le=864_000), WHOLE]
AgeingSeconds = Annotated[int, Field(ge=1, le=MOST_SECONDS), WHOLE]
Running = Annotated[int, Field(ge=1, le=MOST_RUNNING), WHOLE]
Weight = Annotated[int, Field(ge=1, le=MOST_WEIGHT), WHOLE]
LeaseSeconds = Annotated[int, Field(ge=5, le=3600), WHOLE]
IntegerText = _written(r"-?[0-9]+", "an integer")
NumberText = _written(r"-?[0-9]+(\.[0-9]+)?", "a number")
TaskId = Annotated[int, Path(ge=1, le=MAX_ID, description="The task's id."), IntegerText]


def json_text(value: Any) -> str | None:
    """A JSON value as its text, to be stored; None for null. Integers keep all their digits."""
    if value is None:
        return None
    # Not by orjson, which refuses integers beyond 64 bits and turns infinity into null.
    text = pydantic_core.to_json(value, inf_nan_mode="constants")
    if len(text) > JSON_LIMIT_BYTES:
        raise ValueError("must be at most 256 KiB as JSON")
    # Infinity is what 1e999 becomes, and NaN is read although it is no JSON; the words may
    # also stand in a string.
    if (b"Infinity" in text or b"NaN" in text) and not _is_finite(value):
        raise ValueError("must not contain NaN or a number too large to store")
    return text.decode()


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_finite(item) for item in value)
    return True


# Made while the call is read, and of one task after the other: as objects, what fits into a body
# takes up to a hundred times as much memory.
JsonText = Annotated[Any, AfterValidator(json_text)]
