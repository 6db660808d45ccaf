"""Three private MySQL servers in Group Replication, of which one takes writes."""

import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pymysql

from app.local.datadir import DATABASE
from app.local.mysql import MySQLServer
from app.local.ports import free_port

SIZE: Final = 3
ACCOUNT: Final = "service"
JOIN_SECONDS: Final = 60.0


class Group:
    """Servers `MySQL-1` to `MySQL-3`. Start it from the main thread."""

    def __init__(self, home: Path) -> None:
        self._password = secrets.token_hex(16)
        self._addresses = [f"127.0.0.1:{free_port()}" for _ in range(SIZE)]
        self._name = str(uuid.uuid4())
        self.servers = [
            MySQLServer(home / f"mysql-{n}", port=free_port(), extra=self._options(n))
            for n in range(SIZE)
        ]

    @property
    def url(self) -> str:
        """All of them, as `ROWLOCK_DATABASE_URL` takes them."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"mysql://{ACCOUNT}:{self._password}@{hosts}/{DATABASE}"

    def start(self) -> None:
        """The first one founds the group, and the others join."""
        for number, server in enumerate(self.servers):
            server.start()
            with _rooted(server) as cursor:
                cursor.execute("SET GLOBAL super_read_only = OFF")
                cursor.execute(
                    f"CREATE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY '{self._password}'"
                )
                cursor.execute(f"GRANT ALL ON *.* TO {ACCOUNT}@'127.0.0.1'")
                # So far they have the same in them, each by its own hand.
                cursor.execute("RESET BINARY LOGS AND GTIDS")
                cursor.execute(
                    "CHANGE REPLICATION SOURCE TO "
                    f"SOURCE_USER = '{ACCOUNT}', SOURCE_PASSWORD = '{self._password}' "
                    "FOR CHANNEL 'group_replication_recovery'"
                )
                cursor.execute(f"SET GLOBAL group_replication_bootstrap_group = {number == 0}")
            self.join(server)

    def join(self, server: MySQLServer) -> None:
        """Bring a server that runs into the group."""
        with _rooted(server) as cursor:
            cursor.execute("START GROUP_REPLICATION")
            cursor.execute("SET GLOBAL group_replication_bootstrap_group = OFF")
        self.wait_for(server)

    def wait_for(self, server: MySQLServer, *, is_in: bool = True) -> None:
        """Until a server knows that it is in the group, with all of its data, or that it is not."""
        until = time.monotonic() + JOIN_SECONDS
        while (self._state(server) == "ONLINE") != is_in:
            if time.monotonic() > until:
                raise TimeoutError(f"{server.home.name} is not as it should be: see {server.log}")
            time.sleep(0.02)

    def appoint(self, server: MySQLServer) -> None:
        """Make it the one that takes writes."""
        with _rooted(server) as cursor:
            cursor.execute("SELECT group_replication_set_as_primary(@@server_uuid)")

    def primary(self) -> MySQLServer:
        """The one that takes writes, asked of whoever answers."""
        until = time.monotonic() + JOIN_SECONDS
        while time.monotonic() < until:
            for server in self.servers:
                try:
                    with _rooted(server) as cursor:
                        cursor.execute("SELECT @@GLOBAL.super_read_only")
                        if not cursor.fetchone()[0]:
                            return server
                except pymysql.MySQLError:
                    continue
            time.sleep(0.1)
        raise TimeoutError("no server takes writes")

    def kill(self) -> None:
        for server in self.servers:
            server.kill()

    def _state(self, server: MySQLServer) -> str:
        with _rooted(server) as cursor:
            cursor.execute(
                "SELECT MEMBER_STATE FROM performance_schema.replication_group_members "
                "WHERE MEMBER_ID = @@server_uuid"
            )
            return str(cursor.fetchone()[0])

    def _options(self, number: int) -> tuple[str, ...]:
        return (
            f"--server-id={number + 1}",
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--report-host=127.0.0.1",
            # Until it is in the group, and the group says so, nobody writes to it.
            "--super-read-only=ON",
            "--plugin-load-add=group_replication.so",
            f"--group-replication-group-name={self._name}",
            f"--group-replication-local-address={self._addresses[number]}",
            f"--group-replication-group-seeds={','.join(self._addresses)}",
            "--group-replication-start-on-boot=OFF",
            "--group-replication-recovery-get-public-key=ON",
            # By default a member that is gone is waited for; nobody writes meanwhile.
            "--group-replication-member-expel-timeout=0",
            "--group-replication-unreachable-majority-timeout=10",
            "--group-replication-exit-state-action=OFFLINE_MODE",
            "--group-replication-consistency=BEFORE_ON_PRIMARY_FAILOVER",
        )


@contextmanager
def _rooted(server: MySQLServer) -> Iterator[Any]:
    connection = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user="rowlock",
        password=server.password,
        connect_timeout=2,
        read_timeout=JOIN_SECONDS,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        yield cursor
