"""The JSON documents that callers see, made into bytes once."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from app.domain.eligibility import waiting_on
from app.domain.schedule import Schedule
from app.domain.task import (
    EndedAttempt,
    Lease,
    Running,
    RunningAttempt,
    Summary,
    Task,
    held_key,
)
from app.domain.unique import Unique

LONG_FIELDS: Final = frozenset({"description", "payload", "result", "error"})
_OPTIONS: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def dumps(value: Any) -> bytes:
    """JSON, with naive times read as UTC."""
    return orjson.dumps(value, option=_OPTIONS)


def task_document(task: Task, running: Running | None = None) -> bytes:
    """A task. `payload`, `result` and `progress` are JSON texts, taken over to the letter."""
    return dumps(
        {
            "id": task.id,
            "title": task.title,
            "description": task.description,
            "status": task.status,
            "priority": task.priority,
            "tags": _json(task.tag_names) or [],
            "due_date": task.due_date,
            "timeout_seconds": task.timeout_seconds,
            "retry_limit": task.retry_limit,
            "current_retry_count": task.current_retry_count,
            "created_at": task.created_at,
            "updated_at": task.updated_at,
            "completed_at": task.completed_at,
            "queue": task.queue,
            "payload": _json(task.payload),
            "result": _json(task.result),
            "error": task.error,
            "attempt": task.attempt,
            "worker": task.worker,
            "available_at": task.available_at,
            "started_at": task.started_at,
            "retry_delay_seconds": task.retry_delay_seconds,
            "retry_backoff": task.retry_backoff,
            "traceparent": task.traceparent,
            "origin": _json(task.origin),
            "unique_key": held_key(task),
            "group": task.group_key,
            "waiting_on": waiting_on(task.status, task.claim_rank, task.sweep_at, task.flags),
            "deadline_at": running and running.deadline_at,
            "lease_expires_at": running and running.lease_expires_at,
            "last_heartbeat_at": running and running.last_heartbeat_at,
            "progress": _json(running and running.progress),
        }
    )


def task_summary(task: Task) -> bytes:
    """A task without the fields that may be long, which are left out and not null: nobody shall
    take them for empty."""
    document: dict[str, Any] = orjson.loads(task_document(task))
    return dumps({name: document[name] for name in document if name not in LONG_FIELDS})


def listed_summary(summary: Summary) -> bytes:
    """The same with the head of its error, and how large they are."""
    said = {**summary._asdict(), "error": summary.task.error}
    del said["task"]
    return task_summary(summary.task)[:-1] + b"," + dumps(said)[1:]


def lease_document(task: Task) -> bytes:
    """What a worker gets of a claimed task."""
    assert task.lease_token is not None
    return dumps(
        {
            "lease_id": str(Lease(task.id, task.lease_token)),
            "attempt": task.attempt,
            "deadline": task.deadline_at,
            "expires_at": task.sweep_at,
            "task": orjson.Fragment(task_document(task)),
        }
    )


def attempt_document(attempt: EndedAttempt | RunningAttempt) -> dict[str, Any]:
    """What a client gets of an attempt."""
    return {
        "attempt": attempt.attempt,
        "worker": attempt.worker,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "outcome": attempt.outcome,
        "error": attempt.error,
    }


def schedule_document(schedule: Schedule) -> bytes:
    """A schedule, with the task it submits as a client would submit it."""
    definition = schedule.definition
    task = definition.task
    return dumps(
        {
            "name": schedule.name,
            "cron": definition.cron,
            "interval_seconds": definition.interval_seconds,
            "timezone": definition.timezone,
            "task": {
                "title": task.title,
                "description": task.description,
                "priority": task.priority,
                "tags": task.tag_names,
                "due_date": task.due_date,
                "timeout_seconds": task.timeout_seconds,
                "retry_limit": task.retry_limit,
                "retry_delay_seconds": task.retry_delay_seconds,
                "retry_backoff": task.retry_backoff,
                "queue": task.queue,
                "payload": _json(task.payload),
                "unique": _unique(task.unique),
                "group": task.group_key,
            },
            "catch_up": definition.catch_up,
            "overlap": definition.overlap,
            "jitter_seconds": definition.jitter_seconds,
            "starts_at": definition.starts_at,
            "ends_at": definition.ends_at,
            "paused_at": schedule.paused_at,
            "next_at": schedule.next_at,
            "last_task_id": schedule.last_task_id,
            "revision": schedule.revision,
            "created_at": schedule.created_at,
            "updated_at": schedule.updated_at,
        }
    )


def _unique(unique: Unique | None) -> dict[str, Any] | None:
    if unique is None:
        return None
    return {
        "key": unique.key,
        "while": unique.hold,
        # It always replaces: a client that says both is refused.
        "conflict": unique.conflict if unique.debounce_seconds is None else None,
        "debounce_seconds": unique.debounce_seconds,
        "debounce_limit_seconds": unique.debounce_limit_seconds,
    }


class Array:
    """A JSON array, grown document by document. Put together at the end, it would be there
    twice, and it may be 16 MiB."""

    def __init__(self, documents: Iterable[bytes] = ()) -> None:
        self._text = bytearray(b"[")
        for document in documents:
            self.add(document)

    def __len__(self) -> int:
        return len(self._text)

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return len(self._text) > 1

    def add(self, document: bytes) -> None:
        self._text += document
        self._text += b","

    def end(self) -> bytearray:
        """Its text."""
        if self._text.endswith(b","):
            del self._text[-1:]
        self._text += b"]"
        return self._text


def array(documents: Iterable[bytes]) -> bytes:
    """A JSON array of documents."""
    return b"[" + b",".join(documents) + b"]"


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)
