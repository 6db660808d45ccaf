"""One connection: HTTP/1.1 as uvicorn speaks it, bounded in whatever a caller may send."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.api.problems import problem
from app.connections import Connections
from app.light_event import LightEvent

HEAD_LIMIT_BYTES: Final = 65_536
HEADERS_LIMIT: Final = 100
PART_BYTES: Final = 65_536
# Requests that stand behind the one that is being answered, and about what each takes.
PIPELINE_LIMIT: Final = 16
QUEUED_BYTES: Final = 4096
# Beyond this a copy costs more than a second system call.
JOINED_BYTES: Final = 65_536


class OneWrite:
    """A transport for uvicorn, which writes an answer's head and body one after the other: a
    system call each, and half of what sending costs. Here they go out together."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        close: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._close = close
        self._parts: list[bytes] = []
        self._is_closing = False

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def close(self) -> None:
        self._is_closing = True
        self.flush()
        if not self._transport.is_closing():
            self._close()

    def is_closing(self) -> bool:
        return self._is_closing or self._transport.is_closing()

    def flush(self) -> None:
        if self._parts and not self._transport.is_closing():
            if len(self._parts[-1]) > JOINED_BYTES:
                self._transport.writelines(self._parts)
            else:
                self._transport.write(b"".join(self._parts))
        self._parts = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Flow(FlowControl):
    """uvicorn's, lighter: every connection has one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False
        self._is_writable_event = LightEvent()  # type: ignore[assignment]
        self._is_writable_event.set()

    def resume_reading(self) -> None:
        # Nobody is answered again who has not taken the answer before.
        if not self.write_paused:
            super().resume_reading()


class Pipeline(list[Any]):
    """In place of uvicorn's deque, which takes 700 bytes when it is empty, as it nearly always
    is."""

    __slots__ = ()

    def appendleft(self, item: Any) -> None:
        self.insert(0, item)


class TooMuchError(Exception):
    """Nothing more is read from this connection."""


class Protocol(HttpToolsProtocol):
    """Takes a caller that sends no more for one that has hung up, at once, and tells
    `Connections` what it is about."""

    # Beyond thirty attributes an object's dictionary is no longer shared, and takes a kilobyte.
    __slots__ = (
        *("_bounds", "_head_bytes", "_is_arriving", "_is_deaf", "_is_in_head", "_keeps_alive"),
        *("_running", "_socket", "held_bytes"),
    )

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pipeline = Pipeline()  # type: ignore[assignment]
        self._bounds = connections
        self._socket: asyncio.Transport
        self._running: RequestResponseCycle | None = None
        self._is_arriving = False
        self._is_in_head = False
        self._is_deaf = False
        self._head_bytes = 0
        self._keeps_alive = False
        self.held_bytes = 0

    @property
    def is_sending(self) -> bool:
        return (self._is_arriving or bool(self.pipeline)) and not self._is_deaf

    @property
    def untaken_bytes(self) -> int:
        return self._socket.get_write_buffer_size()

    def connection_made(self, transport: Any) -> None:
        # To be told of anything that does not leave at once. (At 0, TLS would always be full.)
        transport.set_write_buffer_limits(high=1)
        self._socket = transport
        super().connection_made(OneWrite(transport, self.loop, self._close))  # type: ignore[arg-type]
        self.flow = Flow(self.transport)
        self._bounds.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._bounds.closed(self)
        self._hang_up()
        super().connection_lost(exc)
        # All that refers to this one, which else stays until somebody looks for garbage.
        self.transport = self.flow = self.cycle = self._running = None  # type: ignore[assignment]

    def eof_received(self) -> None:
        # uvicorn does so a turn of the event loop later. An answer written in between goes
        # nowhere, and the work that it hands out would stay out until its leases are lost.
        self._hang_up()

    def data_received(self, data: bytes) -> None:
        # In parts, so that a head is not taken for longer than it may be.
        for begin in range(0, len(data), PART_BYTES):
            if self._is_deaf:
                return
            self._receive(data if len(data) <= PART_BYTES else data[begin : begin + PART_BYTES])

    def _receive(self, data: bytes) -> None:
        was_arriving, was_in_head = self._is_arriving, self._is_in_head
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            # No other protocol is spoken here; what follows may be in one.
            self._read_no_more()
            return
        except HttpParserError:
            if not self._is_deaf:
                self.refuse(400, "This is no HTTP request.")
            return
        if self._is_arriving and not was_arriving:
            self._bounds.began(self)
        if self._is_in_head and was_in_head:
            self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT_BYTES or len(self.headers or ()) > HEADERS_LIMIT:
            most = f"{HEADERS_LIMIT} headers and {HEAD_LIMIT_BYTES:,} bytes"
            self.refuse(431, f"The head of a request may have {most}.")
            return
        self._bounds.holds(self, len(data) + QUEUED_BYTES * len(self.pipeline))

    def on_message_begin(self) -> None:
        if len(self.pipeline) == PIPELINE_LIMIT:
            # The last answer says so, and the caller sends the others again.
            self._read_no_more()
            raise TooMuchError
        super().on_message_begin()
        self._is_arriving = self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._is_in_head = False
        self.cycle.message_event = LightEvent()  # type: ignore[assignment]
        # Whoever is answered before it has sent all is not listened to any longer.
        self._keeps_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_arriving = False
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive
        if not self.cycle.response_complete:
            self._bounds.asked(self)

    def on_response_complete(self) -> None:
        # Without uvicorn's timer for each answer: `Connections` looks once a second.
        self.server_state.total_requests += 1
        if self.pipeline and not self.transport.is_closing():
            self.transport.flush()  # type: ignore[attr-defined]
            self._go_on()
            return
        self.flow.resume_reading()
        if not self._is_deaf:
            self._bounds.answered(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.flow.pause_reading()
        self._bounds.is_full(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._bounds.is_empty(self)
        self._go_on()

    def refuse(self, status: int, detail: str) -> None:
        """End the connection; with this answer, if it waits for none but this."""
        is_free = self._is_free()
        self._is_deaf = True
        self._hang_up()
        if not is_free:
            self.abort()
            return
        headers = {"Connection": "close"}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "1"
        answer = problem(status, HTTPStatus(status).phrase, detail, headers=headers)
        self.transport.write(_bytes_of(answer))
        self.transport.close()

    def abort(self) -> None:
        self._is_deaf = True
        self._socket.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _go_on(self) -> None:
        """With the next request that is there, once the answer before it has left."""
        if self.flow.write_paused:
            return
        self.flow.resume_reading()
        if self.pipeline and (self._running is None or self._running.response_complete):
            self._start_asgi_task(*self.pipeline.pop())

    def _is_free(self) -> bool:
        """Whether an answer written now would be the answer to what has arrived last."""
        if self._is_deaf or self.pipeline or self.untaken_bytes or self.transport.is_closing():
            return False
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return not self._is_in_head and not cycle.response_started

    def _hang_up(self) -> None:
        """Whoever waits for an answer here is gone."""
        queued = (cycle for cycle, _ in self.pipeline)
        for cycle in (self._running, self.cycle, *queued):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def _read_no_more(self) -> None:
        """The last request that is there will have the last answer."""
        self._is_deaf = True
        self.cycle.keep_alive = False

    def _close(self) -> None:
        if not self._is_arriving and not self._is_deaf:
            self._socket.close()
            return
        # To close on somebody who still sends would take the answer from them.
        self._is_deaf = True
        self.cycle = self._running = self.scope = None  # type: ignore[assignment]
        self.headers = []
        if self._socket.can_write_eof():
            self._socket.write_eof()
        self.flow.resume_reading()
        self._bounds.lingers(self)


def _bytes_of(answer: Response) -> bytes:
    headers = b"".join(b"%b: %b\r\n" % header for header in answer.raw_headers)
    return STATUS_LINE[answer.status_code] + headers + b"\r\n" + bytes(answer.body)
