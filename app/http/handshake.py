"""The beginning of a connection over TLS: counted and timed from its first moment on, as every
other one is."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, Generic, TypeVar, cast

from uvicorn.server import ServerState

from app.http.connections import LINGER_SECONDS, Connections
from app.http.exchange import State

# `Connections` keeps the time, and less of it.
NO_LIMIT_SECONDS: Final = 86_400.0

Result = TypeVar("Result")


class Handshake(asyncio.Protocol):
    """Until both sides have agreed; then the connection is that of the protocol which `over`
    makes for what lies beneath."""

    __slots__ = ("_bounds", "_context", "_over", "_process", "_transport", "held_bytes", "state")

    def __init__(
        self,
        context: ssl.SSLContext,
        process: ServerState,
        connections: Connections,
        over: Callable[[asyncio.Transport], asyncio.Protocol],
    ) -> None:
        self._context = context
        self._process = process
        self._bounds = connections
        self._over = over
        self._transport: asyncio.Transport
        self.held_bytes = 0
        self.state = State.HANDSHAKE

    @property
    def untaken_bytes(self) -> int:
        return 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._process.connections.add(cast("Any", self))
        self._bounds.opened(self)
        if self._bounds.are_closing:
            self.abort()
        if self._transport.is_closing():
            self._is_over()
            return
        loop = asyncio.get_running_loop()
        encrypting = loop.start_tls(
            self._transport,
            self,
            self._context,
            server_side=True,
            ssl_handshake_timeout=NO_LIMIT_SECONDS,
            ssl_shutdown_timeout=LINGER_SECONDS,
        )
        # What is read from this moment on is for TLS.
        task = loop.create_task(self._go_on(_Begun(encrypting)))
        self._process.tasks.add(task)
        task.add_done_callback(self._process.tasks.discard)

    def refuse(self, _status: int, _detail: str) -> None:
        self.abort()  # there is no way yet to say it

    def abort(self) -> None:
        self._transport.abort()

    def drop_behind(self) -> bool:
        return False

    def look(self) -> None:
        pass  # it is always read from

    def shutdown(self) -> None:
        self.abort()

    async def _go_on(self, encrypting: "_Begun[asyncio.Transport | None]") -> None:
        try:
            transport = await encrypting
        except OSError:
            return  # the caller has left, or speaks something else
        finally:
            self._is_over()
        if transport is not None and not transport.is_closing():
            protocol = self._over(self._transport)
            transport.set_protocol(protocol)
            protocol.connection_made(transport)

    def _is_over(self) -> None:
        self._process.connections.discard(cast("Any", self))
        self._bounds.closed(self)


class _Begun(Generic[Result]):
    """A coroutine whose first step is done: a task's would be one of the event loop's next turn,
    and others in between."""

    def __init__(self, coroutine: Coroutine[Any, Any, Result]) -> None:
        self._coroutine = coroutine
        self._waits_for = coroutine.send(None)

    def __await__(self) -> Generator[Any, Any, Result]:
        try:
            yield self._waits_for
        except BaseException as error:
            self._coroutine.throw(error)
            raise
        return (yield from self._coroutine.__await__())
