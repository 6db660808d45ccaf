"""Threads for plain functions, so that they do not hold up the event loop."""

import asyncio
import contextvars
import inspect
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rowlock.errors import StuckHandlersError
from rowlock.worker.log import log

# So many threads more than slots may be held by functions whose callers no longer wait.
SPARE_THREADS: Final = 8

# What the function returned, or what it raised.
_Outcome = tuple[Any, BaseException | None]
_Job = tuple[Callable[[], Any], "asyncio.Future[_Outcome]"]


class Threads:
    """As many threads as functions run at once, kept for the next ones.

    A thread cannot be ended from outside. One whose caller no longer waits runs on until its
    function returns; it does not keep the process from exiting. `exhausted` is called when
    `slots` and `SPARE_THREADS` together are held thus. For one event loop.
    """

    def __init__(self, slots: int, exhausted: Callable[[StuckHandlersError], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: list[_Thread] = []
        # Names, for messages: what runs, and of that what nobody waits for any more.
        self._running: dict[_Thread, str] = {}
        self._abandoned: dict[_Thread, str] = {}
        self._ended_at: dict[str, float] = {}
        self._limit = slots + SPARE_THREADS
        self._exhausted = exhausted
        self._is_open = True

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns or raises."""
        thread = self._idle.pop() if self._idle else _Thread(self._loop, self._free)
        self._running[thread] = name = _name(function)
        future: asyncio.Future[_Outcome] = self._loop.create_future()
        context = contextvars.copy_context()
        thread.give((partial(context.run, function, *arguments), future))
        try:
            result, error = await future
        except asyncio.CancelledError:
            if not future.done() or future.cancelled():
                log.warning(
                    "a thread cannot be stopped: %s keeps running, and its result is ignored", name
                )
                self._abandon(thread, name)
            raise
        if error is None:
            return result
        # Not by the future: that does not take every exception.
        try:
            raise error
        finally:
            del error  # it holds this frame, which would hold it

    def ran_since(self, moment: float) -> list[str]:
        """The functions that run now or have ended since then, by the event loop's clock: those
        that may have held the interpreter's lock."""
        ended = {name for name, at in self._ended_at.items() if at >= moment}
        return sorted(ended.union(self._running.values()))

    def close(self) -> None:
        """Let the idle threads end, and the others when they are done."""
        self._is_open = False
        for thread in self._idle:
            thread.give(None)

    def _abandon(self, thread: "_Thread", name: str) -> None:
        self._abandoned[thread] = name
        if len(self._abandoned) < self._limit:
            return
        held = ", ".join(f"{name} ({n})" for name, n in Counter(self._abandoned.values()).items())
        self._exhausted(
            StuckHandlersError(
                f"{len(self._abandoned)} threads are held by handlers that have not ended, though "
                f"their attempts are over: {held}"
            )
        )

    def _free(self, thread: "_Thread") -> None:
        self._ended_at[self._running.pop(thread)] = self._loop.time()
        self._abandoned.pop(thread, None)
        if self._is_open:
            self._idle.append(thread)
        else:
            thread.give(None)


class _Thread:
    def __init__(self, loop: asyncio.AbstractEventLoop, free: Callable[["_Thread"], None]) -> None:
        # Not in the queue, which only wakes: what interrupts its `get` would take a job with it.
        self._jobs: deque[_Job | None] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._loop = loop
        self._free = free
        threading.Thread(target=self._work, name="rowlock-handler", daemon=True).start()

    def give(self, job: _Job | None) -> None:
        """Something to do; None: nothing more."""
        self._jobs.append(job)
        self._wake.put(None)

    def _work(self) -> None:
        is_wanted = True
        while is_wanted:
            try:
                is_wanted = self._do_next()
            except BaseException as error:
                # A library for time-outs may throw one into this thread, and come too late.
                log.warning(
                    "an exception was raised in a thread from outside: %s", type(error).__name__
                )

    def _do_next(self) -> bool:
        """Whether there may be more to do."""
        while not self._jobs:
            self._wake.get()
        job = self._jobs.popleft()
        if job is None:
            return False
        function, future = job
        outcome: _Outcome = None, None
        try:
            outcome = function(), None
        except BaseException as error:
            outcome = None, error
        try:
            self._loop.call_soon_threadsafe(self._hand_over, future, outcome)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return False
        return True

    def _hand_over(self, future: "asyncio.Future[_Outcome]", outcome: _Outcome) -> None:
        self._free(self)
        if not future.done():  # else its caller no longer waits
            future.set_result(outcome)


def _name(function: Callable[..., Any]) -> str:
    """As it stands in its module, below what it is wrapped in."""
    function = inspect.unwrap(function)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{function.__module__}.{name}"
