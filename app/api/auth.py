"""Three doors, three tokens."""

import hmac
from enum import StrEnum
from hashlib import sha256
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException

from app.settings import LOOPBACK_HOSTS, Settings


class Door(StrEnum):
    """Who comes in where."""

    CLIENT = "client"
    WORKER = "worker"
    ADMIN = "admin"
    OPEN = "open"  # operations: no token
    ANY = "any"  # operations that show figures: any of the three tokens, none on loopback


_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="rowlock"'}


class Doorkeeper:
    """Knows the tokens, hashed, and compares in constant time."""

    def __init__(self, settings: Settings) -> None:
        self._is_needed = settings.has_tokens
        self._hashes = {
            Door.CLIENT: _hashes(settings.client_tokens),
            Door.WORKER: _hashes(settings.worker_tokens),
            Door.ADMIN: _hashes(settings.admin_tokens),
        }

    def admit(self, request: Request, door: Door) -> None:
        """Let the request pass, or raise 401 (no token that is known) or 403 (another door's)."""
        if not self._is_needed or door is Door.OPEN:
            return
        if door is Door.ANY and _is_from_loopback(request):
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise HTTPException(401, "This needs a token: Authorization: Bearer …", _CHALLENGE)
        digest = sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        opens = {d for d, hashes in self._hashes.items() if _is_among(digest, hashes)}
        if not opens:
            raise HTTPException(401, "This token is not known here.", _CHALLENGE)
        if door is not Door.ANY and door not in opens:
            raise HTTPException(403, f"This token does not open the {door} door.")


def _hashes(tokens: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(sha256(token.encode()).digest() for token in tokens)


def _is_among(digest: bytes, hashes: tuple[bytes, ...]) -> bool:
    # Every one is compared, so that the time says nothing about which.
    return bool(sum(hmac.compare_digest(digest, known) for known in hashes))


def _is_from_loopback(request: Request) -> bool:
    is_proxied = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    return request.client is not None and request.client.host in LOOPBACK_HOSTS and not is_proxied
