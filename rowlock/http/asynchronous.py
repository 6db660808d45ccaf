"""Flows driven by asyncio, over aiohttp: of what pools connections, the cheapest (decision 31)."""

import asyncio
import io
import os
import socket
import ssl
import weakref
from contextlib import suppress
from math import inf
from typing import Any, Final, Protocol, TypeVar

import aiohttp
from yarl import URL

from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.blocking import KEEP_ALIVE_SECONDS
from rowlock.http.call import Call
from rowlock.http.flows import Flow, Outcome, Pause, answer_of
from rowlock.http.request import Request, not_answered, request_of
from rowlock.http.target import Target
from rowlock.http.url import Url

T = TypeVar("T")

CONNECTION_LIMIT: Final = 100
# As much as the standard library takes: a URL of a next page may be long.
HEADER_LIMIT_BYTES: Final = 65_536
# Of a try's time, for a connection: who got none knows that nothing was sent.
_CONNECT_SHARE: Final = 0.9
# A deadline that has passed: for aiohttp 0 would be no end.
_SHORTEST_TRY_SECONDS: Final = 0.001
# Larger bodies are sent in parts, so that the event loop does other things between them.
_PART_BYTES: Final = 256 * 1024

_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)

# Of processes that this one was forked from. They are never closed here: that would take the
# connection from an event loop of the parent, which still uses it.
_inherited: Final[list[aiohttp.ClientSession]] = []


def headers_for(proxy: Url | None) -> dict[str, str]:
    """Who uses it: to be sent with a request, or before its tunnel. Not in its URL, which the
    library's errors show."""
    return {} if proxy is None or proxy.basic is None else {"Proxy-Authorization": proxy.basic}


class AsyncExchange(Protocol):
    """Sends requests to one server, in one event loop."""

    async def send(self, request: Request, seconds: float) -> Answer:
        """The answer within so many seconds. Raises `NotAnsweredError`."""

    async def close(self) -> None:
        """Close the connections."""


class AsyncTransport:
    """Drives flows, in one event loop.

    The connections belong to the process that opened them: a child that is forked opens its own.
    """

    def __init__(self, target: Target, exchange: AsyncExchange | None = None) -> None:
        self._target = target
        self._exchange = exchange or AsyncConnections(target)

    async def run(self, flow: Flow[T]) -> T:
        """What the flow comes to. Raises `RowlockError`."""
        outcome: Outcome = None
        try:
            while True:
                step = flow.send(outcome)
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    outcome = None
                else:
                    outcome = await self._try(step.call, step.seconds)
        except StopIteration as end:
            value: T = end.value
            return value

    async def once(self, call: Call[T], timeout_seconds: float) -> T:
        """The answer to a call that is sent once. Raises `RowlockError`."""
        return answer_of(call, await self._try(call, timeout_seconds + call.extra_seconds))

    async def close(self) -> None:
        await self._exchange.close()

    async def _try(self, call: Call[Any], seconds: float) -> Outcome:
        try:
            return await self._exchange.send(request_of(call, self._target), seconds)
        except NotAnsweredError as error:
            return error


class AsyncConnections:
    """Connections to a server, kept open between requests; at most `limit`, 0 being no limit."""

    def __init__(self, target: Target, limit: int = CONNECTION_LIMIT) -> None:
        self._target = target
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._pid = os.getpid()

    async def send(self, request: Request, seconds: float) -> Answer:
        session = self._own()
        seconds = max(seconds, _SHORTEST_TRY_SECONDS)
        times = aiohttp.ClientTimeout(
            total=seconds,
            connect=seconds * _CONNECT_SHARE,
            ceil_threshold=inf,  # or else those of 5 s and more end at a whole second
        )
        body = request.body
        is_tls, for_proxy = self._target.url.is_tls, headers_for(self._target.proxy)
        try:
            async with session.request(
                request.method,
                # As it is: what is quoted stays quoted.
                URL(request.url, encoded=True),
                data=io.BytesIO(body) if body and len(body) > _PART_BYTES else body,
                headers=request.headers if is_tls else {**request.headers, **for_proxy},
                timeout=times,
                allow_redirects=False,
                proxy_headers=for_proxy if is_tls else None,
            ) as response:
                said = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            is_late = not isinstance(error, _NOT_SENT)
            raise not_answered(request, self._target, error, may_have_arrived=is_late) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, said, request.url)

    async def close(self) -> None:
        if self._session is not None and self._pid == os.getpid():
            await self._session.close()

    def stop_sending(self) -> None:
        """Say over every connection that nothing more is sent. Answers still arrive."""
        for each in list(self._sockets):
            if each.fileno() < 0:
                continue
            # By a handle of its own: event loops do not let others touch theirs.
            with (
                socket.socket(fileno=os.dup(each.fileno())) as handle,
                suppress(OSError),  # not connected yet, or the server was quicker
            ):
                handle.shutdown(socket.SHUT_WR)

    def _own(self) -> aiohttp.ClientSession:
        if self._session is not None and self._pid != os.getpid():
            _inherited.append(self._session)
            self._session = None
        if self._session is None:
            self._session = self._open()
            self._pid = os.getpid()
        return self._session

    def _open(self) -> aiohttp.ClientSession:
        proxy = self._target.proxy
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._limit,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                socket_factory=self._socket,
                ssl=ssl.create_default_context() if self._target.url.is_tls else True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=HEADER_LIMIT_BYTES,
            max_field_size=HEADER_LIMIT_BYTES,
            proxy=None if proxy is None else URL(str(proxy)),
        )

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, *_ = address
        opened = socket.socket(family=family, type=kind, proto=protocol)
        self._sockets.add(opened)
        return opened
