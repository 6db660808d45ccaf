"""One connection: HTTP/1.1 with httptools as its parser, bounded in whatever a caller may send.

What it is about is one `State`: how far the request is that comes first on it. `Connections` is
told of each change, and keeps the time. Requests behind the first are read as far as they came with
it, and wait for their turn.
"""

import asyncio
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, cast

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from app.http.answer import Answer, Part
from app.http.connections import Connections
from app.http.exchange import Exchange, State
from app.http.framing import RefusedError
from app.http.outgoing import Outgoing
from app.http.problems import problem
from app.http.request_parser import NoMoreError, RequestParser

PART_BYTES: Final = 65_536
# Of a body that the application has not read.
UNREAD_BYTES: Final = 65_536
# Requests that stand behind the one that is being answered, and about what each takes.
PIPELINE_LIMIT: Final = 16
QUEUED_BYTES: Final = 4096
# A token that is not known, or no room: who asks again at once is no reason to keep others out.
REFUSALS: Final = (401, 429, 503)


class Protocol(asyncio.Protocol):
    """One caller's. It takes one that sends no more for one that has hung up, at once.

    `beneath` is what carries the connection, where that is TLS.
    """

    __slots__ = (
        *("_application", "_beneath", "_bounds", "_exchanges", "_is_ahead", "_is_deaf", "_is_done"),
        *("_is_paused", "_is_refused", "_is_stopping", "_outgoing", "_parser", "_process"),
        *("_transport", "client", "held_bytes", "scheme", "server", "state"),
    )

    def __init__(
        self,
        application: ASGIApp,
        process: ServerState,
        connections: Connections,
        beneath: asyncio.Transport | None = None,
    ) -> None:
        self._application = application
        self._process = process
        self._bounds = connections
        self._beneath = beneath
        self._parser = RequestParser(self)
        self.state = State.IDLE
        # The first is answered, as soon as its head is there; the last may still arrive.
        self._exchanges: list[Exchange] = []
        self._outgoing: Outgoing
        self._is_paused = False
        # Nothing more is read; after the request that arrives; and the caller has said so.
        self._is_deaf = self._is_stopping = self._is_done = False
        # What was answered last is a refusal, and has not left.
        self._is_refused = False
        # More is sent than is read.
        self._is_ahead = False
        self.held_bytes = 0

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _shared(_address(transport.get_extra_info("sockname")))
        self.scheme = "http" if self._beneath is None else "https"
        self._outgoing = Outgoing(self, self._bounds.outbox, self._transport, self._beneath)
        self._process.connections.add(cast("Any", self))
        self._bounds.opened(self)
        self._outgoing.watch()
        if self._bounds.are_closing:
            self.shutdown()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.state = State.CLOSED
        self._process.connections.discard(cast("Any", self))
        self._bounds.closed(self)
        self._hang_up()
        self._outgoing.lose()
        self._parser.close()

    def eof_received(self) -> None:
        # At once: an answer that is written in a later turn of the event loop goes nowhere.
        self._is_deaf = True
        self._hang_up()

    def data_received(self, data: bytes) -> None:
        # In parts, so that a head is not taken for longer than it may be.
        for begin in range(0, len(data), PART_BYTES):
            if self._is_deaf:
                self._is_ahead = True
                break
            self._receive(data if len(data) <= PART_BYTES else data[begin : begin + PART_BYTES])
        self._settle()

    def pause_writing(self) -> None:
        if self.state is not State.CLOSED:
            self._outgoing.look()

    resume_writing = pause_writing

    # What the parser tells.

    def begins(self) -> Exchange:
        # The last answer says so, and the caller sends the others again.
        self._is_deaf = self._is_deaf or len(self._exchanges) > PIPELINE_LIMIT
        if self._is_deaf:
            raise NoMoreError
        self._exchanges.append(Exchange(self))
        return self._exchanges[-1]

    def has_head(self) -> None:
        self._begin()

    def is_whole(self, exchange: Exchange) -> None:
        self._is_done = exchange.is_last
        self._is_deaf = self._is_done or self._is_stopping

    # What an exchange tells.

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._process.default_headers

    def is_last(self, exchange: Exchange) -> bool:
        # Whoever is answered before all was sent is not listened to any longer.
        is_cut = exchange.state is not State.ANSWERING
        return is_cut or (self._is_deaf and exchange is self._exchanges[-1])

    def has_read(self) -> None:
        if self._is_paused:
            self._steer()

    def keeps(self, exchange: Exchange, kept_bytes: int) -> None:
        self._bounds.lets_go(self, exchange.held_bytes - kept_bytes)
        exchange.held_bytes = kept_bytes

    def ask_for_body(self) -> None:
        self._outgoing.put(None, b"HTTP/1.1 100 Continue\r\n\r\n")

    def write(self, exchange: Exchange, head: bytes, body: Part = b"") -> None:
        self._outgoing.put(exchange, head, body)

    def has_answered(self, exchange: Exchange) -> None:
        self._exchanges.remove(exchange)
        self.keeps(exchange, 0)
        self._is_deaf = self._is_deaf or exchange.is_last
        self._is_refused = exchange.status in REFUSALS

    def has_failed(self) -> None:
        self.refuse(500, "An unexpected error occurred; it was logged.")

    # What the outgoing tells.

    def is_full(self) -> None:
        # Nobody is answered again who has not taken the answer before.
        self._steer()
        self._bounds.is_full(self)

    def is_empty(self) -> None:
        self._bounds.is_empty(self)

    def has_left(self) -> None:
        if self._is_refused:  # not before: the answer is to arrive
            self._is_refused = False
            self._bounds.refused(self)
        if self._exchanges:
            self._begin()
        elif self._is_deaf and self._outgoing.is_over:
            self._part()
        self._settle()

    # What the process tells.

    @property
    def untaken_bytes(self) -> int:
        """What was answered and has not left yet."""
        return self._outgoing.size

    def refuse(self, status: int, detail: str) -> None:
        """End the connection; with this answer, if none has begun."""
        has_begun = any(exchange.has_begun_answer for exchange in self._exchanges)
        method = self._exchanges[0].method if self._exchanges else ""
        self._is_deaf = True
        self._hang_up()
        if has_begun or self._outgoing.is_full or self.state is State.LINGERING:
            self.abort()
        else:
            self._outgoing.put(None, _refusal(status, detail, method=method))

    def drop_behind(self) -> bool:
        """Read nothing behind the request that is answered; whether there was anything."""
        behind = self._exchanges[1:]
        for exchange in behind:
            exchange.hang_up()
            self.keeps(exchange, 0)
            self._exchanges.remove(exchange)
        self._is_deaf = self._is_deaf or bool(behind)
        return bool(behind)

    def look(self) -> None:
        """See whether the caller has hung up, while nothing is read from it."""
        if self._exchanges and self._outgoing.is_cut_off:
            self.eof_received()
            self._transport.close()  # as the transport does by itself after that
        elif self._is_deaf and self._is_paused:
            # What it sends is thrown away, some of it each time: its end may stand behind that.
            self._is_paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection."""
        self._is_deaf = True
        self._transport.abort()

    def shutdown(self) -> None:
        """The process stops: what is here, and what is arriving, is answered, and no more."""
        self._is_stopping = True
        if not self._exchanges:
            self._is_deaf = self._is_done = True
            self.has_left()
        elif self._exchanges[-1].state is State.ANSWERING:
            self._is_deaf = True

    # How it goes on.

    def _receive(self, data: bytes) -> None:
        behind = max(len(self._exchanges), 1)
        try:
            self._parser.feed(data)
        except NoMoreError:
            pass
        except RefusedError as refusal:
            # What came with the end of the last one is nothing to answer.
            if not self._is_deaf:
                self._refuse_last(refusal)
        if self._exchanges:
            more = len(data) + QUEUED_BYTES * max(len(self._exchanges) - behind, 0)
            self._exchanges[-1].held_bytes += more
            self._bounds.holds(self, more)

    def _refuse_last(self, refusal: RefusedError) -> None:
        """In its turn: those before it are answered as they should be."""
        self._is_deaf = True
        if not self._exchanges or self._exchanges[-1].state is State.ANSWERING:
            self._exchanges.append(Exchange(self))
        self._exchanges[-1].refusal = (refusal.status, refusal.detail)
        self._begin()

    def _begin(self) -> None:
        """With the first request, once the answer before it has left."""
        if not self._exchanges or not self._outgoing.is_over:
            return
        first = self._exchanges[0]
        if first.refusal is not None:
            self.refuse(*first.refusal)
        elif not first.is_begun and first.state is not State.HEAD:
            first.is_begun = True
            self._bounds.run_queue.put(partial(self._run, first))

    def _run(self, exchange: Exchange) -> None:
        if exchange.is_gone:
            return
        self._bounds.begun(self)
        task = asyncio.get_running_loop().create_task(exchange.run(self._application))
        self._process.tasks.add(task)
        task.add_done_callback(self._process.tasks.discard)

    def _settle(self) -> None:
        """Its state, and whether it is read from, after whatever has happened."""
        if self.state is State.LINGERING or self.state is State.CLOSED:
            return
        self._change_to(self._exchanges[0].state if self._exchanges else State.IDLE)
        self._steer()

    def _steer(self) -> None:
        # No more than it has to be: a caller's end is seen only while it is read from.
        is_enough = self._outgoing.is_full or len(self._exchanges) > 1
        if self._exchanges and not is_enough:
            is_enough = self._is_ahead or self._exchanges[0].unread_bytes > UNREAD_BYTES
        if is_enough is self._is_paused:
            return
        self._is_paused = is_enough
        self._bounds.is_read(self, is_read=not is_enough)
        if is_enough:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _change_to(self, state: State) -> None:
        before, self.state = self.state, state
        # The time of a transfer begins with its head.
        if state is not before and not (before is State.HEAD and state is State.BODY):
            self._bounds.entered(self)

    def _part(self) -> None:
        """The last answer has left."""
        if self._transport.is_closing():
            return
        self._change_to(State.LINGERING)
        self._steer()
        if self._is_done or not self._transport.can_write_eof():
            self._transport.close()  # TLS waits for the other side by itself
        else:
            # To close on somebody who still sends would take the answer from them.
            self._transport.write_eof()

    def _hang_up(self) -> None:
        """Whoever waits for an answer here is gone."""
        for exchange in self._exchanges:
            exchange.hang_up()
        self._exchanges.clear()


def _refusal(status: int, detail: str, *, method: str) -> bytes:
    is_for_now = status == HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"Retry-After": "1"} if is_for_now else {}
    shown = problem(status, HTTPStatus(status).phrase, detail, headers=headers)
    answer = Answer(status, shown.raw_headers, method=method, version="1.1", closes=True)
    return answer.head + answer.framed(bytes(shown.body), is_last=True)


def _address(found: Any) -> tuple[str, int] | None:
    return (found[0], found[1]) if isinstance(found, tuple) else None


@lru_cache(maxsize=64)
def _shared(address: tuple[str, int] | None) -> tuple[str, int] | None:
    """The same for all connections, as it is nearly always."""
    return address
