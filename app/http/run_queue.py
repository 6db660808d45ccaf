"""The requests that wait to be begun: so many a turn of the event loop, in the order they came.

A turn in which thousands begin lasts seconds, and whatever is under way goes on only once a turn:
a submission talks to MySQL seven times.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

BEGUN_A_TURN: Final = 128


class RunQueue:
    """One process's."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._room = BEGUN_A_TURN

    def put(self, begin: Callable[[], None]) -> None:
        """Have it called: at once, if this turn has room."""
        if self._room == BEGUN_A_TURN:
            asyncio.get_running_loop().call_soon(self._next_turn)
        if self._room > 0:
            self._room -= 1
            begin()
        else:
            self._waiting.append(begin)

    def _next_turn(self) -> None:
        self._room = BEGUN_A_TURN
        while self._waiting and self._room > 0:
            self.put(self._waiting.popleft())
