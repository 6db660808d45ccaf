"""The long poll for work."""

import asyncio
from typing import Final

from rowlock.errors import UnreachableError
from rowlock.http.asynchronous import AsyncConnections, AsyncExchange, AsyncTransport
from rowlock.http.target import Target
from rowlock.models import Lease
from rowlock.worker import leases
from rowlock.worker.leases import ClaimRequest

# How soon a connection that was only being made when it hung up hears of it as well.
AGAIN_SECONDS: Final = 0.1


class Poll:
    """Waits for work on a connection of its own, so that it can hang up without losing any.

    It says only that it sends no more, and still reads: what the server had handed out before
    it noticed arrives, and can be given back. A cancelled request would not see it, and the
    tasks would stay out until their leases ran out. Over an exchange that is given it cannot hang
    up, and the server's answer is waited for.
    """

    def __init__(
        self,
        target: Target,
        request: ClaimRequest,
        *,
        timeout_seconds: float,
        exchange: AsyncExchange | None,
    ) -> None:
        self._connections = AsyncConnections(target)
        self._transport = AsyncTransport(target, exchange or self._connections)
        self._request = request
        self._timeout_seconds = timeout_seconds
        self._is_hung_up = False
        self._again: asyncio.TimerHandle | None = None

    async def claim(self, limit: int, wait_seconds: float) -> list[Lease]:
        """Up to `limit` leases, as soon as there are some. Raises `RowlockError`."""
        if self._is_hung_up:
            return []
        call = leases.claim(self._request, limit, wait_seconds)
        try:
            return await self._transport.once(call, self._timeout_seconds)
        except UnreachableError:
            if self._is_hung_up:
                return []
            raise

    def hang_up(self) -> None:
        """Have the poll answered now, and ask for no more."""
        self._is_hung_up = True
        # A request that is cut off half said is none: nothing is handed out for it.
        self._connections.stop_sending()
        self._again = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self.hang_up)

    async def close(self) -> None:
        """Break off."""
        if self._again is not None:
            self._again.cancel()
        await self._transport.close()
