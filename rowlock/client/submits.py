"""Submits of one client that share a call, as calls share a transaction in the server.

Two calls at most are under way, and few do not go beside a larger call, but wait for it for a
moment. Who waits until one comes back goes as one batch with all that wait by then. Where a batch
is refused each goes alone, so that an error is its own caller's. Each has one deadline for all of
it; a batch has its youngest's, and who has less time gives up before.
"""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from rowlock.client import calls
from rowlock.client.line import PATIENCE_SECONDS, Line, Waiting, call_of, late, outcomes
from rowlock.errors import RowlockError
from rowlock.http.call import Call
from rowlock.models import Task


class _Joined(Waiting):
    def __init__(self, body: bytes, seconds: float) -> None:
        super().__init__(body, seconds)
        # None: to be sent alone.
        self.future: asyncio.Future[Task | None] = asyncio.get_running_loop().create_future()
        self.sending: asyncio.Task[None] | None = None

    def settle(self, outcome: Task | Exception | None) -> None:
        if self.future.done():  # its caller no longer waits
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class AsyncSubmits:
    """For one event loop. A submit that has waited for `seconds` gives up."""

    def __init__(self, ask: Callable[[Call[Any], float], Awaitable[Any]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._forget()

    async def submit(self, body: bytes) -> Task:
        """Store a task. Raises `RowlockError`."""
        if self._pid != os.getpid():
            self._forget()
        joined = _Joined(body, self._seconds)
        self._line.join(joined)
        self._kick()
        try:
            async with asyncio.timeout(self._seconds):
                task = await joined.future
        except TimeoutError as error:
            raise late(may_have_happened=not self._line.leave(joined)) from error
        except asyncio.CancelledError:
            self._line.leave(joined)
            if joined.sending is not None:  # for this one alone
                joined.sending.cancel()
            raise
        return await self._whole(task, joined)

    async def close(self) -> None:
        """Break off what is under way."""
        if self._pid != os.getpid():
            self._forget()
        while under_way := [*self._sending]:
            for sending in under_way:
                sending.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            # Of tasks that are done it may return at once, before they take themselves out.
            self._sending.difference_update(under_way)

    def _forget(self) -> None:
        # Of a process that this one was forked from, nobody waits here.
        self._line: Line[_Joined] = Line()
        self._sending: set[asyncio.Task[None]] = set()
        self._is_kicked = False
        self._again: asyncio.TimerHandle | None = None
        self._pid = os.getpid()

    def _kick(self) -> None:
        """See who goes, once all that submit at this moment have done so."""
        if not self._is_kicked:
            self._is_kicked = True
            asyncio.get_running_loop().call_soon(self._go)

    def _go(self) -> None:
        self._is_kicked = False
        while batch := self._line.take():
            sending = asyncio.get_running_loop().create_task(self._send(batch))
            self._sending.add(sending)
            sending.add_done_callback(partial(self._on_sent, batch))
            if len(batch) == 1:
                batch[0].sending = sending
        self._look_again()

    def _look_again(self) -> None:
        """Once the first that waits has waited for a moment."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        seconds = self._line.patience_seconds()
        if seconds is not None:
            self._again = asyncio.get_running_loop().call_later(seconds, self._go)

    async def _send(self, batch: list[_Joined]) -> None:
        try:
            tasks = await self._ask(call_of(batch), batch[-1].due)
        except RowlockError as error:
            for joined, outcome in zip(batch, outcomes(error, len(batch)), strict=True):
                joined.settle(outcome)
        except Exception as error:  # nobody else would hear of it
            for joined in batch:
                joined.settle(error)
        else:
            for joined, task in zip(batch, tasks, strict=True):
                joined.settle(task)

    def _on_sent(self, batch: list[_Joined], sending: "asyncio.Task[None]") -> None:
        self._sending.discard(sending)
        if sending.cancelled():  # the client is closed
            for joined in batch:
                joined.settle(late(may_have_happened=True))
        self._line.land(batch)
        self._kick()

    async def _whole(self, task: Task | None, joined: _Joined) -> Task:
        if task is None:
            task = await self._ask(calls.submit(joined.body, None), joined.due)
        elif task.is_summary:
            with suppress(RowlockError):  # it is stored, whatever comes of asking for the rest
                task = await self._ask(calls.get(task.id), joined.due)
        return task


class _Stopped(Waiting):
    """A thread that waits."""

    def __init__(self, body: bytes, seconds: float) -> None:
        super().__init__(body, seconds)
        self.is_called = threading.Event()
        # The batch that is this thread's to send.
        self.leads: list[_Stopped] | None = None
        # None: to be sent alone.
        self.outcome: Task | RowlockError | None = None


class Submits:
    """The same for threads: of those that go together, one sends the batch."""

    def __init__(self, ask: Callable[[Call[Any], float], Any], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._forget()

    def submit(self, body: bytes) -> Task:
        """Store a task. Raises `RowlockError`."""
        if self._pid != os.getpid():
            self._forget()
        stopped = _Stopped(body, self._seconds)
        with self._lock:
            self._line.join(stopped)
            self._call()
        try:
            if not stopped.is_called.wait(min(PATIENCE_SECONDS, self._seconds)):
                with self._lock:
                    self._call()
                stopped.is_called.wait(stopped.due - time.monotonic())
        finally:
            # It may have been called as it gave up, or as it was interrupted.
            with self._lock:
                has_left = self._line.leave(stopped)
            if stopped.leads is not None:
                self._send(stopped.leads)
        if not stopped.is_called.is_set():
            raise late(may_have_happened=not has_left)
        if isinstance(stopped.outcome, RowlockError):
            raise stopped.outcome
        return self._whole(stopped.outcome, stopped)

    def _forget(self) -> None:
        # The threads of a process that this one was forked from are not here.
        self._line: Line[_Stopped] = Line()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _call(self) -> None:
        while batch := self._line.take():
            batch[-1].leads = batch
            batch[-1].is_called.set()

    def _send(self, batch: list[_Stopped]) -> None:
        try:
            tasks = self._ask(call_of(batch), batch[-1].due)
            for stopped, task in zip(batch, tasks, strict=True):
                stopped.outcome = task
        except RowlockError as error:
            for stopped, outcome in zip(batch, outcomes(error, len(batch)), strict=True):
                stopped.outcome = outcome
        except BaseException:  # whatever becomes of this thread, the others wait
            for stopped in batch:
                stopped.outcome = late(may_have_happened=True)
            raise
        finally:
            with self._lock:
                self._line.land(batch)
                self._call()
            for stopped in batch:
                stopped.is_called.set()

    def _whole(self, task: Task | None, stopped: _Stopped) -> Task:
        if task is None:
            task = self._ask(calls.submit(stopped.body, None), stopped.due)
        elif task.is_summary:
            with suppress(RowlockError):  # it is stored, whatever comes of asking for the rest
                task = self._ask(calls.get(task.id), stopped.due)
        return task
