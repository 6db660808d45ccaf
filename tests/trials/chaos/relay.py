"""A link to a server, which can be disturbed as networks are."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import uvloop

from app.local.ports import free_port

CHUNK_BYTES: Final = 65_536
WAIT_SECONDS: Final = 10.0


class _Link:
    """One connection through the relay. One that has lost bytes passes nothing ever again."""

    def __init__(self) -> None:
        self.is_broken = False
        self.writers: list[asyncio.StreamWriter] = []

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Relay:
    """Passes everything on between its own port and another one of this machine, until it is told
    otherwise. It runs in a thread of its own; all may be called from another one."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"relay-{self.port}")
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._is_silent = False
        self._delay_seconds = 0.0
        self._awaited = b""
        self._act: Callable[[], object] = lambda: None

    def start(self) -> None:
        """It listens, and passes everything on."""
        self._thread.start()
        self._wait_for(self._listen())

    def close(self) -> None:
        """All connections through it end."""
        self._wait_for(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def silence(self) -> None:
        """What is sent is taken and lost, and no end is told: a host has vanished, or a firewall
        drops what it sees."""
        self._is_silent = True

    def slow(self, seconds: float) -> None:
        """Whatever is sent arrives so much later."""
        self._delay_seconds = seconds

    def refuse(self) -> None:
        """Nobody listens any longer; what is open ends at once."""
        self._wait_for(self._refuse())

    def cut(self) -> None:
        """What is open ends at once."""
        self._loop.call_soon_threadsafe(self._abort)

    def heal(self) -> None:
        """It passes everything on again, on connections that have lost nothing, and on new ones."""
        self._is_silent = False
        self._delay_seconds = 0.0
        self._wait_for(self._listen())

    def on_sight(self, words: bytes, act: Callable[[], object]) -> threading.Event:
        """Once, as soon as a caller sends these words: they are passed on, and before any answer
        is, `act` is called. Set when that has happened."""
        seen = threading.Event()

        def once() -> None:
            self._awaited = b""
            act()
            seen.set()

        self._act = once
        self._awaited = words
        return seen

    def forget(self) -> None:
        """Nothing is waited for any longer."""
        self._awaited = b""

    def _wait_for(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(WAIT_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._abort()

    async def _end(self) -> None:
        await self._refuse()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        await asyncio.wait(tasks, timeout=1) if tasks else None

    def _abort(self) -> None:
        for link in self._links:
            link.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link()
        link.writers.append(writer)
        link.is_broken = self._is_silent
        self._links.add(link)
        try:
            if link.is_broken:
                await _lose(reader)
                return
            there, to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
            link.writers.append(to_server)
            await asyncio.gather(
                self._carry(link, reader, to_server, is_call=True),
                self._carry(link, there, writer, is_call=False),
            )
        except OSError:
            pass  # the server is not there: its caller finds that out
        finally:
            self._links.discard(link)
            link.abort()

    async def _carry(
        self,
        link: _Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_call: bool,
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                if self._is_silent:
                    link.is_broken = True
                if not link.is_broken:
                    writer.write(data)
                    if is_call and self._awaited and self._awaited in data:
                        self._act()
                    await writer.drain()
        if self._is_silent:
            link.is_broken = True
        if not link.is_broken:
            writer.close()


async def _lose(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(CHUNK_BYTES):
            pass
