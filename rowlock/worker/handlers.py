"""Which function does which task."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, NamedTuple

from rowlock.errors import PayloadError
from rowlock.models import Task
from rowlock.worker.attempt import Permanent, RunningAttempt
from rowlock.worker.execution import Work
from rowlock.worker.failures import kept
from rowlock.worker.forks import OneProcess
from rowlock.worker.signature import Signature, signature_of
from rowlock.worker.threads import Threads
from rowlock.worker.unknown_titles import UnknownTitleError, UnknownTitles

Handler = Callable[..., object]


class _Registered(NamedTuple):
    function: Handler
    signature: Signature
    is_coroutine: bool

    def call(self, task: Task, attempt: RunningAttempt) -> Any:
        try:
            return self.signature.call(self.function, task, attempt, {})
        except PayloadError as error:
            # Tried again it would be the same.
            raise Permanent(str(error)) from error


class Handlers:
    """Functions by the title of the task they are for; the one for None takes any other."""

    def __init__(self) -> None:
        self._by_title: dict[str | None, _Registered] = {}
        self._unknown = UnknownTitles()

    def __bool__(self) -> bool:
        return bool(self._by_title)

    def add(self, title: str | None, handler: Handler) -> Signature:
        """How it is called. Raises `ValueError` where there is one already, or where it cannot
        be one."""
        what = "any task" if title is None else f"tasks titled {title!r}"
        if title in self._by_title:
            raise ValueError(f"there is already a handler for {what}")
        if _is(inspect.isgeneratorfunction, handler) or _is(inspect.isasyncgenfunction, handler):
            raise ValueError(f"the handler for {what} is a generator; it must return its result")
        try:
            signature = signature_of(handler, ())
        except ValueError as error:
            raise ValueError(f"the handler for {what} {error}") from error
        is_coroutine = _is(inspect.iscoroutinefunction, handler)
        self._by_title[title] = _Registered(handler, signature, is_coroutine)
        return signature

    def work_for(self, task: Task, threads: Threads) -> Work:
        """What does the task: a coroutine function as it is, a plain function in a thread; what
        this gives to be awaited is awaited in the event loop."""
        found = self._by_title.get(task.title) or self._by_title.get(None)
        if found is None:
            self._unknown.note(task.title)
            return _nobody
        return partial(_do, found, threads)


async def _do(found: _Registered, threads: Threads, task: Task, attempt: RunningAttempt) -> bytes:
    if found.is_coroutine:
        return await _awaited(lambda: found.call(task, attempt))
    made = await threads.run(_called(found), task, attempt)
    # Not so by a plain function around a coroutine function, as decorators are.
    return made if isinstance(made, bytes) else await _awaited(lambda: made)


async def _awaited(begin: Callable[[], Awaitable[object]]) -> bytes:
    with OneProcess():
        result = await begin()
    return kept(result)


def _called(found: _Registered) -> Callable[[Task, RunningAttempt], bytes | Awaitable[object]]:
    @wraps(found.function)  # what the log says of a thread that cannot be stopped
    def work(task: Task, attempt: RunningAttempt) -> bytes | Awaitable[object]:
        with OneProcess():
            result = found.call(task, attempt)
        # In the thread: what encodes a result may be the handler's code as well.
        return result if inspect.isawaitable(result) else kept(result)

    return work


def _is(kind: Callable[[Any], bool], handler: Handler) -> bool:
    """Of the function, or of what calls an object."""
    return kind(handler) or kind(getattr(handler, "__call__", None))  # noqa: B004


async def _nobody(task: Task, _attempt: RunningAttempt) -> bytes:
    raise UnknownTitleError(task)
