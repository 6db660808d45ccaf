"""A running attempt, as its handler sees it, and what a handler may raise."""

import math
import time
from collections.abc import Awaitable, Callable, Generator
from datetime import datetime, timedelta
from typing import Any, Final

from rowlock.encoding import encode_bounded
from rowlock.http import retry_after
from rowlock.models import Lease

# Why a handler was cut short while the worker still had its lease, or before it knew better.
TIMED_OUT: Final = "timed_out"
RELEASED: Final = "released"


class Permanent(Exception):  # noqa: N818  (it is a verdict, and reads as one)
    """Raised by a handler: the task has failed, at once and for good, with this as its error."""


class Retry(Exception):  # noqa: N818
    """Raised by a handler: this attempt has failed, with this as its error.

    `after_seconds` takes the place of the task's own delay for this retry: a number of seconds,
    a `timedelta`, or the text of a `Retry-After` header. From 0 to 86,400; what is outside is
    taken as the nearer of the two. Raises `ValueError` for what is none of these.
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
            "after_seconds has to be a number of seconds, a timedelta or what a Retry-After "
            f"header says, and {after!r} is none of these"
        )
    return seconds


class RunningAttempt:
    """The attempt that a handler is called for.

    `number` counts the task's attempts from 1. `lost` is None as long as the attempt is this
    worker's; then it says why it is not: `cancelled`, `timed_out`, `lost`, `deleted`, or
    `released` by a worker that stops. A coroutine is cancelled at that moment; a plain
    function cannot be, so one that runs long should look at `lost` now and then.
    """

    __slots__ = ("_lease", "_lost", "_progress_json", "_tell")

    def __init__(self, lease: Lease, tell: Callable[[], object]) -> None:
        self._lease = lease
        self._lost: str | None = None
        self._progress_json = b"null"
        self._tell = tell

    # All to be read only: the worker goes by them too.

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
        """Say how far it has come: any JSON up to 256 KiB, shown in the task.

        It is sent at once, or within a second of the last; of several the newest counts.
        Coroutines may `await` it, which waits for nothing; plain functions just call it.
        Raises `ValueError` for what is no such JSON.
        """
        self._progress_json = encode_bounded(value, "progress")
        self._tell()
        return _Yield()

    def _lose(self, why: str) -> None:
        self._lost = why


class _Yield:
    """Awaited, it lets others run: so a handler that does nothing else can be cancelled."""

    def __await__(self) -> Generator[None, None, None]:
        yield
