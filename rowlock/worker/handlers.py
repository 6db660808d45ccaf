"""Which function does which task."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from copy import copy
from functools import partial, wraps
from typing import Any, NamedTuple

from rowlock.errors import PayloadError
from rowlock.models import Task
from rowlock.worker.attempt import Permanent, RunningAttempt
from rowlock.worker.execution import Work
from rowlock.worker.failures import kept
from rowlock.worker.forks import OneProcess
from rowlock.worker.lifespans import (
    Around,
    AroundFunction,
    Lifespan,
    LifespanFunction,
    around_of,
    lifespan_of,
)
from rowlock.worker.signature import Signature, signature_of
from rowlock.worker.threads import Threads
from rowlock.worker.unknown_titles import UnknownTitleError, UnknownTitles

Handler = Callable[..., object]


Resources = Mapping[Any, Any]
InThread = Callable[[Task, RunningAttempt, Resources], bytes | Awaitable[object]]


class _Registered(NamedTuple):
    """`in_thread` is what a plain function is called by; None for a coroutine function."""

    function: Handler
    signature: Signature
    in_thread: InThread | None


class Handlers:
    """Functions by the title of the task they are for; the one for None takes any other. With
    what is open while they run, and what is around each attempt."""

    def __init__(self) -> None:
        self._by_title: dict[str | None, _Registered] = {}
        self._unknown = UnknownTitles()
        self._arounds: list[Around] = []
        self._resources: Resources = {}
        self.lifespans: list[Lifespan] = []

    def __bool__(self) -> bool:
        return bool(self._by_title)

    @property
    def titles(self) -> list[str | None]:
        """In the order in which they were added."""
        return [*self._by_title]

    def add(self, title: str | None, handler: Handler) -> Signature:
        """How it is called. Raises `ValueError` where there is one already, or where it cannot
        be one."""
        what = "any task" if title is None else f"tasks titled {title!r}"
        if title in self._by_title:
            raise ValueError(f"there is already a handler for {what}")
        if _is(inspect.isgeneratorfunction, handler) or _is(inspect.isasyncgenfunction, handler):
            raise ValueError(f"the handler for {what} is a generator; it must return its result")
        yielded = [one.yields for one in self.lifespans if one.yields is not None]
        try:
            signature = signature_of(handler, yielded)
        except ValueError as error:
            raise ValueError(f"the handler for {what} {error}") from error
        is_coroutine = _is(inspect.iscoroutinefunction, handler)
        in_thread = None if is_coroutine else _in_thread(handler, signature)
        self._by_title[title] = _Registered(handler, signature, in_thread)
        return signature

    def add_around(self, function: AroundFunction) -> None:
        """Raises `ValueError` for what cannot be around an attempt."""
        self._arounds.append(around_of(function))

    def add_lifespan(self, function: LifespanFunction) -> None:
        """Raises `ValueError` for what is no lifespan, or yields what another one does."""
        lifespan = lifespan_of(function)
        for other in self.lifespans:
            if lifespan.yields is not None and other.yields == lifespan.yields:
                raise ValueError(f"{other.name} and {lifespan.name} yield the same type")
        self.lifespans.append(lifespan)

    def given(self, resources: Resources) -> "Handlers":
        """The same, with what the lifespans have yielded, by its type."""
        given = copy(self)
        given._resources = resources
        return given

    def work_for(self, task: Task, threads: Threads) -> Work:
        """What does the task: a coroutine function as it is, a plain function in a thread; what
        this gives to be awaited is awaited in the event loop."""
        found = self._by_title.get(task.title) or self._by_title.get(None)
        if found is None:
            self._unknown.note(task.title)
            return _nobody
        work = partial(_do, found, self._resources, threads)
        return partial(_surrounded, work, self._arounds) if self._arounds else work


async def _surrounded(
    work: Work, arounds: Sequence[Around], task: Task, attempt: RunningAttempt
) -> bytes:
    failure = None
    try:
        async with AsyncExitStack() as stack:
            for around in arounds:
                await stack.enter_async_context(around(task, attempt))
            try:
                return await work(task, attempt)
            except BaseException as error:
                failure = error
                raise
        # One of them has kept it for itself: what failed has failed.
        assert failure is not None
        raise failure
    finally:
        del failure  # it holds this frame, which would hold it


async def _do(
    found: _Registered,
    resources: Resources,
    threads: Threads,
    task: Task,
    attempt: RunningAttempt,
) -> bytes:
    if found.in_thread is None:
        call = _call(found.function, found.signature, task, attempt, resources)
        return await _awaited(call)
    made = await threads.run(found.in_thread, task, attempt, resources)
    # Not so by a plain function around a coroutine function, as decorators are.
    return made if isinstance(made, bytes) else await _awaited(lambda: made)


async def _awaited(begin: Callable[[], Awaitable[object]]) -> bytes:
    with OneProcess():
        result = await begin()
    return kept(result)


def _in_thread(handler: Handler, signature: Signature) -> InThread:
    @wraps(handler)  # what the log says of a thread that cannot be stopped
    def work(
        task: Task, attempt: RunningAttempt, resources: Resources
    ) -> bytes | Awaitable[object]:
        with OneProcess():
            result = _call(handler, signature, task, attempt, resources)()
        # In the thread: what encodes a result may be the handler's code as well.
        return result if inspect.isawaitable(result) else kept(result)

    return work


def _call(
    handler: Handler,
    signature: Signature,
    task: Task,
    attempt: RunningAttempt,
    resources: Resources,
) -> Callable[[], Any]:
    """Raises `Permanent` for a payload that is none: tried again it would be the same."""
    try:
        given, named = signature.arguments(task, attempt, resources)
    except PayloadError as error:
        raise Permanent(str(error)) from error
    return partial(handler, *given, **named)


def _is(kind: Callable[[Any], bool], handler: Handler) -> bool:
    """Of the function, or of what calls an object."""
    return kind(handler) or kind(getattr(handler, "__call__", None))  # noqa: B004


async def _nobody(task: Task, _attempt: RunningAttempt) -> bytes:
    raise UnknownTitleError(task)
