"""What Redis could not be told of in time, and how it is made good."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from app.redis import RedisAwayError, RedisLink

AGAIN_SECONDS: Final = 0.1


class Untold:
    """Changes that Redis was not told of. Until it has forgotten its epoch, and with it every
    value, what it has must not be read; and since other processes do read it, it is asked to at
    once, and again and again.

    To delete a key is what a full Redis does too, and one that hangs does first of all when it
    goes on, if it was asked before: nobody reads what was not made good.

    After `lifetime_seconds` in which there was none, what Redis had of before is gone by itself.
    """

    def __init__(self, link: RedisLink, epoch_key: str, *, lifetime_seconds: float) -> None:
        self._link = link
        self._epoch_key = epoch_key
        self._lifetime_seconds = lifetime_seconds
        self._outlived_at = 0.0
        self._made_good = 0
        self.count = 0
        # Who waits for the next try.
        self._waiting: list[asyncio.Future[None]] = []
        self._is_pressing = asyncio.Event()
        self._asked_at: float | None = None
        self._mending: asyncio.Task[None] | None = None

    @property
    def is_pending(self) -> bool:
        return self.count > self._made_good

    def made_good(self, count: int) -> None:
        """The first `count` of them."""
        self._made_good = max(self._made_good, count)

    async def add(self, *, since: float) -> None:
        """One more. Returns when it is made good, or cannot be now; at the latest when Redis has
        been waited for long enough `since` then, or hangs for as long already."""
        if self._link.is_absent:
            return
        self.count += 1
        self._outlived_at = time.monotonic() + self._lifetime_seconds
        tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(tried)
        self._is_pressing.set()
        if self._mending is None or self._mending.done():
            self._mending = asyncio.get_running_loop().create_task(self._mend())
        waited_since = since if self._asked_at is None else min(since, self._asked_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(
                waited_since + self._link.timeout_seconds - time.monotonic()
            ):
                await tried

    async def close(self) -> None:
        """Try no more."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait([self._mending])

    async def _mend(self) -> None:
        while self.is_pending:
            count, told, self._waiting = self.count, self._waiting, []
            self._is_pressing.clear()
            self._asked_at = time.monotonic()
            with suppress(RedisAwayError):
                await self._link.insist(lambda pipe: pipe.delete(self._epoch_key))
                self.made_good(count)
            self._asked_at = None
            for tried in told:
                if not tried.done():
                    tried.set_result(None)
            if time.monotonic() > self._outlived_at:
                self.made_good(self.count)
            if self.is_pending:
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await self._is_pressing.wait()
