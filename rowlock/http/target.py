"""Where the server is, and how to come in: from the environment unless said."""

import os
import re
from typing import NamedTuple

import httpx

from rowlock.http.proxies import proxy_for

USUAL_URL = "http://127.0.0.1:8000"

_USER_AND_PASSWORD = re.compile(r"(?<=//)[^/?#]*@")


class Target(NamedTuple):
    """A server, the token for it, and the proxy on the way to it."""

    url: httpx.URL
    token: str | None
    proxy: httpx.URL | None

    @property
    def headers(self) -> dict[bytes, bytes]:
        return {} if self.token is None else {b"Authorization": f"Bearer {self.token}".encode()}

    def __repr__(self) -> str:
        return f"Target({shown(self.url)!r})"


def shown(url: httpx.URL | str) -> str:
    """A URL as it may stand in a message: without a user and a password."""
    return _USER_AND_PASSWORD.sub("", str(url))


def target(url: str | None = None, token: str | None = None) -> Target:
    """What is given, else `ROWLOCK_URL` and `ROWLOCK_TOKEN`, else this machine's server.

    Raises `ValueError` for what is no URL, no token, or no proxy that can be used.
    """
    given = url or os.environ.get("ROWLOCK_URL") or USUAL_URL
    try:
        parsed = httpx.URL(given)
    except httpx.InvalidURL as error:
        raise ValueError(f"{shown(given)!r} is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"{shown(given)!r} is not a URL like {USUAL_URL}")
    given_token = (token or os.environ.get("ROWLOCK_TOKEN") or "").strip()
    if not given_token.isprintable():
        # Said here: the library beneath would show it.
        raise ValueError("the token contains a character that cannot be sent in a header")
    return Target(parsed, given_token or None, proxy_for(parsed))
