"""What is no HTTP never becomes a call; it is answered as other faults are all the same."""

import asyncio
from http import HTTPStatus

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.api.schemas import Problem
from app.connections import Connections
from app.protocol import Protocol
from app.settings import Settings
from tests.calls import PROBLEM


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"GET /tasks HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
        b"GET /tasks HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
        b"POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_answered_with_a_problem(request_bytes: bytes) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("there is no call")

    config = uvicorn.Config(application, lifespan="off", log_config=None)
    connections = Connections(Settings(database_url="mysql://u@h/d"), limit=1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Protocol(config, ServerState(), {}, _loop=loop, connections=connections),
        "127.0.0.1",
        0,
    )
    async with server, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request_bytes)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()

    status, *headers = head.decode().lower().split("\r\n")
    assert status == "http/1.1 400 bad request"
    assert {f"content-type: {PROBLEM}", "connection: close"} <= {*headers}
    assert f"content-length: {len(body)}" in headers
    assert Problem.model_validate_json(body).status == HTTPStatus.BAD_REQUEST
