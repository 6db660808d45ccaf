"""Which function does which task."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import NamedTuple, cast

from rowlock.models import Task
from rowlock.worker.attempt import RunningAttempt
from rowlock.worker.execution import Work
from rowlock.worker.failures import kept
from rowlock.worker.forks import OneProcess
from rowlock.worker.threads import Threads
from rowlock.worker.unknown_titles import UnknownTitleError, UnknownTitles

Handler = Callable[[Task, RunningAttempt], object]


class _Coroutine(NamedTuple):
    work: Work


class _Plain(NamedTuple):
    # The result as JSON, or what is to be awaited for it.
    function: Callable[[Task, RunningAttempt], bytes | Awaitable[object]]


class Handlers:
    """Functions by the title of the task they are for; the one for None takes any other."""

    def __init__(self) -> None:
        self._by_title: dict[str | None, _Coroutine | _Plain] = {}
        self._unknown = UnknownTitles()

    def __bool__(self) -> bool:
        return bool(self._by_title)

    def add(self, title: str | None, handler: Handler) -> None:
        """Raises `ValueError` where there is one already, or where it cannot be one."""
        what = "any task" if title is None else f"tasks titled {title!r}"
        if title in self._by_title:
            raise ValueError(f"there is already a handler for {what}")
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            raise ValueError(f"the handler for {what} is a generator; it must return its result")
        self._by_title[title] = _awaited(handler) if is_async(handler) else _called(handler)

    def work_for(self, task: Task, threads: Threads) -> Work:
        """What does the task: a coroutine function as it is, a plain function in a thread; what
        this gives to be awaited is awaited in the event loop."""
        found = self._by_title.get(task.title) or self._by_title.get(None)
        if found is None:
            self._unknown.note(task.title)
            return _nobody
        if isinstance(found, _Coroutine):
            return found.work
        return partial(_threaded, threads, found)


def is_async(handler: Handler) -> bool:
    """Whether calling it gives something to await."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004  (an object whose call is a coroutine)
    )


def _awaited(handler: Handler) -> _Coroutine:
    coroutine_function = cast("Callable[[Task, RunningAttempt], Awaitable[object]]", handler)

    async def work(task: Task, attempt: RunningAttempt) -> bytes:
        with OneProcess():
            result = await coroutine_function(task, attempt)
        return kept(result)

    return _Coroutine(work)


def _called(handler: Handler) -> _Plain:
    @wraps(handler)
    def work(task: Task, attempt: RunningAttempt) -> bytes | Awaitable[object]:
        with OneProcess():
            result = handler(task, attempt)
        if inspect.isawaitable(result):
            return result
        # In the thread: what encodes a result may be the handler's code as well.
        return kept(result)

    return _Plain(work)


async def _threaded(threads: Threads, plain: _Plain, task: Task, attempt: RunningAttempt) -> bytes:
    result = await threads.run(plain.function, task, attempt)
    if isinstance(result, bytes):
        return result
    # A coroutine function below a decorator that is none. It is for the event loop.
    with OneProcess():
        awaited = await result
    return kept(awaited)


async def _nobody(task: Task, _attempt: RunningAttempt) -> bytes:
    raise UnknownTitleError(task)
