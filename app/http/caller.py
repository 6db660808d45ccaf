"""Who calls, as far as a request shows it."""

from typing import Final

from fastapi import Request

AGENT_CHARACTERS: Final = 128
# Of an IPv6 address with an IPv4 address in it; the name of an interface may follow.
ADDRESS_CHARACTERS: Final = 45


def agent_of(request: Request) -> str | None:
    """The program, as it calls itself (`User-Agent`), whatever bytes these are; of several the
    first, and no more of it than so many characters."""
    for name, value in request.scope["headers"]:
        if name == b"user-agent":
            try:
                text = str(value, "utf-8")
            except UnicodeDecodeError:
                text = str(value, "latin-1")
            return text[:AGENT_CHARACTERS].strip() or None
    return None


def address_of(request: Request) -> str | None:
    """The address of the caller, or of the last proxy that is not trusted."""
    client = request.scope.get("client")
    if not client or not client[0]:
        return None
    return str(client[0]).encode("ascii", "replace").decode()[:ADDRESS_CHARACTERS]
