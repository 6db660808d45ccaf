"""Where the server is, and how to come in: from the environment unless said."""

import os
from typing import NamedTuple

from rowlock.http.proxies import proxy_for
from rowlock.http.url import Url, parse_url, shown

USUAL_URL = "http://127.0.0.1:8000"


class Target(NamedTuple):
    """A server, the token for it, and the proxy on the way to it."""

    url: Url
    token: str | None
    proxy: Url | None

    @property
    def headers(self) -> dict[str, str]:
        authorization = self.url.basic if self.token is None else f"Bearer {self.token}"
        return {} if authorization is None else {"Authorization": authorization}

    def __repr__(self) -> str:
        return f"Target({str(self.url)!r})"


def target(url: str | None = None, token: str | None = None) -> Target:
    """What is given, else `ROWLOCK_URL` and `ROWLOCK_TOKEN`, else this machine's server.

    Raises `ValueError` for what is no URL, no token, or no proxy that can be used.
    """
    given = url or os.environ.get("ROWLOCK_URL") or USUAL_URL
    try:
        parsed = parse_url(given)
    except ValueError as error:
        raise ValueError(f"{shown(given)!r} is not a URL like {USUAL_URL}: {error}") from error
    given_token = (token or os.environ.get("ROWLOCK_TOKEN") or "").strip()
    if not given_token.isprintable():
        # Said here: the library beneath would show it.
        raise ValueError("the token contains a character that cannot be sent in a header")
    return Target(parsed, given_token or None, proxy_for(parsed))
