"""What a task raised: as text, which the server keeps, and as Django has it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rowlock.django.contract import TaskError
from rowlock.models import Attempt
from rowlock.models import Task as StoredTask
from rowlock.worker.attempt import Permanent, Retry
from rowlock.worker.failures import failure_of
from rowlock.worker.finishes import ERROR_LIMIT_BYTES

# Of attempts that ended otherwise than by an exception in the task.
_CLASSES: Final = {"timed_out": "builtins.TimeoutError", "lost": "rowlock.RowlockError"}
_UNSAID: Final = "rowlock.RowlockError"
_CANCELLED: Final = "asyncio.CancelledError"

_CLASS_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")


def verdict_of(error: BaseException) -> Permanent | Retry:
    """What the handler raises in its place: the class on the first line, below it the traceback.

    `Permanent` and `Retry` stay what they are.
    """
    failure = failure_of(error)
    text = _text(f"{type(error).__module__}.{type(error).__qualname__}", failure.story)
    if not failure.is_retryable:
        return Permanent(text)
    return Retry(text, after_seconds=failure.after_seconds)


def _text(path: str, story: str) -> str:
    # The server keeps the end; the first line must not be what is lost.
    room = ERROR_LIMIT_BYTES - len(path.encode()) - 1
    kept = story.encode("utf-8", "backslashreplace")[-room:].decode("utf-8", "ignore")
    return f"{path}\n{kept}"


def task_error(text: str) -> TaskError:
    """The text of a verdict as Django has it; of another text, no class is known."""
    path, _, story = text.partition("\n")
    if not _CLASS_PATH.fullmatch(path):
        path, story = _UNSAID, text
    return TaskError(exception_class_path=path, traceback=story)


def errors_of(stored: StoredTask, attempts: Iterable[Attempt]) -> list[TaskError]:
    """One for each attempt that went wrong, in order; a cancellation comes last."""
    return [*_errors(stored, attempts)]


def _errors(stored: StoredTask, attempts: Iterable[Attempt]) -> Iterator[TaskError]:
    for attempt in attempts:
        said = attempt.error or ""
        if attempt.outcome == "failed":
            yield task_error(said)
        elif attempt.outcome in _CLASSES:
            traceback = said or f"Attempt {attempt.attempt} ended as {attempt.outcome}."
            path = _CLASSES[attempt.outcome]
            yield TaskError(exception_class_path=path, traceback=traceback)
    if stored.status == "cancelled":
        yield TaskError(exception_class_path=_CANCELLED, traceback="The task was cancelled.")
