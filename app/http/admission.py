"""Calls with large bodies, which take several times as much memory once they are parsed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Self

from fastapi import Depends, Request

from app.http.exchange import Exchange, exchange_of

# What counts as large, and how much of it is let in at a time.
LARGE_BYTES: Final = 16 * 1024
ROOM_BYTES: Final = 4 * 1024 * 1024
_ROOM: Final = "rowlock.room"


class BodyAdmission:
    """Lets them in as there is room, in the order they came; one that fills it is alone."""

    def __init__(self) -> None:
        self._left_bytes = ROOM_BYTES
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self.parsing = asyncio.Lock()

    def room_for(self, request: Request) -> "Room":
        """To be entered before the body is read, and left when the call is answered."""
        room = Room(self, exchange_of(request))
        request.scope[_ROOM] = room
        return room

    async def take(self, size: int) -> None:
        """Wait for so much room."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back(size)  # its turn had come
            raise

    def give_back(self, size: int) -> None:
        """What was taken."""
        self._left_bytes += size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            turn, size = self._waiting[0]
            if not turn.cancelled():
                if size > self._left_bytes:
                    return
                self._left_bytes -= size
                turn.set_result(None)
            self._waiting.popleft()


class Room:
    """One call's, which gives back what it has taken when it is left."""

    __slots__ = ("_calls", "_exchange", "_taken_bytes")

    def __init__(self, calls: BodyAdmission, exchange: Exchange | None) -> None:
        self._calls = calls
        self._exchange = exchange
        self._taken_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    @asynccontextmanager
    async def parsing(self, size: int) -> AsyncIterator[None]:
        """For a body of that size, to be parsed within."""
        size = min(size, ROOM_BYTES)
        await self._calls.take(size)
        self._taken_bytes = size
        async with self._calls.parsing:
            # Then everybody else: a megabyte may take a tenth of a second.
            await asyncio.sleep(0)
            yield

    def leave_early(self) -> None:
        """What was sent is needed no longer, and the answer may take its time."""
        self._leave()
        if self._exchange is not None:
            self._exchange.drop_body()

    def _leave(self) -> None:
        taken_bytes, self._taken_bytes = self._taken_bytes, 0
        if taken_bytes:
            self._calls.give_back(taken_bytes)


def room_of(request: Request) -> Any:
    """The call's."""
    return request.scope[_ROOM]


TheRoom = Annotated[Room, Depends(room_of)]
