"""The server programs to test with: ROWLOCK_TEST_ENGINE names one that is not the usual."""

import os
from typing import Final

from app.local.binary import ServerBinary
from app.local.fetch import cache_directory, fetch_server
from app.local.lookup import find_server, say_on_stderr

# Each with the Debian release that carries it.
MARIADB: Final = {"mariadb-10.11": "bookworm", "mariadb-11.8": "trixie"}


def chosen() -> ServerBinary:
    """The one that ROWLOCK_TEST_ENGINE names, else the one that `rowlock dev` would run."""
    name = os.environ.get("ROWLOCK_TEST_ENGINE")
    return mariadb(name) if name else find_server()


def mariadb(name: str) -> ServerBinary:
    """A MariaDB, fetched once, beside the MySQL."""
    if name not in MARIADB:
        raise ValueError(f"ROWLOCK_TEST_ENGINE is {name}, and not one of {', '.join(MARIADB)}")
    return fetch_server(
        cache_directory() / name,
        say_on_stderr,
        packages=("mariadb-server-core",),
        suite=MARIADB[name],
    )
