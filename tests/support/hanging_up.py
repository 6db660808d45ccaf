"""A caller that hangs up while its request is under way."""

import asyncio
import json
from typing import Any

from app.http.answer import Part
from app.http.exchange import Exchange


class HangingCaller:
    """Sends a JSON body over a connection of its own, which has no transport, and hangs up when
    told."""

    def __init__(self, app: Any, *, takes: bool = True) -> None:
        self.client: tuple[str, int] | None = ("127.0.0.1", 1)
        self.server: tuple[str, int] | None = ("rowlock", 80)
        self.scheme = "http"
        self.default_headers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._takes = takes
        self._exchange = Exchange(self)
        self._request: asyncio.Task[None] | None = None
        self.received = b""

    def post(self, path: str, body: Any) -> None:
        """Begin the request."""
        text = json.dumps(body).encode()
        exchange = self._exchange
        exchange.url = path.encode()
        exchange.headers += [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(text)),
        ]
        exchange.has_head("POST", "1.1", keeps_alive=True)
        exchange.has_part(text)
        exchange.is_whole()
        exchange.is_begun = True
        self._request = asyncio.create_task(exchange.run(self._app))

    def hang_up(self) -> None:
        self._exchange.hang_up()

    async def done(self) -> None:
        """Return when the application is done with the request."""
        assert self._request is not None
        await self._request

    # What the exchange wants of its connection.

    def is_last(self, exchange: Exchange) -> bool:
        return False

    def has_read(self) -> None:
        pass

    def keeps(self, exchange: Exchange, kept_bytes: int) -> None:
        pass

    def ask_for_body(self) -> None:
        pass

    def write(self, exchange: Exchange, head: bytes, body: Part = b"") -> None:
        self.received += head + body
        exchange.left(is_taken=self._takes)

    def has_answered(self, exchange: Exchange) -> None:
        pass

    def has_failed(self) -> None:
        raise AssertionError("not answered")
