"""A task as the service knows it: the row read from `tasks`, and what a client asks for."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import orjson

from app.domain.dependency import Depends
from app.domain.errors import PacketTooSmallError
from app.domain.states import ENDED, Backoff, Outcome, Priority, Status
from app.domain.unique import HOLDS, WHILE_WAITING, Unique


class NewTask(NamedTuple):
    """What a client submits. `payload` is a JSON text; `tag_names` are sorted."""

    title: str
    description: str | None
    priority: Priority
    queue: str
    tag_names: tuple[str, ...]
    due_date: datetime | None
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    available_at: datetime | None
    payload: str | None
    traceparent: str | None = None
    # A JSON text: what submitted it, if that was no client.
    origin: str | None = None
    unique: Unique | None = None
    depends: Depends | None = None
    # Whose it is.
    group_key: str | None = None
    # Its place among those of its queue and rank, if that is not when it comes.
    turn_at: datetime | None = None
    # What it is part of, as far as that is not said by the others.
    flags: int = 0


class Task(NamedTuple):
    """One row of `tasks`. Times are naive UTC."""

    id: int
    title: str
    description: str | None
    status: Status
    priority: Priority
    queue: str
    tag_names: str | None
    due_date: datetime | None
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    current_retry_count: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    available_at: datetime | None
    started_at: datetime | None
    payload: str | None
    result: str | None
    error: str | None
    claim_rank: int | None
    # Its place among those of its queue and rank: the claim's order.
    turn_at: datetime
    sweep_at: datetime | None
    attempt: int
    lease_token: str | None
    lease_seconds: int | None
    worker: str | None
    deadline_at: datetime | None
    claimed_from: Status | None
    finish_token: str | None
    traceparent: str | None
    origin: str | None
    # What it is part of, a bit each.
    flags: int
    unique_key: str | None
    group_key: str | None


# A row comes as one JSON array: the driver would spend ten times as long on thirty columns.
ROW: Final = f"JSON_ARRAY({', '.join(Task._fields)})"

# For transitions whose answer shows no document: texts of up to 256 KiB stay where they are.
# A move writes only what it changes, and none of these transitions changes one of them.
_LONG: Final = ("description", "payload", "result")
_TEXTS: Final = attrgetter(*_LONG, "error")
_LIGHT: Final = ["NULL" if name in _LONG else name for name in Task._fields]
LIGHT_ROW: Final = f"JSON_ARRAY({', '.join(_LIGHT)})"


# For lists: nothing of a long text is read but the head of the error.
HEAD_CHARACTERS: Final = 256
_SUMMARY: Final = [
    f"LEFT(error, {HEAD_CHARACTERS})" if name == "error" else column
    for name, column in zip(Task._fields, _LIGHT, strict=True)
]
SUMMARY_ROW: Final = (
    f"JSON_ARRAY({', '.join(_SUMMARY)}, LENGTH(error), tasks.payload_bytes, tasks.result_bytes)"
)


class Summary(NamedTuple):
    """A task as a `SUMMARY_ROW` shows it, and how large its texts are. None: not known, or no
    error."""

    task: Task
    error_bytes: int | None
    payload_bytes: int | None
    result_bytes: int | None


def without_texts(task: Task) -> Task:
    """The task as a `LIGHT_ROW` shows it."""
    return task._replace(description=None, payload=None, result=None)


def texts_of(task: Task | NewTask) -> list[str]:
    """Those of a task that may be long."""
    texts = _TEXTS(task) if isinstance(task, Task) else (task.description, task.payload)
    return [text for text in texts if text]


_TIMES: Final = tuple(
    index for index, name in enumerate(Task._fields) if name.endswith("_at") or name == "due_date"
)


def task_of(row: str | None) -> Task:
    """The task that a `ROW` or `LIGHT_ROW` shows. Raises `PacketTooSmallError`: MySQL makes no
    array that is larger."""
    if row is None:
        raise PacketTooSmallError
    return _task(orjson.loads(row))


def summary_of(row: str | None) -> Summary:
    """What a `SUMMARY_ROW` shows. Raises likewise."""
    if row is None:
        raise PacketTooSmallError
    values = orjson.loads(row)
    end = len(Task._fields)
    return Summary(_task(values[:end]), *values[end:])


def _task(values: list[Any]) -> Task:
    for index in _TIMES:
        if values[index] is not None:
            values[index] = datetime.fromisoformat(values[index])
    return Task._make(values)


class Lease(NamedTuple):
    """Who holds an attempt: given out by a claim, shown again to heartbeat and finish."""

    task_id: int
    token: str

    def __str__(self) -> str:
        return f"{self.task_id}.{self.token}"


def leases_of(tasks: Iterable[Task]) -> list[Lease]:
    """Those of the attempts under way."""
    return [Lease(task.id, task.lease_token) for task in tasks if task.lease_token is not None]


def held_key(task: Task) -> str | None:
    """The unique key that it holds."""
    return task.unique_key if holds_key(task.flags, task.status, task.attempt) else None


def holds_key(flags: int, status: Status, attempt: int) -> bool:
    """Whether a task holds its unique key. A version that did not know of keys may have left the
    flag of one that it claimed or ended."""
    if not flags & HOLDS or status in ENDED:
        return False
    return not (flags & WHILE_WAITING and attempt)


class Running(NamedTuple):
    """What one task's document says of the attempt under way. `progress` is a JSON text."""

    progress: str | None
    deadline_at: datetime
    lease_expires_at: datetime
    last_heartbeat_at: datetime | None


class PromisedLease(NamedTuple):
    """A lease whose worker said to be heard of every `lease_seconds`."""

    lease: Lease
    lease_seconds: int


class RunningAttempt(NamedTuple):
    """An attempt under way."""

    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: None = None
    outcome: None = None
    error: None = None


class EndedAttempt(NamedTuple):
    """One row of `task_attempts`."""

    task_id: int
    attempt: int
    worker: str | None
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    error: str | None
    lease_token: str


def names_of(task: Task) -> list[str]:
    """Its tags."""
    return list(orjson.loads(task.tag_names)) if task.tag_names else []


def names_text(names: Sequence[str]) -> str | None:
    """Tag names, sorted, as the column `tag_names` keeps them."""
    return orjson.dumps(names).decode() if names else None
