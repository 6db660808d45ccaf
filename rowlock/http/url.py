"""URLs of servers and proxies."""

import re
from base64 import b64encode
from string import punctuation
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

_USER_AND_PASSWORD: Final = re.compile(r"(?<=//)[^/?#]*@")
_UP_TO_HOST: Final = re.compile(r"((?<=//)|^(?!.*//)).*@")
_SCHEMES: Final = {"http": 80, "https": 443}


class Url(NamedTuple):
    """An http or https URL, without its query."""

    scheme: str
    host: str
    port: int
    path: str
    user: str | None
    """User and password, as the URL has them."""

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port, as in a `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"

    @property
    def basic(self) -> str | None:
        """User and password as the value of an `Authorization`."""
        if self.user is None:
            return None
        name, _, password = self.user.partition(":")
        pair = f"{unquote(name)}:{unquote(password)}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def parse_url(text: str) -> Url:
    """Raises `ValueError`, which says what is wrong, for what is no http or https URL."""
    if not text.isprintable() or " " in text:
        raise ValueError("it contains a character that no URL has")
    try:
        parts = urlsplit(text)
        given_port = parts.port
    except ValueError:
        # What the library says quotes what may be a part of the password.
        raise ValueError("its host or port is not valid; quote what a password holds") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError("it does not begin with http:// or https://")
    host = parts.hostname
    if not host:
        raise ValueError("it names no host")
    host = host.encode("idna").decode()  # raises UnicodeError, a ValueError
    user, at, _ = parts.netloc.rpartition("@")
    path = quote(parts.path.rstrip("/"), safe=punctuation)  # what is quoted stays quoted
    usual = _SCHEMES[parts.scheme]
    port = usual if given_port is None else given_port
    return Url(parts.scheme, host, port, path, user if at else None)


def shown(url: str) -> str:
    """A URL as it may stand in a message: without a user and a password."""
    try:
        is_clear = "//" in url and urlsplit(url).port != 0
    except ValueError:
        is_clear = False
    # Where it is not clear what is the host, a password may hold what would end it.
    return (_USER_AND_PASSWORD if is_clear else _UP_TO_HOST).sub("", url)
