"""A connection of ours with an application of the test's behind it, on real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from app.http.connections import Connections
from app.http.exchange import EXCHANGE, Exchange
from app.http.protocol import Protocol
from app.settings import Settings

LONG: Final = 20.0
Served = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Served]]


def settings(**changed: Any) -> Settings:
    """That bound a connection; nothing is stored anywhere."""
    return Settings(database_url="mysql://nobody@localhost/none", **changed)


class Watched(Protocol):
    """Tells when it is connected, and what happens to it."""

    made: "asyncio.Queue[Watched]"
    lost: "asyncio.Event"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.made.put_nowait(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


class Process:
    """What serves, as far as a connection knows it."""

    def __init__(self, application: ASGIApp, bounds: Settings, *, limit: int) -> None:
        self.application = application
        self.state = ServerState()
        self.connections = Connections(bounds, limit=limit)
        self.made: asyncio.Queue[Watched] = asyncio.Queue()
        self.last: Watched

    def protocol(self) -> Protocol:
        """For one more connection."""
        protocol = Watched(self.application, self.state, self.connections)
        protocol.made, protocol.lost = self.made, asyncio.Event()
        return protocol


@asynccontextmanager
async def process(
    application: ASGIApp, *, limit: int = 16, **changed: Any
) -> AsyncIterator[tuple[Process, Connect]]:
    """It serves; whoever connects is let go at the end."""
    serving = Process(application, settings(**changed), limit=limit)
    server = await asyncio.get_running_loop().create_server(serving.protocol, "127.0.0.1", 0)
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Served:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writers.append(writer)
        serving.last = await serving.made.get()
        return reader, writer

    async with server, asyncio.timeout(LONG):
        try:
            yield serving, connect
        finally:
            for writer in writers:
                writer.close()
            for task in serving.state.tasks:
                task.cancel()


async def answers_to(application: ASGIApp, sent: bytes, **changed: Any) -> bytes:
    """All that comes back for these bytes, to its end; the caller says nothing more."""
    async with process(application, **changed) as (_, connect):
        reader, writer = await connect()
        writer.write(sent)
        return await reader.read()


async def tells(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was asked, once it has read all of it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    said = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
        "body": body.decode("latin-1"),
    }
    await answer(send, json.dumps(said).encode())


async def answer(send: Send, body: bytes, status: int = 200) -> None:
    """Send it."""
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def exchange_in(scope: Scope) -> Exchange:
    found: Exchange = scope[EXCHANGE]
    return found


async def is_taken(exchange: Exchange) -> bool:
    """Whether what was answered has left; once that is known."""
    while exchange.is_taken is None:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    return exchange.is_taken


def split(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers in it, each with a Content-Length."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", "0"))
        found.append((int(line.split(" ")[1]), headers, rest[:length]))
        received = rest[length:]
    return found


def told(received: bytes) -> list[dict[str, Any]]:
    """What `tells` has answered, one after the other."""
    return [json.loads(body) for status, _, body in split(received) if status == 200]
