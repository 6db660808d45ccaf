"""What a schedule is to be, beside what it is: field by field. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from rowlock.encoding import encode
from rowlock.models import Schedule

# What the server takes for a field that is left out.
DEFAULTS: Final[Mapping[str, Any]] = {
    "cron": None,
    "interval_seconds": None,
    "timezone": "UTC",
    "catch_up": "one",
    "overlap": "skip",
    "jitter_seconds": 0,
    "starts_at": None,
    "ends_at": None,
}
TASK_DEFAULTS: Final[Mapping[str, Any]] = {
    "description": None,
    "priority": "中",
    "tags": [],
    "due_date": None,
    "timeout_seconds": 300,
    "retry_limit": 3,
    "retry_delay_seconds": 5,
    "retry_backoff": "exponential",
    "queue": "default",
    "payload": None,
    "unique": None,
    "group": None,
}
_UNIQUE_DEFAULTS: Final[Mapping[str, Any]] = {
    "while": "waiting",
    "conflict": "keep",
    "debounce_seconds": None,
    "debounce_limit_seconds": None,
}
_PRIORITIES: Final = {"high": "高", "medium": "中", "low": "低"}
_TIMES: Final = ("starts_at", "ends_at", "task.due_date")


class Change(NamedTuple):
    """A field of a schedule, or of its task; before and after as JSON texts."""

    field: str
    before: str
    after: str


def changes(name: str, wanted: Mapping[str, Any], found: Schedule | None) -> list[Change]:
    """What putting it will change. Of a schedule that is not there, the fields that are not at
    their defaults."""
    task = {"title": name, **wanted.get("task", {})}
    after = _flat({**DEFAULTS, **wanted}, {**TASK_DEFAULTS, **task})
    if found is None:
        before = _flat(DEFAULTS, {**TASK_DEFAULTS, "title": None})
    else:
        before = _flat(found.model_dump(include=set(DEFAULTS)), found.task)
    return [
        Change(field, before[field], value)
        for field, value in after.items()
        if value != before.get(field)
    ]


def _flat(timing: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, str]:
    values = {name: timing[name] for name in DEFAULTS}
    values |= {f"task.{name}": task.get(name) for name in ("title", *TASK_DEFAULTS)}
    return {name: encode(_as_kept(name, value)).decode() for name, value in values.items()}


def _as_kept(name: str, value: Any) -> Any:
    """A value as the server keeps it. Of a payload the order of keys counts, as it does there."""
    if value is None:
        return None
    if name == "task.priority":
        return _PRIORITIES.get(value, value)
    if name == "task.tags" and isinstance(value, Sequence):
        return sorted({str(tag).strip() for tag in value})
    if name == "task.title":
        return str(value).strip()
    if name == "task.unique" and isinstance(value, Mapping):
        return _whole_unique(value)
    return _as_instant(value) if name in _TIMES else value


def _whole_unique(unique: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in unique.items() if value is not None}
    # Debounced, it always replaces.
    default = {"conflict": None} if "debounce_seconds" in given else {}
    return dict(sorted({**_UNIQUE_DEFAULTS, **default, **given}.items()))


def _as_instant(value: Any) -> Any:
    """In UTC; what is no time, as it is."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return at.astimezone(UTC).isoformat() if at.utcoffset() is not None else value
    except (TypeError, ValueError, OverflowError):
        return value
