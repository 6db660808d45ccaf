"""Long polls: callers that wait for work, or for a task to end, without holding anything.

What happens in this process wakes them at once. One poller a process, which runs only while
somebody waits, finds what came through other processes: one statement a look for all of them.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

import structlog

from app.domain.errors import DatabaseAwayError, TooManyWaitingError
from app.runtime.light_event import LightEvent
from app.runtime.metrics import WAITING_CALLERS

AWAY_PAUSE_SECONDS: Final = 1.0

Key = TypeVar("Key", bound=Hashable)

log = structlog.get_logger(__name__)


class Waiter(Generic[Key]):
    """One caller, from before it looks to when it is satisfied or gives up."""

    __slots__ = ("_woken", "keys")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self._woken = LightEvent()

    @property
    def is_woken(self) -> bool:
        return self._woken.is_set()

    @property
    def has_found_nothing(self) -> bool:
        """It has looked, or stood in line behind one who had, and nothing has come since."""
        return self._woken.is_waited_for and not self._woken.is_set()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, seconds: float, gone: LightEvent | None = None) -> bool:
        """Whether it was woken, within that long, and before its caller was `gone`. Then it may be
        waited for again."""
        await self._woken.wait(seconds, unless=gone)
        is_woken = self._woken.is_set()
        self._woken.clear()
        return is_woken


class Seats:
    """For those who wait in a process, in whatever room."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def take(self) -> None:
        """Raises `TooManyWaitingError`."""
        if self._taken >= self._limit:
            raise TooManyWaitingError(limit=self._limit)
        self._taken += 1
        WAITING_CALLERS.inc()

    def leave(self) -> None:
        self._taken -= 1
        WAITING_CALLERS.dec()


class WaitingRoom(Generic[Key]):
    """Callers waiting by key: a queue's name, or a task's id.

    `look` asks MySQL, for the keys somebody waits for, how many callers each could satisfy.
    """

    def __init__(
        self,
        look: Callable[[Mapping[Key, int]], Awaitable[Mapping[Key, int]]],
        *,
        interval_seconds: float,
        seats: Seats,
    ) -> None:
        self._look = look
        self._seats = seats
        self._interval_seconds = interval_seconds
        # In the order they came: a dict keeps it, and lets one leave at no cost.
        self._waiters: dict[Key, dict[Waiter[Key], None]] = defaultdict(dict)
        self._poller: asyncio.Task[None] | None = None
        self._is_open = True
        self._is_blind = False

    def is_dry(self, keys: Iterable[Key]) -> bool:
        """Whether somebody has found nothing for each of the keys and still waits: who comes
        now need not look, but stands in line."""
        return not self._is_blind and all(
            any(waiter.has_found_nothing for waiter in self._waiters.get(key, ())) for key in keys
        )

    def enter(self, keys: Iterable[Key]) -> Waiter[Key]:
        """Come in before looking, so that nothing that happens after the look is missed.

        Raises `TooManyWaitingError`.
        """
        self._seats.take()
        waiter = Waiter(tuple(keys))
        for key in waiter.keys:
            self._waiters[key][waiter] = None
        if not self._is_open:
            waiter.wake()
        elif self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        return waiter

    def leave(self, waiter: Waiter[Key]) -> None:
        """A waiter leaves once. What woke it and was not used wakes the next."""
        for key in waiter.keys:
            del self._waiters[key][waiter]
            if not self._waiters[key]:
                del self._waiters[key]
        self._seats.leave()
        if waiter.is_woken:
            for key in waiter.keys:
                self.wake(key, 1)

    def wake(self, key: Key, count: int) -> None:
        """Wake the first `count` callers, in the order they came, not woken yet."""
        for waiter in self._waiters.get(key, ()):
            if count <= 0:
                return
            if not waiter.is_woken:
                waiter.wake()
                count -= 1

    @property
    def is_open(self) -> bool:
        return self._is_open

    def close(self) -> None:
        """Wake everybody, for good: the process stops."""
        self._is_open = False
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.wake()
        if self._poller is not None:
            self._poller.cancel()

    async def _poll(self) -> None:
        took = 0.0
        try:
            while self._waiters:
                # A look that takes long, over many keys, is not taken the more often for it.
                await asyncio.sleep(max(self._interval_seconds, took))
                began = time.monotonic()
                # Not for those who look themselves just now.
                keys = {
                    key: count
                    for key, waiters in self._waiters.items()
                    if (count := sum(waiter.has_found_nothing for waiter in waiters))
                }
                if not keys:
                    continue
                try:
                    found = await self._look(keys)
                except Exception as error:
                    # Whatever it is: without the poller, those who wait would be forgotten.
                    if not isinstance(error, DatabaseAwayError):
                        log.exception("look_failed")
                    self._is_blind = True
                    await asyncio.sleep(AWAY_PAUSE_SECONDS)
                    continue
                self._is_blind = False
                took = time.monotonic() - began
                for key, count in found.items():
                    self.wake(key, count)
        finally:
            self._poller = None
            self._is_blind = False
