"""The running attempt that a handler gets, and the exceptions that it may raise."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Final

from rowlock.client.pages import Page, walk, walk_async
from rowlock.encoding import encode_bounded
from rowlock.http import retry_after
from rowlock.http.call import Call
from rowlock.models import Lease, Parent, Task
from rowlock.worker import leases

# Gets a page of what a task depends on.
AskForParents = Callable[[Call[Page[Parent]]], Awaitable[Page[Parent]]]

# Why a handler was cut short while the worker still had its lease, or before it knew better.
TIMED_OUT: Final = "timed_out"
RELEASED: Final = "released"


class Permanent(Exception):  # noqa: N818  (it is a verdict, and reads as one)
    """Raised by a handler: the task fails at once, without a retry, with this as its error."""


class Retry(Exception):  # noqa: N818
    """Raised by a handler: this attempt has failed, with this as its error.

    `after_seconds` replaces the task's own delay for this retry: a number of seconds, a
    `timedelta`, or the text of a `Retry-After` header. It is limited to 0 to 86,400 seconds.
    Any other value raises `ValueError`.
    """

    after_seconds: float | None = None

    def __init__(
        self, error: str = "", *, after_seconds: float | timedelta | str | None = None
    ) -> None:
        super().__init__(error)
        self.after_seconds = delay_seconds(after_seconds)


def delay_seconds(after: float | timedelta | str | None) -> float | None:
    """The seconds of what `Retry` takes. Raises `ValueError`."""
    if after is None:
        return None
    if isinstance(after, timedelta):
        return after.total_seconds()
    try:
        if isinstance(after, str):
            seconds = retry_after.seconds_of(after, now=time.time())
        else:
            seconds = float(after)
    except (TypeError, ValueError, OverflowError):
        seconds = None
    if seconds is None or math.isnan(seconds):
        raise ValueError(
            "after_seconds must be a number of seconds, a timedelta or the text of a Retry-After "
            f"header, not {after!r}"
        )
    return seconds


class RunningAttempt:
    """The attempt that a handler is called for.

    `number` counts the task's attempts from 1. `lost` is None while this worker holds the
    lease; then it is the reason: `cancelled`, `timed_out`, `lost`, `deleted`, or `released`
    when the worker stops. A coroutine is cancelled at that moment; a plain function cannot be,
    so one that runs long should check `lost` regularly.
    """

    __slots__ = ("_ask", "_lease", "_loop", "_lost", "_progress_json", "_tell")

    def __init__(
        self,
        lease: Lease,
        tell: Callable[[], object],
        *,
        loop: asyncio.AbstractEventLoop,
        ask: AskForParents,
    ) -> None:
        self._loop = loop
        self._ask = ask
        self._lease = lease
        self._lost: str | None = None
        self._progress_json = b"null"
        self._tell = tell

    # All to be read only: the worker goes by them too.

    @property
    def task(self) -> Task:
        return self._lease.task

    @property
    def lease_id(self) -> str:
        return self._lease.lease_id

    @property
    def number(self) -> int:
        return self._lease.attempt

    @property
    def deadline(self) -> datetime:
        return self._lease.deadline

    @property
    def lost(self) -> str | None:
        return self._lost

    @property
    def progress_json(self) -> bytes:
        return self._progress_json

    def progress(self, value: Any) -> Awaitable[None]:
        """Report progress: any JSON up to 256 KiB, shown in the task.

        It is sent at once, or a second after the last one; only the newest value is sent.
        Coroutines may `await` it, which does not wait for the server; plain functions call it.
        Raises `ValueError` for a value that is not valid JSON or too large.
        """
        self._progress_json = encode_bounded(value, "progress")
        self._tell()
        return _Yield()

    def parents(self) -> Iterator[Parent]:
        """What became of the tasks that this one depends on, fetched page by page as needed. For
        plain functions.

        Raises `ConflictError` once the lease is lost, and other `RowlockError`s.
        """
        return walk(self._ask_from_thread, leases.parents(self.lease_id))

    async def parents_async(self) -> AsyncIterator[Parent]:
        """The same for coroutines, with `async for`."""
        async for parent in walk_async(self._ask, leases.parents(self.lease_id)):
            yield parent

    def _ask_from_thread(self, call: Call[Page[Parent]]) -> Page[Parent]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asking = asyncio.run_coroutine_threadsafe(_asked(self._ask, call), self._loop)
            return asking.result()
        raise RuntimeError("an event loop runs here: use `async for` with parents_async")

    def _lose(self, why: str) -> None:
        self._lost = why


# Set in the context of each attempt, which its threads have too.
CURRENT: Final[ContextVar[RunningAttempt | None]] = ContextVar("rowlock_attempt", default=None)


def current_attempt() -> RunningAttempt | None:
    """The attempt whose handler this code is called by; None outside of any.

    Known in what a handler awaits, in the tasks that it begins, in its thread, and in
    `@worker.around`; so that a filter of the log, say, can name the task.
    """
    return CURRENT.get()


async def _asked(ask: AskForParents, call: Call[Page[Parent]]) -> Page[Parent]:
    return await ask(call)


class _Yield:
    """Awaited, it lets others run: so a handler that does nothing else can be cancelled."""

    def __await__(self) -> Generator[None, None, None]:
        yield
