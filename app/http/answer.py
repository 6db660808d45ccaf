"""An answer as its bytes: the head, and how the body is framed, by RFC 9112."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_WITHOUT_BODY: Final = frozenset({204, 304})

Part = bytes | bytearray


class Answer:
    """To one request. Raises `ValueError` for what would not be understood as it is meant."""

    __slots__ = ("_is_chunked", "_rest_bytes", "_shows_body", "head")

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        *,
        method: str,
        version: str,
        closes: bool,
    ) -> None:
        self._rest_bytes: int | None = None
        parts = [_STATUS_LINES[status]]
        lines = 1
        for name, value in headers:
            if name == b"content-length":
                self._rest_bytes = int(value)
            parts += (name, b": ", value, b"\r\n")
            lines += 1
        self._shows_body = method != "HEAD" and status not in _WITHOUT_BODY
        # An older reader is told of the end by the connection's.
        self._is_chunked = self._shows_body and self._rest_bytes is None and version == "1.1"
        if self._is_chunked:
            parts.append(b"transfer-encoding: chunked\r\n")
            lines += 1
        if closes:
            parts.append(b"connection: close\r\n")
            lines += 1
        parts.append(b"\r\n")
        self.head = head = b"".join(parts)
        if not head.count(b"\n") == head.count(b"\r") == lines + 1:
            raise ValueError("a header has a line end in it")

    def framed(self, part: Part, *, is_last: bool) -> Part:
        """The next part of the body, as it is sent."""
        if not self._shows_body:
            return b""
        if self._is_chunked:
            end = b"0\r\n\r\n" if is_last else b""
            return b"%x\r\n" % len(part) + part + b"\r\n" + end if part else end
        if self._rest_bytes is not None:
            self._rest_bytes -= len(part)
            if self._rest_bytes < 0 or (is_last and self._rest_bytes):
                raise ValueError("a body is not as long as its head says")
        return part
