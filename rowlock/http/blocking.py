"""Flows driven by blocking I/O, over the standard library's HTTP client: for one call at a time it
costs a quarter of what urllib3 does (decision 31)."""

import http.client
import os
import select
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, Final, Protocol, TypeVar

from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.flows import Flow, Outcome, Pause
from rowlock.http.request import Request, not_answered, request_of
from rowlock.http.target import Target

T = TypeVar("T")

# Shorter than the 5 s after which the server closes: a connection is not used in its last moment.
KEEP_ALIVE_SECONDS: Final = 4.0
# 101, another protocol, was not asked for.
_INTERIM: Final = range(102, 200)


class Exchange(Protocol):
    """Sends requests to one server; any number of threads may share it."""

    def send(self, request: Request, seconds: float) -> Answer:
        """The answer within so many seconds. Raises `NotAnsweredError`."""

    def close(self) -> None:
        """Close the connections."""


class Transport:
    """Drives flows; any number of threads may share it.

    The connections belong to the process that opened them: a child that is forked opens its own.
    """

    def __init__(self, target: Target, exchange: Exchange | None = None) -> None:
        self._target = target
        self._exchange = exchange or Connections(target)

    def run(self, flow: Flow[T]) -> T:
        """What the flow comes to. Raises `RowlockError`."""
        outcome: Outcome = None
        try:
            while True:
                step = flow.send(outcome)
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    outcome = None
                    continue
                try:
                    outcome = self._exchange.send(request_of(step.call, self._target), step.seconds)
                except NotAnsweredError as error:
                    outcome = error
        except StopIteration as end:
            value: T = end.value
            return value

    def close(self) -> None:
        self._exchange.close()


class Connections:
    """Connections to a server, kept open between requests."""

    def __init__(self, target: Target) -> None:
        self._target = target
        proxy = target.proxy
        self._for_proxy = (
            {} if proxy is None or proxy.basic is None else {"Proxy-Authorization": proxy.basic}
        )
        self._tls: ssl.SSLContext | None = None
        self._forget()

    def send(self, request: Request, seconds: float) -> Answer:
        due = time.monotonic() + seconds
        if self._pid != os.getpid():
            # Of what is dropped only this process's handles are closed; nothing is said over
            # the connections, which are the parent's.
            self._forget()
        connection = self._idle_one() or self._connected(request, due)
        try:
            response, body = self._exchange(connection, request, due)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise not_answered(request, self._target, error, may_have_arrived=True) from error
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            self._idle.append((time.monotonic(), connection))
        self._close_old()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, body, request.url)

    def close(self) -> None:
        if self._pid == os.getpid():
            while self._idle:
                self._idle.pop()[1].close()

    def _forget(self) -> None:
        # Many threads append to it and take from it: each operation of a deque is atomic.
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()
        self._pid = os.getpid()

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request, due: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        assert isinstance(connection.sock, _Timed)
        connection.sock.due = due
        # As bytes: the library would send text in Latin-1.
        headers = {name: value.encode() for name, value in request.headers.items()}
        where = request.target
        if self._target.proxy is not None and not self._target.url.is_tls:
            where = request.url
            headers |= {name: value.encode() for name, value in self._for_proxy.items()}
        is_sent = False
        # The server may have answered before it had read all of it: a refusal is final.
        with suppress(ConnectionError):
            connection.request(request.method, where, request.body, headers)
            is_sent = True
        response = connection.getresponse()
        body = response.read()
        if not is_sent:
            connection.close()
            response.will_close = True
        return response, body

    def _idle_one(self) -> http.client.HTTPConnection | None:
        """The one used last, if the server has not closed it."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < KEEP_ALIVE_SECONDS and not _has_news(connection.sock):
                return connection
            connection.close()

    def _close_old(self) -> None:
        """Those of a time with more callers, for whom nobody may come again."""
        old = time.monotonic() - KEEP_ALIVE_SECONDS
        with suppress(IndexError):
            while self._idle[0][0] < old:
                self._idle.popleft()[1].close()

    def _connected(self, request: Request, due: float) -> http.client.HTTPConnection:
        connection = self._connection()
        connection.response_class = _Response
        # `connect` opens its socket by this, in every Python since 2.7.
        connection._create_connection = partial(_open, due)  # type: ignore[attr-defined]
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise not_answered(request, self._target, error, may_have_arrived=False) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _connection(self) -> http.client.HTTPConnection:
        url, proxy = self._target.url, self._target.proxy
        first = proxy or url
        if not url.is_tls:
            return http.client.HTTPConnection(first.host, first.port)
        if self._tls is None:
            # Reading the machine's certificates takes longer than a hundred calls.
            self._tls = ssl.create_default_context()
            self._tls.sslsocket_class = _TlsSocket
        connection = http.client.HTTPSConnection(first.host, first.port, context=self._tls)
        if proxy is not None:
            connection.set_tunnel(url.host, url.port, self._for_proxy)
        return connection


class _Response(http.client.HTTPResponse):
    def _read_status(self) -> tuple[str, int, str]:
        # What is only on its way to an answer, 103 say: the library passes over 100 alone, and
        # would take another for the answer, and the answer for that of the next request.
        version, status, reason = super()._read_status()  # type: ignore[misc]
        if status in _INTERIM:
            status = http.client.CONTINUE
        return version, status, reason


class _Timed(socket.socket):
    """Every operation has what is left until `due`."""

    due = inf

    def left(self) -> float:
        left = self.due - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(self.left())
        return super().recv_into(*arguments, **options)

    def sendall(self, *arguments: Any, **options: Any) -> None:
        self.settimeout(self.left())
        super().sendall(*arguments, **options)

    def send(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(self.left())
        return super().send(*arguments, **options)


class _Socket(_Timed):
    def gettimeout(self) -> float:
        """What TLS, which wraps this, has left for its handshake."""
        return self.left()


class _TlsSocket(_Timed, ssl.SSLSocket):
    pass


def _open(due: float, address: tuple[str, int], *_: object) -> socket.socket:
    """A connection to the first of the host's addresses that takes one."""
    host, port = address
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    error: OSError = OSError(f"{host} has no address")
    for position, (family, kind, protocol, _name, where) in enumerate(found):
        connection = _Socket(family, kind, protocol)
        connection.due = due
        try:
            # One that does not answer leaves time for the others.
            connection.settimeout(connection.left() / (len(found) - position))
            connection.connect(where)
        except OSError as refused:
            connection.close()
            error = refused
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise error


def _has_news(connection: socket.socket) -> bool:
    """Whether an idle connection has something to read: its end, most often."""
    if hasattr(select, "poll"):  # knows no limit to the number of a file, but not on Windows
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connection], [], [], 0)[0])
