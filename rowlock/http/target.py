"""Where the server is, and how to come in: from the environment unless said."""

import os
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from rowlock.http.proxies import proxy_for
from rowlock.http.url import Url, parse_url, shown

USUAL_URL: Final = "http://127.0.0.1:8000"

Door = Literal["client", "worker", "admin"]
DOORS: Final[tuple[Door, ...]] = ("client", "worker", "admin")

Tokens = Mapping[Door, str | None]


class Target(NamedTuple):
    """A server, the token for each of its doors, be it to change or only to read something there,
    and the proxy on the way to it."""

    url: Url
    tokens: Tokens
    readers: Tokens
    proxy: Url | None

    def headers(self, method: str, path: str) -> dict[str, str]:
        """Who may call this path."""
        tokens = self.readers if method == "GET" else self.tokens
        token = tokens[door_of(path)]
        authorization = self.url.basic if token is None else f"Bearer {token}"
        return {} if authorization is None else {"Authorization": authorization}

    def __repr__(self) -> str:
        return f"Target({str(self.url)!r})"


def door_of(path: str) -> Door:
    """Which of the server's doors a call goes through."""
    room = path.split("/")[1]
    if room == "leases":
        return "worker"
    return "admin" if room == "admin" else "client"


def target(
    url: str | None = None, token: str | None = None, admin_token: str | None = None
) -> Target:
    """What is given, else what the environment says, else this machine's server.

    For the admin door `admin_token` comes before `token`. What is not given is, for each door,
    `ROWLOCK_CLIENT_TOKEN`, `ROWLOCK_WORKER_TOKEN` or `ROWLOCK_ADMIN_TOKEN`, or else
    `ROWLOCK_TOKEN`. Where only something is read, `ROWLOCK_VIEWER_TOKEN` comes before
    `ROWLOCK_TOKEN`, and an admin token after it. Raises `ValueError` for what is no URL, no token,
    or no proxy that can be used.
    """
    given = url or os.environ.get("ROWLOCK_URL") or USUAL_URL
    try:
        parsed = parse_url(given)
    except ValueError as error:
        raise ValueError(f"{shown(given)!r} is not a URL like {USUAL_URL}: {error}") from error
    given_for = {"client": token, "worker": token, "admin": admin_token or token}
    own = {door: _token(given_for[door], f"{door.upper()}_TOKEN") for door in DOORS}
    every, viewer = _token(None, "TOKEN"), _token(None, "VIEWER_TOKEN")
    tokens = {door: own[door] or every for door in DOORS}
    readers = {door: own[door] or viewer or every or own["admin"] for door in DOORS}
    return Target(parsed, tokens, readers, proxy_for(parsed))


def _token(given: str | None, variable: str) -> str | None:
    token = (given or os.environ.get(f"ROWLOCK_{variable}") or "").strip()
    if not token.isprintable():
        # Said here: the library beneath would show it.
        raise ValueError("the token contains a character that cannot be sent in a header")
    return token or None
