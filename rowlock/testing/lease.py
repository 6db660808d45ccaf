"""The task and the lease of an attempt in a test."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypedDict

from pydantic_core import from_json

from rowlock.client.fields import Backoff, Priority, Status
from rowlock.encoding import encode
from rowlock.models import Lease, Parent, Task

# As the server has them where nothing is said.
_USUAL: Final[Mapping[str, Any]] = {
    "id": 1,
    "title": "a task",
    "tags": [],
    "due_date": None,
    "retry_limit": 3,
    "completed_at": None,
    "queue": "default",
    "available_at": None,
    "retry_delay_seconds": 5,
    "retry_backoff": "exponential",
}
_PRIORITIES: Final = {"high": "高", "medium": "中", "low": "低"}


class MadeParent(TypedDict, total=False):
    """What became of a task that the one of a test depends on."""

    id: int
    name: str | None
    status: Status
    result: Any
    error: str | None


class Made(TypedDict, total=False):
    """What is made up for a test, beside the payload.

    `attempt` is its number: 1, and one more for each retry before. `timeout_seconds` may be a
    fraction here. `resources` are values by their types, in the place of what lifespans yield:
    then none is opened. `parents` are what `attempt.parents()` gives: `name`, `status` (`done`),
    `result`, `error`, `id`, each of which may be omitted. The rest are fields of the task; those
    that are omitted are the handler's defaults, else the server's.
    """

    attempt: int
    resources: Mapping[Any, Any]
    parents: Sequence[MadeParent]
    timeout_seconds: float
    id: int
    title: str
    description: str | None
    priority: Priority
    tags: Sequence[str]
    due_date: datetime | None
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    queue: str


def parents(made: Made) -> list[Parent]:
    """As the server gives them."""
    found = []
    for number, given in enumerate(made.get("parents", ()), 1):
        result = from_json(encode(given.get("result")))
        usual = {"id": number, "name": None, "status": "done", "error": None}
        found.append(Parent.model_validate({**usual, **given, "result": result}))
    return found


def a_lease(payload: Any, made: Made) -> Lease:
    """Raises `TypeError` for what is no field of a task."""
    unknown = made.keys() - Made.__optional_keys__
    if unknown:
        raise TypeError(f"tasks have no field {', '.join(sorted(unknown))}")
    number, retry_limit = made.get("attempt", 1), made.get("retry_limit", 3)
    priority = made.get("priority", "medium")
    seconds = made.get("timeout_seconds", 300)
    now = datetime.now(UTC)
    deadline = now + timedelta(seconds=seconds)
    fields = {name: value for name, value in made.items() if name in Task.model_fields}
    task = {
        **_USUAL,
        **fields,
        "priority": _PRIORITIES.get(priority, priority),
        "timeout_seconds": math.ceil(seconds),
        "status": "in_progress",
        "current_retry_count": min(number - 1, retry_limit),
        "attempt": number,
        "worker": "rowlock.testing",
        "payload": from_json(encode(payload)),
        "created_at": now,
        "updated_at": now,
        "started_at": now,
    }
    lease = {
        "lease_id": f"{task['id']}.{'0' * 32}",
        "attempt": number,
        "deadline": deadline,
        "expires_at": deadline,
        "task": task,
    }
    return Lease.model_validate(lease)
