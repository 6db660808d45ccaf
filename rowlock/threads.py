"""Threads for plain functions, so that they do not hold up the event loop."""

import asyncio
import contextvars
import logging
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

log = logging.getLogger("rowlock.worker")

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


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
        future = self._loop.create_future()
        context = contextvars.copy_context()
        thread.inbox.put((partial(context.run, function, *arguments), future))
        try:
            return await future
        except asyncio.CancelledError:
            if not future.done() or future.cancelled():
                log.warning("a thread cannot be ended: %r runs on, and nobody hears it", function)
            raise

    def close(self) -> None:
        """Let the idle threads end, and the others when they are done."""
        self._is_open = False
        for thread in self._idle:
            thread.inbox.put(None)

    def _free(self, thread: "_Thread") -> None:
        if self._is_open:
            self._idle.append(thread)
        else:
            thread.inbox.put(None)


class _Thread:
    def __init__(self, loop: asyncio.AbstractEventLoop, free: Callable[["_Thread"], None]) -> None:
        self.inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = loop
        self._free = free
        threading.Thread(target=self._work, name="rowlock-handler", daemon=True).start()

    def _work(self) -> None:
        while (job := self.inbox.get()) is not None:
            function, future = job
            result, error = None, None
            try:
                result = function()
            except BaseException as raised:
                error = raised
            try:
                self._loop.call_soon_threadsafe(self._hand_over, future, result, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return
            del job, function, future, result, error

    def _hand_over(
        self, future: "asyncio.Future[Any]", result: Any, error: BaseException | None
    ) -> None:
        self._free(self)
        if future.done():  # its caller no longer waits
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):
            # A future cannot carry it.
            future.set_exception(RuntimeError(f"the handler raised {error!r}"))
        else:
            future.set_exception(error)
