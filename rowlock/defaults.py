"""Where the server is, and how to come in: from the environment unless said."""

import os
from typing import NamedTuple

import httpx

USUAL_URL = "http://127.0.0.1:8000"


class Target(NamedTuple):
    """A server, and the token for it."""

    url: httpx.URL
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


def target(url: str | None = None, token: str | None = None) -> Target:
    """What is given, else `ROWLOCK_URL` and `ROWLOCK_TOKEN`, else this machine's server.

    Raises `ValueError` for what is no URL.
    """
    given = url or os.environ.get("ROWLOCK_URL") or USUAL_URL
    try:
        parsed = httpx.URL(given)
    except httpx.InvalidURL as error:
        raise ValueError(f"{given!r} is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"{given!r} is not a URL like {USUAL_URL}")
    return Target(parsed, token or os.environ.get("ROWLOCK_TOKEN") or None)
