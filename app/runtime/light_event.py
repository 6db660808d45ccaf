"""An `asyncio.Event` for one who waits: the line of an event takes 700 bytes, and long polls are
many."""

import asyncio


class LightEvent:
    """Set or not; waited for by one at a time."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_waited_for(self) -> bool:
        return self._waiting is not None

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        self._end_wait()

    def clear(self) -> None:
        self._is_set = False

    async def wait(
        self, seconds: float | None = None, *, unless: "LightEvent | None" = None
    ) -> None:
        """Return when it is set, or `unless` is, or after that long."""
        if self._is_set or (unless is not None and unless.is_set()):
            return
        loop = asyncio.get_running_loop()
        # One wait for both: two would be two tasks for each long poll.
        self._waiting = waiting = loop.create_future()
        if unless is not None:
            unless._waiting = waiting
        timer = None if seconds is None else loop.call_later(seconds, self._end_wait)
        try:
            await waiting
        finally:
            self._waiting = None
            if unless is not None:
                unless._waiting = None
            if timer is not None:
                timer.cancel()

    def _end_wait(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
