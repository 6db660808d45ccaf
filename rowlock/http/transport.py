"""The I/O: flows driven over HTTP, once blocking and once with asyncio. The only two places
that send anything."""

import asyncio
import os
import time
from typing import Any, Final, TypeVar

import httpx

from rowlock.http.call import Call
from rowlock.http.flows import Flow, Outcome, Pause, answer_of
from rowlock.http.target import Target

T = TypeVar("T")

# Shorter than the 5 s after which the server closes: a connection is not used in its last moment.
_LIMITS: Final = httpx.Limits(max_connections=100, keepalive_expiry=4.0)
_JSON: Final = {"Content-Type": "application/json"}


# Of processes that this one was forked from. They are never closed here: that would take the
# connection from an event loop of the parent, which still uses it.
_inherited: Final[list[httpx.AsyncClient]] = []


class Transport:
    """Connections to a server, kept open between calls; any number of threads may share it.

    They belong to the process that opened them: a child that is forked opens its own.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._target = target
        self._transport = transport
        self._http = self._open()
        self._pid = os.getpid()

    def run(self, flow: Flow[T]) -> T:
        """What the flow comes to. Raises `RowlockError`."""
        outcome: Outcome = None
        try:
            while True:
                step = flow.send(outcome)
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    outcome = None
                else:
                    try:
                        outcome = self._own().request(**_request(step, self._timeout_seconds))
                    except httpx.RequestError as error:
                        outcome = error
        except StopIteration as end:
            value: T = end.value
            return value

    def close(self) -> None:
        if self._pid == os.getpid():
            self._http.close()

    def _own(self) -> httpx.Client:
        if self._pid != os.getpid():
            # Without a lock, which the parent may have held. Of what is dropped only this
            # process's handles are closed; nothing is said over the connections.
            self._http = self._open()
            self._pid = os.getpid()
        return self._http

    def _open(self) -> httpx.Client:
        transport = self._transport or httpx.HTTPTransport(**_connecting(self._target))
        return httpx.Client(**_calling(self._target), transport=transport)


class AsyncTransport:
    """The same for asyncio; one event loop's own."""

    def __init__(
        self,
        target: Target,
        *,
        timeout_seconds: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._target = target
        self._transport = transport
        self._http = self._open()
        self._pid = os.getpid()

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
                    outcome = await self._send(step)
        except StopIteration as end:
            value: T = end.value
            return value

    async def once(self, call: Call[T], extensions: dict[str, Any] | None = None) -> T:
        """The answer to a call that is sent once. Raises `RowlockError`."""
        return answer_of(call, await self._send(call, extensions))

    async def close(self) -> None:
        if self._pid == os.getpid():
            await self._http.aclose()

    def _own(self) -> httpx.AsyncClient:
        if self._pid != os.getpid():
            _inherited.append(self._http)
            self._http = self._open()
            self._pid = os.getpid()
        return self._http

    def _open(self) -> httpx.AsyncClient:
        transport = self._transport or httpx.AsyncHTTPTransport(**_connecting(self._target))
        return httpx.AsyncClient(**_calling(self._target), transport=transport)

    async def _send(self, call: Call[Any], extensions: dict[str, Any] | None = None) -> Outcome:
        try:
            request = _request(call, self._timeout_seconds)
            return await self._own().request(**request, extensions=extensions)
        except httpx.RequestError as error:
            return error


def _calling(target: Target) -> dict[str, Any]:
    return {"base_url": target.url, "headers": target.headers}


def _connecting(target: Target) -> dict[str, Any]:
    return {
        "limits": _LIMITS,
        "proxy": None if target.proxy is None else httpx.Proxy(target.proxy),
        # Reading the machine's certificates takes longer than a hundred calls.
        "verify": target.url.scheme == "https",
    }


def _request(call: Call[Any], timeout_seconds: float) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.path,
        "params": call.query or None,
        "content": call.body,
        "headers": call.headers if call.body is None else {**_JSON, **call.headers},
        "timeout": httpx.Timeout(
            timeout_seconds, read=timeout_seconds + call.extra_seconds, pool=None
        ),
    }
