"""Requests out of the bytes of a connection, by httptools, bounded in all that has no end."""

from typing import Any, Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from app.http.exchange import Exchange
from app.http.framing import RefusedError

HEAD_LIMIT_BYTES: Final = 65_536
HEADERS_LIMIT: Final = 100


class NoMoreError(Exception):
    """Nothing behind what is there is read."""


class Reader(Protocol):
    """Whom the requests are for."""

    def begins(self) -> Exchange:
        """Of a request whose first byte is there. Raises `NoMoreError`."""

    def has_head(self) -> None:
        """It can be answered."""

    def is_whole(self, exchange: Exchange) -> None:
        """Nothing of it is still to come."""


class RequestParser:
    """One connection's."""

    __slots__ = (
        *("_exchange", "_fruitless_bytes", "_headers", "_parser", "_reader", "_tells_again"),
    )

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._parser: Any = HttpRequestParser(self)
        # The one that arrives.
        self._exchange: Exchange | None = None
        # Its headers, until all are there: what stands behind a body changes nothing any more.
        self._headers: list[tuple[bytes, bytes]] | None = None
        # What has come since anything came of it: of a head, or between the chunks of a body.
        self._fruitless_bytes = 0
        # A body was skipped, and it is told again that there is one.
        self._tells_again = False

    def close(self) -> None:
        """It refers to itself, and would stay until somebody looks for garbage."""
        self._parser = None

    def feed(self, data: bytes) -> None:
        """Raises `RefusedError` for what is no request, and `NoMoreError` behind the last."""
        self._fruitless_bytes += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except HttpParserUpgrade as upgrade:
                data = self._as_if_not_upgraded(data[upgrade.args[0] :])
            except HttpParserError as error:
                raise _reason(error) from None
        if self._fruitless_bytes > HEAD_LIMIT_BYTES:
            raise _too_long()

    def _as_if_not_upgraded(self, rest: bytes) -> bytes:
        """The parser takes what follows for another protocol, and none is spoken here."""
        if self._exchange is None:
            return rest
        return b"POST / HTTP/1.1\r\n%b\r\n\r\n" % self._exchange.framing + rest

    # httptools calls these.

    def on_message_begin(self) -> None:
        if not self._tells_again:
            self._exchange = exchange = self._reader.begins()
            self._headers = exchange.headers
            self._fruitless_bytes = 0

    def on_url(self, url: bytes) -> None:
        exchange = self._exchange
        if exchange is not None and self._headers is not None:
            exchange.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        headers = self._headers
        if headers is not None:
            headers.append((name.lower(), value.rstrip(b" \t")))
            if len(headers) > HEADERS_LIMIT:
                raise _too_long()

    def on_headers_complete(self) -> None:
        if self._tells_again:
            self._tells_again = False
            return
        parser, exchange = self._parser, self._exchange
        assert exchange is not None
        method = parser.get_method().decode()
        if method == "CONNECT":
            raise RefusedError(501, "This server is not a proxy.")
        self._headers = None
        exchange.has_head(method, parser.get_http_version(), keeps_alive=parser.should_keep_alive())
        self._tells_again = bool(exchange.framing) and parser.should_upgrade()
        self._fruitless_bytes = 0
        self._reader.has_head()

    def on_body(self, body: bytes) -> None:
        assert self._exchange is not None
        self._exchange.has_part(body)
        self._fruitless_bytes = 0

    def on_message_complete(self) -> None:
        if self._tells_again:
            return
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        exchange.is_whole()
        self._reader.is_whole(exchange)


def _too_long() -> RefusedError:
    most = f"{HEADERS_LIMIT} headers and {HEAD_LIMIT_BYTES:,} bytes"
    return RefusedError(431, f"The head of a request may have at most {most}.")


def _reason(error: HttpParserError) -> Exception:
    """What to say of it; it may have come from one of the callbacks."""
    cause = error.__context__
    if isinstance(cause, RefusedError | NoMoreError):
        return cause
    return RefusedError(400, "This is not a valid HTTP/1.1 request.")
