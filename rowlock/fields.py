"""What callers may say of tasks, by keyword, so that editors and type checkers know it too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Required, TypedDict

Priority = Literal["高", "中", "低", "high", "medium", "low"]
Backoff = Literal["exponential", "fixed"]
Status = Literal["to_do", "in_progress", "done", "paused", "retrying", "failed", "cancelled"]
# Text is taken as it is: RFC 3339. A time without an offset is read as UTC.
Time = datetime | str


class TaskFields(TypedDict, total=False):
    """What a new task may have besides its title."""

    description: str | None
    priority: Priority
    tags: Sequence[str]
    due_date: Time | None
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    queue: str
    payload: Any
    available_at: Time | None


class NewTask(TaskFields):
    """A task to be submitted."""

    title: Required[str]


class Changes(TypedDict, total=False):
    """What can be changed of a task; what is left out stays."""

    title: str
    description: str | None
    priority: Priority
    tags: Sequence[str] | None
    due_date: Time | None
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    payload: Any


class Filters(TypedDict, total=False):
    """Which tasks; all combine. Several of `status`, `priority`, `queue` or `id` mean any of
    them, several of `tag` all of them; `title` is contained."""

    status: Status | Sequence[Status]
    priority: Priority | Sequence[Priority]
    queue: str | Sequence[str]
    tag: str | Sequence[str]
    id: int | Sequence[int]
    title: str
    created_after: Time
    created_before: Time
    due_after: Time
    due_before: Time


def query_of(filters: Filters) -> tuple[tuple[str, str], ...]:
    """The filters as query parameters. Those that are None are left out."""
    query: list[tuple[str, str]] = []
    for name, value in filters.items():
        if value is None:
            continue
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        query += [(name, _text(one)) for one in several]
    return tuple(query)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
