"""A way to a server that can be shut, opened again, or let nothing through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.local.ports import free_port


class Gate:
    """Passes bytes on to `host:port` from a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._lets_through = asyncio.Event()
        self._lets_through.set()

    async def open(self) -> None:
        """Whoever comes is let through, as by a server that has just been started."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Nobody listens any more, and who was connected is cut off: the server was killed."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def hang(self) -> None:
        """Connections stay, and nothing comes back over them: the server hangs."""
        self._lets_through.clear()

    def go_on(self) -> None:
        """What was kept back comes through."""
        self._lets_through.set()

    def forget(self) -> None:
        """A firewall has dropped the connections that there are, and tells nobody; new ones are
        let through."""
        self._lets_through.clear()
        self._lets_through = asyncio.Event()
        self._lets_through.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, target_writer}
        let_through = self._lets_through
        await asyncio.gather(
            self._pass(reader, target_writer, let_through),
            self._pass(target_reader, writer, let_through),
        )
        self._writers -= {writer, target_writer}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, let_through: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65_536):
                await let_through.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def gate_to(host: str, port: int) -> AsyncIterator[Gate]:
    """A gate that is open."""
    gate = Gate(host, port)
    await gate.open()
    try:
        yield gate
    finally:
        gate.go_on()
        await gate.shut()
