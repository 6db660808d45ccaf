"""The open connections of a process: how many there may be, how long a caller is waited for, and
how much memory that may take.

Where there is no more room, those who were refused make some, then those who are waited for,
whoever has been for longest first. A request that has arrived whole is answered, unless its caller
was refused just before.
"""

import time
from typing import Final, Protocol

from app.http.exchange import State
from app.http.outgoing import Outbox
from app.http.run_queue import RunQueue
from app.runtime import metrics
from app.settings import Settings

# Who was answered before all was sent may still be sending, and read the answer after that.
LINGER_SECONDS: Final = 2.0
# What takes longer to answer is a long poll.
ANSWER_SECONDS: Final = 15.0
# Each takes up to 120 KB.
HANDSHAKES_LIMIT: Final = 1000


class Caller(Protocol):
    """A connection, as it is bounded."""

    held_bytes: int
    state: State

    @property
    def untaken_bytes(self) -> int:
        """What was answered and has not left yet."""

    def refuse(self, status: int, detail: str) -> None:
        """End it; with this answer, if none has begun."""

    def abort(self) -> None:
        """End it."""

    def drop_behind(self) -> bool:
        """Read nothing behind the request that is answered; whether there was anything."""

    def look(self) -> None:
        """See whether the caller has hung up, while nothing is read from it."""


