"""Four doors, each with tokens of its own."""

import asyncio
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException

from app.http.body import header_of
from app.settings import LOOPBACK_HOSTS, Settings, read_tokens

# For guessing in a row; a token of 128 bits needs no more than this.
GUESS_SECONDS: Final = 1.0
GUESSES_AT_ONCE: Final = 500
LOOK_SECONDS: Final = 1.0
SETTLED_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Door(StrEnum):
    """Who comes in where."""

    CLIENT = "client"
    WORKER = "worker"
    ADMIN = "admin"
    VIEWER = "viewer"  # no call's own: it opens every GET
    OPEN = "open"  # operations: no token
    ANY = "any"  # operations that show figures: any token, none on loopback
    KNOWN = "known"  # who one is: any token, none where there are none


# Those that have tokens.
DOORS: Final = (Door.CLIENT, Door.WORKER, Door.ADMIN, Door.VIEWER)
_LOOKING: Final = (Door.VIEWER, Door.ADMIN)
_ANY: Final = (Door.ANY, Door.KNOWN)


@lru_cache
def ways_in(door: Door, method: str) -> tuple[Door, ...]:
    """The doors whose tokens open a call."""
    if door is Door.OPEN:
        return ()
    if door in _ANY:
        return DOORS
    return tuple(dict.fromkeys((door, *_LOOKING))) if method in ("GET", "HEAD") else (door,)


_HOST: Final = re.compile(r"\[?([^\[\]]*?)\]?(?::[0-9]*)?")
_FORWARDED: Final = frozenset({b"forwarded", b"via", b"x-real-ip"})
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="rowlock"'}


class Doorkeeper:
    """Knows the tokens, hashed, and compares in constant time. Those of a file are read again
    when it has changed."""

    def __init__(self, settings: Settings) -> None:
        self._is_needed = settings.has_tokens
        self._file = settings.tokens_file
        self._set = {
            Door.CLIENT: _hashes(settings.client_tokens),
            Door.WORKER: _hashes(settings.worker_tokens),
            Door.ADMIN: _hashes(settings.admin_tokens),
            Door.VIEWER: _hashes(settings.viewer_tokens),
        }
        self._guesses = 0
        self._looked_at = -LOOK_SECONDS
        self._read_of: tuple[int, ...] | None = None
        self._hashes: Mapping[Door, tuple[bytes, ...]] = {}
        self._know(read_tokens(self._file) if self._file else {})

    async def admit(self, request: Request, door: Door) -> None:
        """Let the request pass, or raise 401 (no token that is known), 403 (another door's, or a
        web page's where no token is needed) or 429 (too many of the former).

        Whoever shows an unknown one waits for that answer.
        """
        if door is Door.OPEN:
            return
        needs_none = not self._is_needed or (door is Door.ANY and _is_from_loopback(request))
        if needs_none and (stranger := _stranger(request)) is None:
            return
        if not self._is_needed:
            raise HTTPException(403, f"No tokens are set, so {stranger}.")
        self._look_at_the_file()
        scheme, _, token = (header_of(request, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise HTTPException(401, "A token is required: Authorization: Bearer …", _CHALLENGE)
        opens = self._opened_by(token)
        if not opens:
            address = request.client.host if request.client else "unknown"
            log.warning("token_refused", address=address, path=request.scope["path"])
            await self._wait_for_guess()
            raise HTTPException(401, "This token is not valid.", _CHALLENGE)
        if opens.isdisjoint(ways := ways_in(door, request.method)):
            raise HTTPException(403, f"This call needs a token for the {_either(ways)} door.")

    def doors_of(self, request: Request) -> list[Door]:
        """The doors that the token of an admitted request is for; all, where there are none."""
        if not self._is_needed:
            return [*DOORS]
        opens = self._opened_by((header_of(request, b"authorization") or "").partition(" ")[2])
        return [door for door in DOORS if door in opens]

    def _opened_by(self, token: str) -> set[Door]:
        digest = sha256(token.encode("latin-1").strip()).digest()  # the bytes as they came
        return {d for d, hashes in self._hashes.items() if _is_among(digest, hashes)}

    async def _wait_for_guess(self) -> None:
        if self._guesses >= GUESSES_AT_ONCE:
            raise HTTPException(
                429, "Too many invalid tokens; try again later.", {"Retry-After": "1"}
            )
        self._guesses += 1
        try:
            await asyncio.sleep(GUESS_SECONDS)
        finally:
            self._guesses -= 1

    def _look_at_the_file(self) -> None:
        if self._file is None or time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            state = self._file.stat()
            found = (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
            if found == self._read_of:
                return
            self._know(read_tokens(self._file))
        except (OSError, ValueError) as error:
            # Half-written, say. Those that were good stay good, and it is looked at again.
            log.warning("tokens_not_read", reason=str(error))
            return
        # Times have a grain: what was written a moment ago may be written again in the same one.
        is_settled = time.time() - state.st_mtime > SETTLED_SECONDS
        self._read_of = found if is_settled else None

    def _know(self, of_file: Mapping[str, tuple[str, ...]]) -> None:
        self._hashes = {
            door: hashes + _hashes(of_file.get(door, ())) for door, hashes in self._set.items()
        }


def _hashes(tokens: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(sha256(token.encode("utf-8", "surrogateescape")).digest() for token in tokens)


def _is_among(digest: bytes, hashes: tuple[bytes, ...]) -> bool:
    # Every one is compared, so that the time says nothing about which.
    return bool(sum(hmac.compare_digest(digest, known) for known in hashes))


def _either(doors: Sequence[Door]) -> str:
    *others, last = doors
    return f"{', '.join(others)} or {last}" if others else last


def _is_from_loopback(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK_HOSTS


def _stranger(request: Request) -> str | None:
    """Why it is not taken for a call of a program on this machine; None if it is.

    A browser here may send it for a page of somebody else's: that names its site as the origin, or
    has had its own name lead here (DNS rebinding). A proxy here sends it for whoever reaches the
    proxy.
    """
    host = origin = ""
    for name, value in request.scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1")
        elif name == b"origin":
            origin = value.decode("latin-1")
        elif name in _FORWARDED or name.startswith(b"x-forwarded-"):
            return "calls through a proxy are refused"
    if not _is_nobodys_name(host):
        return "the server must be called by its address or as localhost"
    if origin and origin.partition("://")[2] != host:
        return "calls from web pages of other sites are refused"
    return None


@lru_cache(maxsize=64)
def _is_nobodys_name(host: str) -> bool:
    found = _HOST.fullmatch(host.lower())
    name = found[1] if found else host
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
