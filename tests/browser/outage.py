"""A MySQL that a test may kill, with Rowlock on it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from tests.acceptance.deployment import Deployment


@contextmanager
def on_mysql_of_its_own(
    home: Path, binary: ServerBinary, redis_url: str
) -> Iterator[tuple[MySQLServer, Deployment]]:
    """`kill` and `start` the server as the test likes: it comes back on the same port."""
    with ExitStack() as started:
        # Durable: what was there before is there again.
        server = MySQLServer(home / "mysql", binary=binary, port=free_port())
        mysql = started.enter_context(server)
        # Closed while MySQL runs: it drops its database.
        deployment = Deployment(home, database_url=mysql.url, redis_url=redis_url)
        yield mysql, started.enter_context(closing(deployment))
