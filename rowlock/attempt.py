"""A running attempt, as its handler sees it, and what a handler may raise."""

from collections.abc import Awaitable, Callable, Generator
from datetime import datetime
from typing import Any, Final

from rowlock.encoding import encode_bounded
from rowlock.models import Lease

# Why a handler was cut short while the worker still had its lease, or before it knew better.
TIMED_OUT: Final = "timed_out"
RELEASED: Final = "released"


class Permanent(Exception):  # noqa: N818  (it is a verdict, and reads as one)
    """Raised by a handler: the task has failed, at once and for good, with this as its error."""


class Retry(Exception):  # noqa: N818
    """Raised by a handler: this attempt has failed, with this as its error.

    `after_seconds` takes the place of the task's own delay for this retry.
    """

    def __init__(self, error: str = "", *, after_seconds: float | None = None) -> None:
        super().__init__(error)
        self.after_seconds = after_seconds


class RunningAttempt:
    """The attempt that a handler is called for.

    `number` counts the task's attempts from 1. `lost` is None as long as the attempt is this
    worker's; then it says why it is not: `cancelled`, `timed_out`, `lost`, `deleted`, or
    `released` by a worker that stops. A coroutine is cancelled at that moment; a plain
    function cannot be, so one that runs long should look at `lost` now and then.
    """

    __slots__ = ("_tell", "deadline", "lease_id", "lost", "number", "progress_json")

    def __init__(self, lease: Lease, tell: Callable[[], object]) -> None:
        self.lease_id: str = lease.lease_id
        self.number: int = lease.attempt
        self.deadline: datetime = lease.deadline
        self.lost: str | None = None
        self.progress_json = b"null"
        self._tell = tell

    def progress(self, value: Any) -> Awaitable[None]:
        """Say how far it has come: any JSON up to 256 KiB, shown in the task.

        It is sent at once, or within a second of the last; of several the newest counts.
        Coroutines may `await` it, which waits for nothing; plain functions just call it.
        Raises `ValueError` for what is no such JSON.
        """
        self.progress_json = encode_bounded(value, "progress")
        self._tell()
        return _Yield()


class _Yield:
    """Awaited, it lets others run: so a handler that does nothing else can be cancelled."""

    def __await__(self) -> Generator[None, None, None]:
        yield
