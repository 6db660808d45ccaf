"""A caller that hangs up is gone from that moment on, not from the next turn of the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import Request
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.api.services import hang_up_of
from app.connections import Connections
from app.protocol import Protocol
from app.settings import Settings

REQUEST = b"POST /leases HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"


def is_gone_now(request: Request) -> bool:
    """The answer, which may not take a turn of the event loop."""
    asking = hang_up_of(request)().__await__()
    with pytest.raises(StopIteration) as answer:
        next(asking)
    return bool(answer.value.value)


@asynccontextmanager
async def a_request_at(
    protocol: Callable[..., asyncio.Protocol],
) -> AsyncIterator[tuple[Request, asyncio.StreamWriter]]:
    """A request whose body was read, under way on a real connection."""
    arrived: asyncio.Queue[Request] = asyncio.Queue()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        await request.body()
        arrived.put_nowait(request)
        await asyncio.Event().wait()

    config = uvicorn.Config(application, lifespan="off", log_config=None)
    state = ServerState()
    connections = Connections(Settings(database_url="mysql://nobody@localhost/none"), limit=16)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config, state, {}, _loop=loop, connections=connections), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(20):
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(REQUEST)
        yield await arrived.get(), writer
        writer.close()
        for task in state.tasks:
            task.cancel()


async def test_a_caller_that_waits_for_the_answer_is_there() -> None:
    async with a_request_at(Protocol) as (request, _):
        assert not is_gone_now(request)
        assert not is_gone_now(request)


@pytest.mark.parametrize("hang_up", [asyncio.StreamWriter.write_eof, asyncio.StreamWriter.close])
async def test_a_caller_that_hangs_up_is_gone_in_that_moment(
    hang_up: Callable[[asyncio.StreamWriter], None],
) -> None:
    asked: asyncio.Queue[bool] = asyncio.Queue()
    requests: list[Request] = []

    class Watched(Protocol):
        def eof_received(self) -> None:
            super().eof_received()
            asked.put_nowait(is_gone_now(requests[0]))

    async with a_request_at(Watched) as (request, writer):
        requests.append(request)
        hang_up(writer)
        assert await asked.get()
