"""Which proxy leads to a server, by the environment."""

import os
import socket
from ipaddress import ip_address
from typing import Final
from urllib.request import getproxies, proxy_bypass

import httpx

_SCHEMES: Final = ("http", "https")


def proxy_for(url: httpx.URL) -> httpx.URL | None:
    """What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say; None for this machine,
    whatever they say. Raises `ValueError` for a proxy that does not speak HTTP."""
    if _is_this_machine(url.host):
        return None
    given = getproxies()
    kind = url.scheme if given.get(url.scheme) else "all"
    proxy = given.get(kind)
    # NO_PROXY names a host with its port, or without; an IPv6 address without brackets.
    if not proxy or proxy_bypass(url.netloc.decode()) or proxy_bypass(url.host):
        return None
    try:
        parsed = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    except httpx.InvalidURL as error:
        raise ValueError(f"{_name_of(kind)} is not the URL of a proxy: {error}") from error
    if parsed.scheme not in _SCHEMES or not parsed.host:
        raise ValueError(
            f"{_name_of(kind)} names a proxy that does not speak HTTP "
            f"({parsed.scheme}://{parsed.host}). Set it to an HTTP proxy, or add "
            f"{url.host} to NO_PROXY"
        )
    return parsed


def _is_this_machine(host: str) -> bool:
    if host.rstrip(".").rpartition(".")[2] == "localhost":
        return True
    try:
        # In all its ways of writing, without asking anybody: 127.1, ::1, [::ffff:127.0.0.1].
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    address = ip_address(str(found[0][4][0]).partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _name_of(kind: str) -> str:
    """The variable, as it is written."""
    names = (name for name in os.environ if name.lower() == f"{kind}_proxy")
    return next(names, f"the system's {kind} proxy")