class Connections:
    """One process's."""

    def __init__(self, settings: Settings, *, limit: int) -> None:
        self._limit = limit
        self._idle_seconds = settings.idle_timeout_seconds
        self._transfer_seconds = settings.transfer_timeout_seconds
        self._memory_bytes = settings.transfer_memory_mib * 1024 * 1024
        # Who takes no more than this is not counted, and need not go: long polls, most of all.
        self._share_bytes = self._memory_bytes // limit
        self._open = 0
        # Until when a request, or what is left of it, is waited for: the longest wait is first.
        self._waits: dict[Caller, float] = {}
        # Who was refused last, and is not being answered again, in that order: the first to go.
        self._refused: dict[Caller, None] = {}
        self._held_bytes = 0
        # Who holds more than that, and since when, in their order.
        self._large: dict[Caller, float] = {}
        # Until when an answer has to be taken.
        self._takers: dict[Caller, float] = {}
        self._untaken_bytes = 0
        # Who has begun with TLS and is not through, in their order.
        self._handshakes: dict[Caller, None] = {}
        # From whom nothing is read: their end is not told.
        self._unread: set[Caller] = set()
        self.outbox = Outbox()
        self.run_queue = RunQueue()
        # The process stops: who comes now is told so at once.
        self.are_closing = False

    def opened(self, caller: Caller) -> None:
        """One more; somebody may have to go for it."""
        self._open += 1
        metrics.CONNECTIONS.inc()
        if self._open > self._limit:
            longest = next(iter(self._refused), None) or next(iter(self._waits), None)
            if longest is None:
                self._cut("connections")
                caller.refuse(503, "Too many connections are in use; try again later.")
                return
            self._cut_off(longest)
        if caller.state is State.HANDSHAKE:
            self._handshakes[caller] = None
            if len(self._handshakes) > HANDSHAKES_LIMIT:
                self._cut_off(next(iter(self._handshakes)))
        self.entered(caller)

    def closed(self, caller: Caller) -> None:
        """It has ended, whoever ended it."""
        self._open -= 1
        metrics.CONNECTIONS.dec()
        self._unread.discard(caller)
        self._forget(caller)

    def entered(self, caller: Caller) -> None:
        """It is in another state: from now on it is waited for, or not."""
        self._waits.pop(caller, None)
        if caller.state is not State.ANSWERING:  # then it is the caller who waits
            self._waits[caller] = time.monotonic() + self._seconds_in(caller.state)
        elif caller in self._large:
            # What took its time to arrive is no long poll.
            self._large[caller] = time.monotonic()

    def refused(self, caller: Caller) -> None:
        """Its answer was a refusal."""
        self._refused[caller] = None

    def begun(self, caller: Caller) -> None:
        """Its request is being answered from now on."""
        self._refused.pop(caller, None)

    def holds(self, caller: Caller, more_bytes: int) -> None:
        """It takes so much more memory, until it lets go of that."""
        caller.held_bytes += more_bytes
        if caller in self._large:
            self._held_bytes += more_bytes
        elif caller.held_bytes > self._share_bytes:
            self._held_bytes += caller.held_bytes
            self._large[caller] = time.monotonic()
        while self._held_bytes > self._memory_bytes:
            if caller.drop_behind():  # it sends that again
                continue
            # Whoever is being answered stays, but for a long poll that came with a large body.
            long_ago = time.monotonic() - ANSWER_SECONDS
            could_go = (
                one
                for one, since in self._large.items()
                if _is_sending(one)
                or since < long_ago
                or (one is caller and one.state is not State.ANSWERING)
            )
            longest = next(could_go, None)
            if longest is None:
                return
            self._forget(longest)
            self._cut("memory")
            longest.refuse(503, "Too much data is being sent at once; try again later.")

    def lets_go(self, caller: Caller, less_bytes: int) -> None:
        """It takes so much less again."""
        caller.held_bytes -= less_bytes
        if caller in self._large:
            self._held_bytes -= less_bytes
            if caller.held_bytes <= self._share_bytes:
                self._held_bytes -= caller.held_bytes
                del self._large[caller]

    def is_full(self, caller: Caller) -> None:
        """Its answer does not leave at once."""
        self._takers[caller] = time.monotonic() + self._transfer_seconds
        self._untaken_bytes += caller.untaken_bytes
        if self._untaken_bytes > self._memory_bytes:
            self._count_untaken()
        # A single answer may be larger than all should be, and is given its time.
        while self._untaken_bytes > self._memory_bytes and len(self._takers) > 1:
            longest = next(iter(self._takers))
            self._untaken_bytes -= longest.untaken_bytes
            self._forget(longest)
            self._cut("memory")
            longest.abort()

    def is_empty(self, caller: Caller) -> None:
        """Its answer has left."""
        self._takers.pop(caller, None)
        self.entered(caller)

    def is_read(self, caller: Caller, *, is_read: bool) -> None:
        """What it sends is read from now on, or is not."""
        if is_read:
            self._unread.discard(caller)
        else:
            self._unread.add(caller)

    def enforce(self) -> None:
        """Let go whoever was waited for long enough. To be called about every second."""
        now = time.monotonic()
        self._count_untaken()
        for caller in list(self._unread):
            caller.look()
        for caller in [one for one, until in self._takers.items() if until <= now]:
            self._forget(caller)
            self._cut("time")
            caller.abort()
        for caller in [one for one, until in self._waits.items() if until <= now]:
            if caller in self._takers:
                continue
            self._forget(caller)
            if _is_sending(caller):
                self._cut("time")
                caller.refuse(408, "The request did not arrive in time.")
            else:
                caller.abort()

    def _count_untaken(self) -> None:
        self._untaken_bytes = sum(one.untaken_bytes for one in self._takers)

    def _seconds_in(self, state: State) -> float:
        """How long a caller is waited for."""
        if state is State.HEAD or state is State.BODY:
            return self._transfer_seconds
        return LINGER_SECONDS if state is State.LINGERING else self._idle_seconds

    def _cut_off(self, caller: Caller) -> None:
        self._forget(caller)
        self._cut("connections")
        caller.abort()

    def _forget(self, caller: Caller) -> None:
        self._handshakes.pop(caller, None)
        self._waits.pop(caller, None)
        self._refused.pop(caller, None)
        self._takers.pop(caller, None)
        if self._large.pop(caller, None) is not None:
            self._held_bytes -= caller.held_bytes

    @staticmethod
    def _cut(reason: str) -> None:
        metrics.CONNECTIONS_CUT.labels(reason).inc()


def _is_sending(caller: Caller) -> bool:
    return caller.state is State.HEAD or caller.state is State.BODY
