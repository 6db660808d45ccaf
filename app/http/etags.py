"""What a caller has already: `ETag` and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2)."""

import re
from hashlib import sha256
from typing import Final

from fastapi import Request, Response

_DIGITS: Final = 32
_TAG: Final = re.compile(rb'"[\x21\x23-\x7e\x80-\xff]*"')


def etag_of(*parts: bytes) -> str:
    """A strong one, of all that is answered."""
    found = sha256(b"\0".join(parts)).hexdigest()[:_DIGITS]
    return f'"{found}"'


def has_already(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names it, be it as a weak one, or any."""
    lines = [value for name, value in request.scope["headers"] if name == b"if-none-match"]
    named = b",".join(lines)
    return named.strip(b" \t") == b"*" or etag.encode() in _TAG.findall(named)


def not_modified(headers: dict[str, str]) -> Response:
    """304, with what a 200 would have said of the caller's copy."""
    return Response(status_code=304, headers=headers)
