"""What an attacker does on one connection."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LATER = re.compile(rb"HTTP/1\.1 (?:429|503) (?:(?!\r\n\r\n).)*?\r\nretry-after: \d", re.DOTALL)


# What is asked; or made anew each time, after so many calls of all.
Opening = bytes | Callable[[int], bytes]


@dataclass
class Count:
    """What came of an attack, over all its connections."""

    connected: int = 0
    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0
    closed: int = 0


class Peer(asyncio.Protocol):
    """Sends `opening`, then `drip` every second, or `endless` for as long as it is taken.

    Without `reads` it takes no answer; `again` it asks for as long as it is told to whenever it
    is answered; it `leaves` as soon as it has asked, and another one comes."""

    def __init__(
        self,
        count: Count,
        *,
        opening: Opening = b"",
        drip: bytes = b"",
        endless: bytes = b"",
        reads: bool = True,
        again: Callable[[Count], bool] = lambda _: False,
        leaves: bool = False,
    ) -> None:
        self._count = count
        self._leaves = leaves
        self.is_over = False
        self._opening, self._drip, self._endless = opening, drip, endless
        self._reads, self._again = reads, again
        self._transport: asyncio.Transport | None = None
        self._is_full = False
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's is none
        self._count.connected += 1
        if not self._reads:
            # Not before the transport has begun to read.
            asyncio.get_running_loop().call_soon(transport.pause_reading)
        self._ask()
        self._go_on()
        if self._leaves:
            transport.close()

    def data_received(self, data: bytes) -> None:
        data, self._tail = self._tail + data, b""
        last = data.rfind(b"HTTP/1.1 ")
        if last >= 0 and b"\r\n\r\n" not in data[last:]:
            data, self._tail = data[:last], data[last:]
        statuses = _STATUS.findall(data)
        self._count.answers.update(status.decode() for status in statuses)
        later = sum(status in (b"429", b"503") for status in statuses)
        self._count.without_retry_after += later - len(_LATER.findall(data))
        if statuses and self._again(self._count):
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._count.closed += 1
        self._transport = None
        self.is_over = self._leaves

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._go_on()

    def tick(self) -> None:
        """A second has passed."""
        if self._transport is not None and self._drip and not self._is_full:
            self._transport.write(self._drip)

    def _ask(self) -> None:
        assert self._transport is not None
        if self._opening:
            opening = self._opening
            self._transport.write(opening(self._count.asked) if callable(opening) else opening)
            self._count.asked += 1

    def _go_on(self) -> None:
        while self._endless and self._transport is not None and not self._is_full:
            if self._transport.is_closing():
                return
            self._transport.write(self._endless)
