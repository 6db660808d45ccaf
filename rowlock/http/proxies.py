"""Which proxy leads to a server, by the environment."""

import os
import socket
from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

from rowlock.http.url import Url, parse_url, shown


def proxy_for(url: Url) -> Url | None:
    """What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say; None for this machine,
    whatever they say. Raises `ValueError` for a proxy that is not spoken to in plain HTTP."""
    if _is_this_machine(url.host):
        return None
    given = getproxies()
    kind = url.scheme if given.get(url.scheme) else "all"
    proxy = given.get(kind)
    # NO_PROXY names a host with its port, or without; an IPv6 address without brackets.
    if not proxy or proxy_bypass(url.authority) or proxy_bypass(url.host):
        return None
    scheme, has_scheme, _ = proxy.partition("://")
    if has_scheme and scheme.lower() != "http":
        raise ValueError(
            f"{_name_of(kind)} names a proxy that does not speak plain HTTP ({shown(proxy)}). "
            f"Set it to a proxy like http://proxy.example:3128, or add {url.host} to NO_PROXY"
        )
    try:
        return parse_url(proxy if has_scheme else f"http://{proxy}")
    except ValueError as error:
        raise ValueError(f"{_name_of(kind)} is not the URL of a proxy: {error}") from error


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
