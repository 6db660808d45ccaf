"""Which MySQL server to run: the one named, one installed, one fetched before, or one to fetch."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from app.local.binary import ServerBinary, inspect
from app.local.errors import LocalError
from app.local.fetch import cache_directory, cached_server, fetch_server

# Where servers live that an ordinary user's PATH often leaves out.
_SYSTEM_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin")

WHAT_TO_DO = """\
Do one of these:
  - use a MySQL (8.0.1 or newer) or MariaDB (10.6 or newer) that is already running:
      ROWLOCK_DATABASE_URL=mysql://USER:PASSWORD@HOST:3306/DATABASE
  - choose a server program on this machine: ROWLOCK_MYSQLD=/path/to/mysqld
  - install one, such as your system's mysql-server or mariadb-server package"""


def say_on_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def find_server(say: Callable[[str], None] = say_on_stderr) -> ServerBinary:
    """The server to run. A server named in $ROWLOCK_MYSQLD is taken or refused, never replaced.

    What is taken in the place of an unfit one is said together with why.
    """
    if named := os.environ.get("ROWLOCK_MYSQLD"):
        try:
            return inspect(Path(shutil.which(named) or named).expanduser())
        except LocalError as error:
            raise LocalError(f"ROWLOCK_MYSQLD: {error}\n{WHAT_TO_DO}") from error
    tried: list[str] = []
    for path in _installed():
        try:
            return _taken(inspect(path), tried, say)
        except LocalError as error:
            tried.append(str(error))
    cache = cache_directory()
    try:
        if cached := cached_server(cache):
            return _taken(cached, tried, say)
        if tried:
            say(f"Fetching a server, because {'; '.join(tried)}")
        else:
            tried.append("no mysqld or mariadbd on PATH or in the usual system directories")
        return fetch_server(cache, say)
    except (LocalError, OSError) as error:
        tried += [f"fetching one: {line}" for line in str(error).splitlines()]
    attempts = "\n".join(f"  - {attempt}" for attempt in tried)
    raise LocalError(f"No usable MySQL server was found. Tried:\n{attempts}\n{WHAT_TO_DO}")


def _taken(
    server: ServerBinary, passed_over: list[str], say: Callable[[str], None]
) -> ServerBinary:
    if passed_over:
        say(f"Using {server} at {server.path}, because {'; '.join(passed_over)}")
    return server


def _installed() -> Iterator[Path]:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_PLACES])
    seen = set()
    for name in ("mysqld", "mariadbd"):
        path = shutil.which(name, path=places)
        if path and Path(path).resolve() not in seen:
            seen.add(Path(path).resolve())
            yield Path(path)
