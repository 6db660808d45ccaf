"""The long poll for work."""

import os
import socket
from contextlib import suppress
from typing import Any

from httpcore import AsyncNetworkStream

from rowlock.errors import UnreachableError
from rowlock.http.transport import AsyncTransport
from rowlock.models import Lease
from rowlock.worker import leases
from rowlock.worker.leases import ClaimRequest


class Poll:
    """Waits for work on a connection of its own, so that it can hang up without losing any.

    It says only that it sends no more, and still reads: what the server had handed out before
    it noticed arrives, and can be given back. A cancelled request would not see it, and the
    tasks would stay out until their leases ran out. Over a transport without a socket it
    cannot hang up, and the server's answer is waited for.
    """

    def __init__(self, transport: AsyncTransport, request: ClaimRequest) -> None:
        self._transport = transport
        self._request = request
        self._stream: AsyncNetworkStream | None = None
        self._is_hung_up = False

    async def claim(self, limit: int, wait_seconds: float) -> list[Lease]:
        """Up to `limit` leases, as soon as there are some. Raises `RowlockError`."""
        call = leases.claim(self._request, limit, wait_seconds)
        try:
            return await self._transport.once(call, extensions={"trace": self._trace})
        except UnreachableError:
            if self._is_hung_up:
                return []
            raise

    def hang_up(self) -> None:
        """Have the poll answered now, and ask for no more."""
        self._is_hung_up = True
        self._say_no_more()

    async def _trace(self, event: str, facts: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._stream = facts["return_value"]
        # Told to hang up before the request was out.
        if self._is_hung_up and event.endswith("receive_response_headers.started"):
            self._say_no_more()

    def _say_no_more(self) -> None:
        if self._stream is None:
            return
        connection = self._stream.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return
        # By a handle of its own: event loops do not let others touch theirs.
        with (
            socket.socket(fileno=os.dup(connection.fileno())) as handle,
            suppress(OSError),  # the server was quicker
        ):
            handle.shutdown(socket.SHUT_WR)
