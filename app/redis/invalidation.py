"""What was changed while Redis could not be told of it."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from app.redis.link import RedisAwayError, RedisLink

AGAIN_SECONDS: Final = 0.1


class PendingInvalidation:
    """Voids all that is cached, until Redis has done so, or until nothing of before is left in it
    anyhow: after `lifetime_seconds`.

    This process itself reads nothing stale meanwhile (`RedisLink`). It is for the others, which
    may have found Redis where this one has not.
    """

    def __init__(self, link: RedisLink, *, lifetime_seconds: float) -> None:
        self._link = link
        self._lifetime_seconds = lifetime_seconds
        self._until = 0.0
        self._count = 0
        self._trying: asyncio.Task[None] | None = None

    async def add(self, *, since: float) -> None:
        """A change is committed that Redis was not told of, for which it has been waited `since`
        then. Returns when all is void, or when Redis has been waited for long enough."""
        if self._link.is_absent:
            return
        try:
            await self._link.insist(since=since)
        except RedisAwayError:
            self._count += 1
            self._until = time.monotonic() + self._lifetime_seconds
            if self._trying is None or self._trying.done():
                self._trying = asyncio.get_running_loop().create_task(self._try_again())

    async def close(self) -> None:
        """Try no more."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait([self._trying])

    async def _try_again(self) -> None:
        done = -1
        while done < self._count and time.monotonic() < self._until:
            await asyncio.sleep(AGAIN_SECONDS)
            count = self._count
            with suppress(RedisAwayError):
                await self._link.insist(since=time.monotonic())
                done = count
