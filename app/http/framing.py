"""How a request says where it ends, by RFC 9112. What two readers could understand in two ways is
refused: what one of them takes for a body, the other would take for the next request."""

from collections.abc import Iterable
from typing import Final

_LENGTH, _CODING, _HOST, _EXPECT = range(4)
_READ: Final = {
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"host": _HOST,
    b"expect": _EXPECT,
}
_CHUNKED: Final = b"chunked"
LENGTH_DIGITS: Final = 20


class RefusedError(Exception):
    """The request is answered with this `status` and `detail`, and the connection closed."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def framing_of(version: str, headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bool]:
    """Of a request with these headers, their names in lower case: the header that says how long its
    body is, empty where there is none; and whether the body is sent only when it is asked for.

    Raises `RefusedError`.
    """
    found: dict[int, bytes] = {}
    for name, value in headers:
        kind = _READ.get(name)
        if kind is None:
            continue
        if kind in found and kind != _EXPECT:
            raise RefusedError(400, f"{name.decode().title()} must be given only once.")
        found[kind] = value
    if version not in {"1.1", "1.0"}:
        raise RefusedError(505, "Only HTTP/1.1 and HTTP/1.0 are supported.")
    if version == "1.1" and _HOST not in found:
        raise RefusedError(400, "A request must have a Host header.")
    header = b""
    if _CODING in found:
        header = _chunked(version, found)
    elif _LENGTH in found:
        header = _length(found[_LENGTH])
    awaits_continue = version == "1.1" and found.get(_EXPECT, b"").lower() == b"100-continue"
    return header, awaits_continue


def _chunked(version: str, found: dict[int, bytes]) -> bytes:
    if version == "1.0" or _LENGTH in found:
        raise RefusedError(400, "Transfer-Encoding needs HTTP/1.1 and no Content-Length.")
    if found[_CODING].lower() != _CHUNKED:
        raise RefusedError(501, "The only supported transfer coding is chunked.")
    return b"Transfer-Encoding: chunked"


def _length(digits: bytes) -> bytes:
    if not digits.isdigit() or len(digits) > LENGTH_DIGITS:
        raise RefusedError(400, "Content-Length must be a number.")
    return b"Content-Length: " + digits if digits.strip(b"0") else b""
