"""A caller that hangs up while its request is under way."""

import asyncio
import json
from typing import Any

from starlette.types import Message


class HangingCaller:
    """Sends a JSON body as plain ASGI, and hangs up when told."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._hung_up = asyncio.Event()
        self._request: asyncio.Task[None] | None = None

    def post(self, path: str, body: Any) -> None:
        """Begin the request."""
        self._request = asyncio.create_task(self._post(path, json.dumps(body).encode()))

    def hang_up(self) -> None:
        self._hung_up.set()

    async def done(self) -> None:
        """Return when the application is done with the request."""
        assert self._request is not None
        await self._request

    async def _post(self, path: str, body: bytes) -> None:
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await self._hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(_message: Message) -> None:
            pass

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
            "client": ("127.0.0.1", 1),
            "server": ("rowlock", 80),
        }
        await self._app(scope, receive, send)
