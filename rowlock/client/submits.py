"""Submits of one client that share a call, as calls share a transaction in the server.

A submit goes at once, and alone, while fewer than two calls are under way. Else it waits until one
of these comes back, and all that wait by then go as one batch. Where a batch is refused each goes
alone, so that an error is its own caller's.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

from rowlock.client import calls
from rowlock.errors import RowlockError, UnreachableError, is_refusal
from rowlock.http.call import Call
from rowlock.models import Task

T = TypeVar("T")
W = TypeVar("W", bound="_Waiting")

FLIGHT_LIMIT: Final = 2
BATCH_LIMIT: Final = 100
BATCH_LIMIT_BYTES: Final = 512 * 1024


class _Waiting:
    def __init__(self, body: bytes) -> None:
        self.body = body


class _Line(Generic[W]):
    """Who waits, and how many calls are under way."""

    def __init__(self) -> None:
        self._waiting: deque[W] = deque()
        self._flights = 0

    def enter(self) -> bool:
        """Whether there is room for a call of one's own, which is taken."""
        if self._waiting or self._flights >= FLIGHT_LIMIT:
            return False
        self._flights += 1
        return True

    def join(self, waiting: W) -> None:
        self._waiting.append(waiting)

    def leave(self, waiting: W) -> bool:
        """Whether it waited until now, for a call that has not begun."""
        try:
            self._waiting.remove(waiting)
        except ValueError:
            return False
        return True

    def land(self) -> list[W]:
        """A call is over. Who goes in its place: nobody if nobody waits."""
        batch: list[W] = []
        size = 0
        while self._waiting and len(batch) < BATCH_LIMIT:
            size += len(self._waiting[0].body)
            if batch and size > BATCH_LIMIT_BYTES:
                break
            batch.append(self._waiting.popleft())
        if not batch:
            self._flights -= 1
        return batch


class _Joined(_Waiting):
    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        # None: to be sent alone.
        self.future: asyncio.Future[Task | None] = asyncio.get_running_loop().create_future()

    def settle(self, outcome: Task | RowlockError | None) -> None:
        if self.future.done():  # its caller no longer waits
            return
        if isinstance(outcome, RowlockError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class AsyncSubmits:
    """For one event loop. A submit that has waited for `seconds` gives up."""

    def __init__(self, ask: Callable[[Call[Any]], Awaitable[Any]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._forget()

    async def submit(self, body: bytes) -> Task:
        """Store a task. Raises `RowlockError`."""
        if self._pid != os.getpid():
            self._forget()
        if not self._line.enter():
            task = await self._shared(_Joined(body))
            return task or await self._alone(body)
        try:
            return await self._alone(body)
        finally:
            self._go_on()

    async def close(self) -> None:
        """Break off what is under way."""
        while self._sending:
            for sending in self._sending:
                sending.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    def _forget(self) -> None:
        # Of a process that this one was forked from, nobody waits here.
        self._line: _Line[_Joined] = _Line()
        self._sending: set[asyncio.Task[None]] = set()
        self._pid = os.getpid()

    async def _alone(self, body: bytes) -> Task:
        task: Task = await self._ask(calls.submit(body, None))
        return task

    async def _shared(self, joined: _Joined) -> Task | None:
        self._line.join(joined)
        try:
            async with asyncio.timeout(self._seconds):
                task = await joined.future
        except TimeoutError as error:
            raise _late(may_have_happened=not self._line.leave(joined)) from error
        except asyncio.CancelledError:
            self._line.leave(joined)
            raise
        return await self._ask(calls.get(task.id)) if task and task.is_summary else task

    def _go_on(self) -> None:
        if batch := self._line.land():
            sending = asyncio.get_running_loop().create_task(self._send(batch))
            self._sending.add(sending)
            sending.add_done_callback(partial(self._on_sent, batch))

    async def _send(self, batch: list[_Joined]) -> None:
        try:
            tasks = await self._ask(_call_of(batch))
        except RowlockError as error:
            for joined in batch:
                joined.settle(None if is_refusal(error) else _one_of(error))
        else:
            for joined, task in zip(batch, tasks, strict=True):
                joined.settle(task)

    def _on_sent(self, batch: list[_Joined], sending: "asyncio.Task[None]") -> None:
        self._sending.discard(sending)
        for joined in batch:  # cancelled: the client is closed
            joined.settle(_late(may_have_happened=True))
        self._go_on()


class _Stopped(_Waiting):
    """A thread that waits."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.is_called = threading.Event()
        # The batch that is this thread's to send.
        self.leads: list[_Stopped] | None = None
        # None: to be sent alone.
        self.outcome: Task | RowlockError | None = None


class Submits:
    """The same for threads: of those whose turn it is, one sends the batch of all."""

    def __init__(self, ask: Callable[[Call[Any]], Any], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._forget()

    def submit(self, body: bytes) -> Task:
        """Store a task. Raises `RowlockError`."""
        if self._pid != os.getpid():
            self._forget()
        stopped = _Stopped(body)
        with self._lock:
            is_free = self._line.enter()
            if not is_free:
                self._line.join(stopped)
        if not is_free:
            task = self._shared(stopped)
            return task or self._alone(body)
        try:
            return self._alone(body)
        finally:
            self._go_on()

    def _forget(self) -> None:
        # The threads of a process that this one was forked from are not here.
        self._line: _Line[_Stopped] = _Line()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _alone(self, body: bytes) -> Task:
        task: Task = self._ask(calls.submit(body, None))
        return task

    def _shared(self, stopped: _Stopped) -> Task | None:
        try:
            stopped.is_called.wait(self._seconds)
        finally:
            # It may have been called as it gave up, or as it was interrupted.
            with self._lock:
                has_left = self._line.leave(stopped)
            if stopped.leads is not None:
                self._send(stopped.leads)
        if not stopped.is_called.is_set():
            raise _late(may_have_happened=not has_left)
        task = stopped.outcome
        if isinstance(task, RowlockError):
            raise task
        return self._ask(calls.get(task.id)) if task and task.is_summary else task

    def _go_on(self) -> None:
        with self._lock:
            if batch := self._line.land():
                batch[0].leads = batch
        if batch:
            batch[0].is_called.set()

    def _send(self, batch: list[_Stopped]) -> None:
        for stopped in batch:  # until it is known
            stopped.outcome = _late(may_have_happened=True)
        try:
            tasks = self._ask(_call_of(batch))
            for stopped, task in zip(batch, tasks, strict=True):
                stopped.outcome = task
        except RowlockError as error:
            for stopped in batch:
                stopped.outcome = None if is_refusal(error) else _one_of(error)
        finally:
            for stopped in batch:
                stopped.is_called.set()
            self._go_on()


def _call_of(batch: list[W]) -> Call[list[Task]]:
    # Small enough for the time that one alone has.
    return calls.submit_batch((each.body for each in batch), None, extra_seconds=0.0)


def _late(*, may_have_happened: bool) -> UnreachableError:
    return UnreachableError("POST /tasks: no answer in time", may_have_happened=may_have_happened)


def _one_of(error: RowlockError) -> RowlockError:
    """The error for one of several callers, each of which adds to its traceback."""
    own = Exception.__new__(type(error))
    own.args, own.__cause__ = error.args, error
    own.__dict__.update(error.__dict__)
    return own
