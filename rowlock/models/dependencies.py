"""Tasks that depend on each other."""

from typing import Any

from rowlock.models.answer import Answer


class RelatedTask(Answer):
    """A task at the other end of a dependency. `name` is the one that the task which is waited for
    had in its batch or flow, None if it had none."""

    id: int
    name: str | None
    title: str
    status: str


class Dependencies(Answer):
    """What a task depends on, or what depends on it: how many, how many of them have not ended
    (`unmet`) or ended how, and each. Tasks that were deleted are not counted."""

    total: int
    unmet: int
    done: int
    failed: int
    cancelled: int
    tasks: list[RelatedTask]


class Parent(Answer):
    """What became of a task that the attempt's task depends on."""

    id: int
    name: str | None
    status: str
    result: Any = None
    error: str | None = None
