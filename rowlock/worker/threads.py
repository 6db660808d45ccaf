"""Threads for plain functions, so that they do not hold up the event loop."""

import asyncio
import contextvars
import queue
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from rowlock.worker.log import log

# What the function returned, or what it raised.
_Outcome = tuple[Any, BaseException | None]
_Job = tuple[Callable[[], Any], "asyncio.Future[_Outcome]"]


class Threads:
    """As many threads as functions run at once, kept for the next ones.

    A thread cannot be ended from outside. One whose caller no longer waits runs on until its
    function returns; it does not keep the process from exiting. For one event loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: list[_Thread] = []
        self._is_open = True

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns or raises."""
        thread = self._idle.pop() if self._idle else _Thread(self._loop, self._free)
        future: asyncio.Future[_Outcome] = self._loop.create_future()
        context = contextvars.copy_context()
        thread.give((partial(context.run, function, *arguments), future))
        try:
            result, error = await future
        except asyncio.CancelledError:
            if not future.done() or future.cancelled():
                log.warning(
                    "a thread cannot be stopped: %r keeps running, and its result is ignored",
                    function,
                )
            raise
        if error is None:
            return result
        # Not by the future: that does not take every exception.
        try:
            raise error
        finally:
            del error  # it holds this frame, which would hold it

    def close(self) -> None:
        """Let the idle threads end, and the others when they are done."""
        self._is_open = False
        for thread in self._idle:
            thread.give(None)

    def _free(self, thread: "_Thread") -> None:
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
