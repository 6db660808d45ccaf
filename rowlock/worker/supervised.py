"""A worker process's link with the supervisor that has started it, if one has."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache
from typing import Any, Final

from rowlock.worker import runner
from rowlock.worker.log import log

# In it a process finds the number of its end of the link, and whether it is the first.
LINK_VARIABLE: Final = "ROWLOCK_SUPERVISOR"
FIRST: Final = "first"
# What a process says; it is told how often it is to stop, as one byte.
READY: Final = b"r"
LEAVING: Final = b"l"


def is_supervised() -> bool:
    """Whether a supervisor has started this process."""
    return _link() is not None


def is_first() -> bool:
    """Whether it is this process that does what is to be done once for all of a worker."""
    link = _link()
    return link is None or link.is_first


def tell(word: bytes) -> None:
    """`READY`: it claims now. `LEAVING`: it claims no more, and another one may."""
    link = _link()
    if link is not None:
        link.tell(word)


def run(main: Coroutine[Any, Any, None], stop: Callable[[], None]) -> None:
    """Like `runner.run`. Where there is a supervisor its words call `stop` as signals do, and so
    does its end."""
    link = _link()
    if link is None:
        runner.run(main, stop)
        return
    stops = _Stops(stop)
    try:
        runner.run(link.listen(main, stops), stops.signalled)
    finally:
        main.close()  # if it was refused, it has not begun


class _Stops:
    """Whoever ends a whole control group sends a signal to the supervisor and to its processes:
    the same stop is heard twice, and must not count as the second one."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._signals = 0
        self._level = 0

    def signalled(self) -> None:
        self._signals += 1
        self.at_least(self._signals)

    def at_least(self, level: int) -> None:
        while self._level < level:
            self._level += 1
            self._stop()


class _Link:
    def __init__(self, fd: int, *, is_first: bool) -> None:
        self.is_first = is_first
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._socket.set_inheritable(False)

    def tell(self, word: bytes) -> None:
        with suppress(OSError):  # it is gone, which is heard elsewhere
            self._socket.send(word)

    async def listen(self, main: Coroutine[Any, Any, None], stops: _Stops) -> None:
        """Run `main` and hear the supervisor meanwhile."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._hear, loop, stops)
        try:
            await main
        finally:
            loop.remove_reader(self._socket)

    def _hear(self, loop: asyncio.AbstractEventLoop, stops: _Stops) -> None:
        try:
            said = self._socket.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            loop.remove_reader(self._socket)
            log.warning("the supervisor is gone")
        stops.at_least(max(said, default=1))


@cache
def _link() -> _Link | None:
    # Taken out, as what this process starts is not supervised.
    said = os.environ.pop(LINK_VARIABLE, None)
    if said is None:
        return None
    fd, _, place = said.partition(" ")
    return _Link(int(fd), is_first=place == FIRST)
