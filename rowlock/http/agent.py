"""How the SDK names itself to a server."""

import re
import socket
from functools import cache

import rowlock


@cache
def user_agent() -> str:
    """Program, version and machine, as the server's register of workers shows them."""
    # A name of a machine may be anything; in a comment of HTTP not all of it could be sent.
    host = re.sub(r"[^!-'*-\[\]-~]", "?", socket.gethostname())
    return f"rowlock-python/{rowlock.__version__} ({host})"
