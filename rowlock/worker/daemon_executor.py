"""The threads of `asyncio.to_thread` in a worker's own event loop."""

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_Call = tuple["Future[Any]", Callable[[], Any]]

# As many as asyncio takes by itself.
THREADS_LIMIT: Final = min(32, (os.cpu_count() or 1) + 4)


class DaemonExecutor(ThreadPoolExecutor):
    """Like the event loop's default one, but for its threads, which do not keep the process from
    exiting: Python would wait for those of any other `ThreadPoolExecutor`, which asyncio asks for,
    until their functions return."""

    def __init__(self) -> None:
        super().__init__(THREADS_LIMIT)
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        # Less than none where calls wait.
        self._idle = 0
        self._count = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        with self._lock:
            if self._idle <= 0 and self._count < THREADS_LIMIT:
                threading.Thread(target=self._work, name="rowlock-asyncio", daemon=True).start()
                self._count += 1
            else:
                self._idle -= 1
        self._calls.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let the threads end when they have nothing more to do; never wait for them."""
        with self._lock:
            for _ in range(self._count):
                self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function = call
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:
                    future.set_exception(error)
            del call, future, function  # not kept until the next one comes
            with self._lock:
                self._idle += 1
