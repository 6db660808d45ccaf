"""Listeners that say what a test has them say, to the SDK's two clients."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from rowlock import AsyncClient, Client

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])


class Listener:
    """Keeps what it reads of each connection, heads in lower case."""

    def __init__(self, talk: Talk | None) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self._talk = talk

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.lower())
                if self._talk is None:
                    writer.write(EMPTY)
                else:
                    await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    talk: Talk | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, Listener]]:
    """A listener's port; without `talk` it answers everything with an empty list."""
    listener = Listener(talk)
    server = await asyncio.start_server(listener, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], listener
    finally:
        server.close()
