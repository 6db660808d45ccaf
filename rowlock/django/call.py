"""A call of one of Django's tasks, and the task of the server that keeps it.

The title is the path of the function. The payload has its arguments, and what the server would not
give back as it was: the exact priority, and the time before which it must not run, which a retry
moves on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.module_loading import import_string
from pydantic import TypeAdapter, ValidationError

from rowlock.client.fields import Priority, TaskFields
from rowlock.django.contract import (
    AnyTask,
    InvalidTask,
    InvalidTaskBackend,
    Task,
    normalize_json,
)
from rowlock.django.times import to_django, to_server
from rowlock.models import Task as StoredTask


class UnknownTaskError(LookupError):
    """What is stored is not the call of a task of this project."""


class Call(NamedTuple):
    """A task with its arguments."""

    task: AnyTask
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class _Payload:
    args: list[Any]
    kwargs: dict[str, Any]
    backend: str
    priority: int = 0
    run_after: datetime | None = None


_PAYLOAD: Final = TypeAdapter(_Payload)


def call_of(task: AnyTask, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    """The arguments as JSON has them. Raises `TypeError` or `ValueError` for what it has not."""
    return Call(task, [normalize_json(one) for one in args], _object(normalize_json(kwargs)))


def fields_of(call: Call, alias: str) -> TaskFields:
    """What is submitted beside the title, by the backend with this alias."""
    task = call.task
    payload: dict[str, Any] = {"args": call.args, "kwargs": call.kwargs, "backend": alias}
    fields: TaskFields = {
        "queue": task.queue_name,
        "priority": _priority(task.priority),
        "payload": payload,
    }
    if task.priority:
        payload["priority"] = task.priority
    if task.run_after is not None:
        run_after = to_server(task.run_after)
        payload["run_after"] = run_after.isoformat()
        fields["available_at"] = run_after
    return fields


def stored_call(stored: StoredTask) -> Call:
    """Raises `UnknownTaskError`, and what the import of the task's module raises."""
    task = _imported(stored.title)
    try:
        payload = _PAYLOAD.validate_python(stored.payload)
        run_after = payload.run_after
        task = task.using(
            priority=payload.priority,
            queue_name=stored.queue,
            run_after=None if run_after is None else to_django(run_after),
            backend=payload.backend,
        )
    except (ValidationError, InvalidTask, InvalidTaskBackend) as error:
        raise UnknownTaskError(f"{stored.title} is not called like this: {error}") from error
    return Call(task, payload.args, payload.kwargs)


def _priority(priority: int) -> Priority:
    if priority == 0:
        return "中"
    return "高" if priority > 0 else "低"


def _imported(path: str) -> AnyTask:
    found = None
    # Anybody's title is not yet a path.
    if all(part.isidentifier() for part in path.split(".")):
        try:
            found = import_string(path)
        except ImportError as error:
            # Another module's, which the task's module needs, is a fault to be told.
            if error.name is not None and not f"{path}.".startswith(f"{error.name}."):
                raise
    if not isinstance(found, Task):
        raise UnknownTaskError(f"{path} is no task of this project")
    return found


def _object(value: Any) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
