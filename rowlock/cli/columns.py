"""What can be shown of a task in a line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rowlock.cli.table import duration, show_table
from rowlock.models import Task


def _age(task: Task) -> str:
    return duration((datetime.now(UTC) - task.created_at).total_seconds())


_OF: Final[Mapping[str, Callable[[Task], Any]]] = {
    "id": lambda task: str(task.id),
    "status": lambda task: task.status,
    "priority": lambda task: task.priority,
    "queue": lambda task: task.queue,
    "retries": lambda task: f"{task.current_retry_count}/{task.retry_limit}",
    "attempt": lambda task: task.attempt,
    "age": _age,
    "created": lambda task: task.created_at,
    "updated": lambda task: task.updated_at,
    "started": lambda task: task.started_at,
    "completed": lambda task: task.completed_at,
    "available": lambda task: task.available_at,
    "due": lambda task: task.due_date,
    "worker": lambda task: task.worker,
    "progress": lambda task: task.progress,
    "error": lambda task: _last_line(task.error),
    "result": lambda task: task.result,
    "payload": lambda task: task.payload,
    "tags": lambda task: " ".join(task.tags),
    "title": lambda task: task.title,
}
NAMES: Final = tuple(_OF)
# Those that a summary has not.
LONG: Final = frozenset({"error", "result", "payload"})
USUAL: Final = ("id", "status", "priority", "queue", "retries", "created", "tags", "title")
# In a narrow terminal these are left out, the first of them first.
_DROPPABLE: Final = (
    *("tags", "updated", "available", "due", "completed", "started", "created", "age", "retries"),
    *("attempt", "queue", "worker", "priority", "progress", "payload", "result", "error"),
)


def show_tasks(
    tasks: Iterable[Task], names: Sequence[str] = USUAL, *, get: Callable[[int], Task] | None = None
) -> None:
    """A line a task. Progress is no part of a list: for a task in progress `get` is asked."""
    if "progress" in names and get is not None:
        tasks = _with_progress(tasks, get)
    rows = ([_OF[name](task) for name in names] for task in tasks)
    show_table(names, rows, droppable=_DROPPABLE)


def show_ends(tasks: Iterable[Task]) -> None:
    """A line a task, with what came of it."""
    names = ("id", "status", "retries", "title")
    rows = (
        [
            *(_OF[name](task) for name in names),
            _last_line(task.error) if task.status == "failed" else task.result,
        ]
        for task in tasks
    )
    show_table((*names, "result or error"), rows, droppable=("retries",))


def _with_progress(tasks: Iterable[Task], get: Callable[[int], Task]) -> Iterator[Task]:
    for task in tasks:
        yield get(task.id) if task.status == "in_progress" else task


def _last_line(error: str | None) -> str | None:
    """Of a traceback that is where it says what happened."""
    lines = (error or "").strip().splitlines()
    return lines[-1] if lines else error
