"""Which function does which task."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import cast

from rowlock.attempt import Retry, RunningAttempt
from rowlock.job import Work
from rowlock.models import Task
from rowlock.threads import Threads

Handler = Callable[[Task, RunningAttempt], object]


class Handlers:
    """Functions by the title of the task they are for; the one for None takes any other."""

    def __init__(self) -> None:
        # Each with whether it is a coroutine function.
        self._by_title: dict[str | None, tuple[Handler, bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_title)

    def add(self, title: str | None, handler: Handler) -> None:
        """Raises `ValueError` where there is one already."""
        if title in self._by_title:
            what = "any task" if title is None else f"tasks titled {title!r}"
            raise ValueError(f"there is a handler for {what} already")
        self._by_title[title] = handler, is_async(handler)

    def work_for(self, task: Task, threads: Threads) -> Work:
        """What does the task: a coroutine function as it is, a plain function in a thread."""
        found = self._by_title.get(task.title) or self._by_title.get(None)
        if found is None:
            return _nobody
        handler, is_coroutine = found
        return cast("Work", handler) if is_coroutine else partial(threads.run, handler)


def is_async(handler: Handler) -> bool:
    """Whether calling it gives something to await."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004  (an object whose call is a coroutine)
    )


async def _nobody(task: Task, _attempt: RunningAttempt) -> None:
    raise Retry(f"This worker has no handler for {task.title!r}.")
