"""A worker that hangs up on its long poll, as the server's socket sees it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rowlock import RunningAttempt, Task, Worker
from tests.support.sdk import A_LEASE

OnPoll = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Speaks just enough HTTP; `on_poll` answers the claims, or does not."""

    def __init__(self, on_poll: OnPoll) -> None:
        self.polled = asyncio.Event()
        self.finished: list[Any] = []
        self._on_poll = on_poll

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                if head.startswith(b"POST /leases "):
                    self.polled.set()
                    await self._on_poll(reader, writer)
                else:
                    self.finished += body["items"]
                    await answer(writer, {"items": [], "leases": []})
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def answer(writer: asyncio.StreamWriter, document: Any) -> None:
    body = json.dumps(document).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


@asynccontextmanager
async def polling(on_poll: OnPoll) -> AsyncIterator[tuple[Server, Worker, asyncio.Task[None]]]:
    """A worker that polls, and for how it ends."""
    server = Server(on_poll)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        worker = Worker(url=f"http://127.0.0.1:{port}", poll_seconds=30)
        worker.handler(handle)
        running = asyncio.create_task(worker.run_async())
        async with asyncio.timeout(20):
            await server.polled.wait()
            yield server, worker, running
            await running


async def handle(task: Task, attempt: RunningAttempt) -> None:
    pytest.fail("it was told to stop")


async def test_leases_that_are_on_their_way_when_it_hangs_up_are_given_back() -> None:
    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Until the worker has said that it sends no more.
        assert await reader.read() == b""
        await answer(writer, [A_LEASE])

    async with polling(answer_late) as (server, worker, _):
        worker.stop()
    assert server.finished == [{"lease_id": A_LEASE["lease_id"], "outcome": "release"}]


async def test_a_server_that_closes_when_hung_up_on_lets_it_end_at_once() -> None:
    async def close(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    async with polling(close) as (server, worker, _):
        worker.stop()
    assert server.finished == []
