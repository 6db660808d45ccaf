"""What is answered on a connection, until it has left."""

import asyncio
import socket
from socket import IPPROTO_TCP, TCP_NOTSENT_LOWAT
from typing import Final, Protocol

import structlog

from app.http.answer import Part
from app.http.exchange import Exchange

# Beyond this a copy costs more than a second system call.
JOINED_BYTES: Final = 65_536
# What the system holds besides what is on its way.
UNSENT_BYTES: Final = 65_536
# Linux', whose first byte is the connection's state.
TCP_INFO: Final[int | None] = getattr(socket, "TCP_INFO", None)
ESTABLISHED: Final = 1

log = structlog.get_logger(__name__)


class Outbox:
    """A process's. What is answered in one turn of the event loop leaves at its end, together: so
    the next calls come together too, and share a transaction. (Each at once, batches were a tenth
    smaller.)"""

    def __init__(self) -> None:
        self._waiting: list[Outgoing] = []

    def put(self, outgoing: "Outgoing") -> None:
        """It has something to send."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append(outgoing)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for outgoing in waiting:
            try:
                outgoing.send()
            except Exception:  # a bug; nobody else's answer stays here because of it
                log.exception("answer_not_sent")
                outgoing.abort()


class Sender(Protocol):
    """Whose it is."""

    def is_full(self) -> None:
        """Something does not leave at once."""

    def is_empty(self) -> None:
        """It has left after all."""

    def has_left(self) -> None:
        """All that there was."""


class Outgoing:
    """Of one connection. `beneath` is what carries the transport, where that is TLS."""

    __slots__ = ("_beneath", "_leaving", "_outbox", "_sender", "_transport", "_unsent", "is_full")

    def __init__(
        self,
        sender: Sender,
        outbox: Outbox,
        transport: asyncio.Transport,
        beneath: asyncio.Transport | None,
    ) -> None:
        self._sender = sender
        self._outbox = outbox
        self._transport = transport
        self._beneath = beneath
        self._unsent: list[Part] = []
        # Whose answer it is.
        self._leaving: Exchange | None = None
        self.is_full = False
        # Else the system would take some megabytes, whether the other side does or not.
        connection = (beneath or transport).get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    @property
    def is_cut_off(self) -> bool:
        """Whether the other side has ended the connection, though nobody has read so far. The
        system knows, where it can be asked."""
        connection = (self._beneath or self._transport).get_extra_info("socket")
        if TCP_INFO is None or connection is None:
            return False
        state = connection.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0]
        return bool(state != ESTABLISHED)

    def watch(self) -> None:
        """Have the sender told of whatever does not leave at once. What waits already, a part of
        TLS's handshake, is told of in this call."""
        self._transport.set_write_buffer_limits(high=0)
        if self._beneath is not None:
            self._beneath.set_write_buffer_limits(high=0)

    @property
    def is_over(self) -> bool:
        """Whether all has left."""
        return not self._unsent and not self.is_full

    @property
    def size(self) -> int:
        """In bytes, what has not."""
        beneath = 0 if self._beneath is None else self._beneath.get_write_buffer_size()
        return self._transport.get_write_buffer_size() + beneath

    def put(self, exchange: Exchange | None, head: bytes, body: Part = b"") -> None:
        """Send both as one; `exchange` is told what becomes of it."""
        if exchange is not None:
            self._leaving = exchange
        if not self._unsent:
            self._outbox.put(self)
        self._unsent.append(head)
        if body:
            self._unsent.append(body)

    def send(self) -> None:
        """All that was put."""
        parts, self._unsent = self._unsent, []
        transport = self._transport
        if transport.is_closing():
            return
        if len(parts[-1]) > JOINED_BYTES:
            transport.writelines(parts)
        else:
            transport.write(b"".join(parts))
        if not self.is_full and not transport.is_closing():
            self._has_left()

    def abort(self) -> None:
        """End the connection."""
        self._transport.abort()

    def look(self) -> None:
        """Whether something does not leave, after the transport has told of a change: over TLS it
        may tell the one in place of the other."""
        # Of TLS itself a ticket for the next time may wait, until something is sent.
        is_full = (self._beneath or self._transport).get_write_buffer_size() > 0
        if is_full is self.is_full:
            return
        self.is_full = is_full
        if is_full:
            self._sender.is_full()
        else:
            self._sender.is_empty()
            if not self._unsent:
                self._has_left()

    def lose(self) -> None:
        """Nothing leaves any more."""
        if self._leaving is not None:
            self._leaving.left(is_taken=False)
            self._leaving = None

    def _has_left(self) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.left(is_taken=True)
        self._sender.has_left()
