"""Leases that reached nobody: whoever asked has gone, or it is not known whether MySQL has
committed them. They are released, which costs their tasks no retry, as soon as MySQL answers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

import structlog

from app.domain.errors import RowlockError
from app.domain.task import Lease

AT_ONCE: Final = 100
AGAIN_SECONDS: Final = 0.5
# Beyond these the oldest are left to their deadline.
MOST_LEASES: Final = 20_000

log = structlog.get_logger(__name__)


class GiveBack:
    """Releases them, by and by. `release` returns those whose tasks somebody else holds, and
    raises `RowlockError` where it could not be tried."""

    def __init__(self, release: Callable[[Sequence[Lease]], Awaitable[list[Lease]]]) -> None:
        self._release = release
        self._leases: deque[Lease] = deque(maxlen=MOST_LEASES)
        self._running: asyncio.Task[None] | None = None
        self._is_closing = False

    def put(self, leases: Iterable[Lease]) -> None:
        """These are nobody's, if they are any leases at all."""
        self._leases.extend(leases)
        if self._leases and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def drain(self) -> None:
        """Return when all are released, or could not be for once: the process stops."""
        self._is_closing = True
        while self._running is not None and not self._running.done():
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        while self._leases:
            some = [self._leases.popleft() for _ in range(min(AT_ONCE, len(self._leases)))]
            try:
                left = await self._release(some)
            except Exception as error:
                left = some
                if not isinstance(error, RowlockError):  # a bug
                    log.exception("leases_not_given_back")
            if left and self._is_closing:
                log.warning("leases_stay_out", leases=len(left))
            elif left:
                self._leases.extend(left)
                await asyncio.sleep(AGAIN_SECONDS)
