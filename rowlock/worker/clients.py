"""The clients that submit tasks for a worker's handlers."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from rowlock.client.async_client import AsyncClient
from rowlock.client.sync_client import Client
from rowlock.http.asynchronous import AsyncExchange
from rowlock.http.target import Target, target

# A client, and what closes it.
_Kept = tuple[AsyncClient, AsyncGenerator[None, None]]


class Clients:
    """One client for all threads and one for each event loop, made when first asked for."""

    def __init__(
        self,
        url: str | None,
        token: str | None,
        *,
        timeout_seconds: float,
        exchange: AsyncExchange | None,
    ) -> None:
        # What is passed as the worker's token may be for the worker door alone.
        client_token = os.environ.get("ROWLOCK_CLIENT_TOKEN") or token
        self._calling: dict[str, Any] = {
            "url": url,
            "token": client_token,
            "timeout_seconds": timeout_seconds,
        }
        self._exchange = exchange
        self._original: Clients = self
        self._shared: list[Client] = []
        self._by_loop: dict[asyncio.AbstractEventLoop, _Kept] = {}

    @property
    def target(self) -> Target:
        """Where they go, and how they come in."""
        return target(self._calling["url"], self._calling["token"])

    def stand_in_for(self, others: "Clients") -> None:
        """Where these are `running`, they are used in the place of the others."""
        self._original = others._original

    def shared(self) -> Client:
        """Any number of threads may use it."""
        return self._in_use()._client()

    async def of_this_loop(self) -> AsyncClient:
        """Closed when the event loop shuts down."""
        return await self._in_use()._async_client()

    @contextmanager
    def running(self) -> Iterator[None]:
        """What is begun in here uses these clients."""
        token = _RUNNING.set(self)
        try:
            yield
        finally:
            _RUNNING.reset(token)

    def _in_use(self) -> "Clients":
        running = _RUNNING.get()
        is_copy = running is not None and running._original is self._original
        return running if running is not None and is_copy else self

    def _client(self) -> Client:
        # Without a lock, which the parent of a forked process may have held. Of two that are
        # made at once one is not used, and has opened nothing.
        if not self._shared:
            self._shared.append(Client(**self._calling))
        return self._shared[0]

    async def _async_client(self) -> AsyncClient:
        loop = asyncio.get_running_loop()
        kept = self._by_loop.get(loop)
        if kept is None:
            client = AsyncClient(**self._calling, exchange=self._exchange)
            closing = self._closing(loop, client)
            self._by_loop[loop] = kept = client, closing
            await anext(closing)
        return kept[0]

    async def _closing(
        self, loop: asyncio.AbstractEventLoop, client: AsyncClient
    ) -> AsyncGenerator[None, None]:
        """Once it is begun it belongs to the event loop, which ends it when it shuts down."""
        try:
            yield
        finally:
            del self._by_loop[loop]
            await client.close()


_RUNNING: Final[ContextVar[Clients | None]] = ContextVar("rowlock_clients", default=None)
