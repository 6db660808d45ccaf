"""One keep-alive HTTP/1.1 connection, with as little parsing as an honest answer needs."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, cast

HOST: Final = b"Host: 127.0.0.1\r\n"
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Wire(asyncio.Protocol):
    """Sends a request at a time; `answered` gets the status and the body of each answer."""

    def __init__(
        self,
        answered: Callable[[int, bytes], object],
        failed: Callable[[Exception], object],
    ) -> None:
        self._answered = answered
        self._failed = failed
        self._received = b""
        self._transport: asyncio.Transport | None = None

    async def connect(self, port: int, host: str = "127.0.0.1", *, with_tls: bool = False) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, host, port, ssl=True if with_tls else None)

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._failed(exc or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        head = data.find(_END)
        at = data.find(_LENGTH, 0, head)
        if head < 0:
            self._received = data
            return
        begin = head + 4
        # An answer without a length is one without a body: 204.
        end = begin + (int(data[at + 15 : data.index(b"\r", at)]) if at >= 0 else 0)
        if len(data) < end:
            self._received = data
            return
        self._received = data[end:]
        self._answered(int(data[9:12]), data[begin:end])


class Caller:
    """For calls that are waited for one by one."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._wire = Wire(self._answered, self._failed)

    async def connect(self, port: int) -> None:
        await self._wire.connect(port)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._wire.send(request)
        return await self._answer

    def close(self) -> None:
        self._wire.close()

    def _answered(self, status: int, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))

    def _failed(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def request(method: str, path: str, document: Any = None) -> bytes:
    """A request, whole."""
    if document is None:
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return with_body(method, path, json.dumps(document, ensure_ascii=False).encode())


def with_body(method: str, path: str, body: bytes) -> bytes:
    """A request with a JSON body that is there already."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
