"""Calls with large bodies, which take several times as much memory once they are parsed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request

# What counts as large, and how much of it is let in at a time.
LARGE_BYTES: Final = 16 * 1024
ROOM_BYTES: Final = 4 * 1024 * 1024


class LargeCalls:
    """Lets them in as there is room, in the order they came; one that fills it is alone."""

    def __init__(self) -> None:
        self._left_bytes = ROOM_BYTES
        self._inside: dict[Request, int] = {}
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._parsing = asyncio.Lock()

    @asynccontextmanager
    async def parsing(self, request: Request, size: int) -> AsyncIterator[None]:
        """To be parsed within, and `left` when answered."""
        await self._enter(request, min(size, ROOM_BYTES))
        async with self._parsing:
            # Then everybody else: a megabyte may take a tenth of a second.
            await asyncio.sleep(0)
            yield

    def left(self, request: Request) -> None:
        """The call is answered, or needs its body no longer; it may never have been large."""
        if size := self._inside.pop(request, 0):
            self._left_bytes += size
            self._let_in()

    async def _enter(self, request: Request, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size))
        self._let_in()
        try:
            await turn
        finally:
            # Cancelled it may be with its turn come.
            if turn.done() and not turn.cancelled():
                self._inside[request] = size

    def _let_in(self) -> None:
        while self._waiting:
            turn, size = self._waiting[0]
            if not turn.cancelled():
                if size > self._left_bytes:
                    return
                self._left_bytes -= size
                turn.set_result(None)
            self._waiting.popleft()
