"""The private MySQL, MariaDB and Valkey, for real: crashes, passwords, locks, and mixed-up data."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.local.binary import Flavour, ServerBinary
from app.local.errors import LocalError
from app.local.fetch import fetch_server
from app.local.lookup import find_server
from app.local.mysql import MySQLServer
from app.local.valkey import ValkeyServer
from tests.support import engines


def query(server: MySQLServer, *statements: str, **login: Any) -> list[tuple[Any, ...]]:
    """Run the statements and return the rows of the last."""
    login = {"user": "rowlock", "password": server.password, "database": "rowlock"} | login
    connection = pymysql.connect(host="127.0.0.1", port=server.port, autocommit=True, **login)
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def need_apt() -> None:
    if not shutil.which("apt-get"):
        pytest.skip("a MariaDB is fetched on Debian and its kin only")


@pytest.fixture(scope="module")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySQLServer]:
    with MySQLServer(tmp_path_factory.mktemp("mysql"), binary=find_server()) as server:
        yield server


@pytest.fixture(scope="module")
def mariadb_binary(tmp_path_factory: pytest.TempPathFactory) -> ServerBinary:
    """The machine's own suite has one in a few megabytes; it is fetched and thrown away again."""
    need_apt()
    cache = tmp_path_factory.mktemp("cache")
    return fetch_server(cache, lambda _line: None, packages=("mariadb-server-core",))


@pytest.fixture(scope="module")
def mariadb(
    tmp_path_factory: pytest.TempPathFactory, mariadb_binary: ServerBinary
) -> Iterator[MySQLServer]:
    with MySQLServer(tmp_path_factory.mktemp("mariadb"), binary=mariadb_binary) as server:
        yield server


@pytest.fixture(scope="module")
def mariadb_11(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySQLServer]:
    """One whose files are named otherwise than before."""
    need_apt()
    binary = engines.mariadb("mariadb-11.8")
    with MySQLServer(tmp_path_factory.mktemp("mariadb-11"), binary=binary) as server:
        yield server


@pytest.fixture(params=["mysql", "mariadb", "mariadb_11"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, MySQLServer)
    return found


def test_what_was_committed_survives_sigkill(server: MySQLServer) -> None:
    query(server, "CREATE OR REPLACE VIEW v AS SELECT 1", "DROP TABLE IF EXISTS t")
    query(server, "CREATE TABLE t (word VARCHAR(20))", "INSERT INTO t VALUES ('高 😀')")
    before, port = server.pid, server.port
    server.kill()
    server.start()
    assert server.pid != before
    assert server.port == port, "clients find it again where it was"
    assert query(server, "SELECT word FROM t") == [("高 😀",)]


def test_one_that_was_killed_from_outside_starts_again(mariadb: MySQLServer) -> None:
    os.kill(mariadb.pid, signal.SIGKILL)
    assert mariadb.child.how_it_ended() == "was killed by SIGKILL"
    mariadb.start()
    assert query(mariadb, "SELECT 1") == [(1,)]


def test_it_is_durable_and_speaks_utf8_and_utc(server: MySQLServer) -> None:
    isolation = "tx_isolation" if server.flavour is Flavour.MARIADB else "transaction_isolation"
    assert query(
        server,
        "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, @@binlog_format,"
        f" @@character_set_database, @@{isolation}, @@time_zone, @@bind_address",
    ) == [(1, 1, 1, "ROW", "utf8mb4", "READ-COMMITTED", "+00:00", "127.0.0.1")]


@pytest.mark.parametrize("user", ["rowlock", "root", ""])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(server: MySQLServer, user: str, password: str) -> None:
    with pytest.raises(pymysql.OperationalError):
        query(server, "SELECT 1", user=user, password=password)


def test_nobody_gets_in_by_the_socket_without_the_password(server: MySQLServer) -> None:
    socket = str(server.home / "mysql.sock")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(unix_socket=socket, user="root", password="")
    pymysql.connect(unix_socket=socket, user="rowlock", password=server.password).close()


def test_the_password_is_for_this_user_only(server: MySQLServer) -> None:
    files = [path for path in server.home.rglob("*") if path.is_file()]
    holding = [path for path in files if server.password.encode() in path.read_bytes()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in holding] == [0o600] * len(holding)
    assert server.home / "data/rowlock-server.json" in holding
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert server.password.encode() not in command


def test_a_second_one_on_the_same_home_is_refused(server: MySQLServer) -> None:
    with pytest.raises(LocalError, match=f"in use by process {os.getpid()}\\."):
        MySQLServer(server.home, binary=server.binary).start()
    assert query(server, "SELECT 1") == [(1,)]


def test_a_port_in_use_is_an_error_that_shows_the_log(mariadb: MySQLServer, tmp_path: Path) -> None:
    second = MySQLServer(tmp_path, port=mariadb.port, binary=mariadb.binary)
    with pytest.raises(LocalError, match=r"(?s)before it was ready.*Its last log lines.*in use"):
        second.start()


def test_data_of_the_other_flavour_is_refused(mariadb_binary: ServerBinary, tmp_path: Path) -> None:
    with MySQLServer(tmp_path, binary=mariadb_binary):
        pass
    mysql = replace(mariadb_binary, flavour=Flavour.MYSQL)
    with pytest.raises(LocalError) as caught:
        MySQLServer(tmp_path, binary=mysql).start()
    assert "belongs to MariaDB 10" in str(caught.value)
    assert "ROWLOCK_MYSQLD" in str(caught.value)
    assert "ROWLOCK_HOME" in str(caught.value)


def test_a_directory_that_is_not_ours_is_left_alone(
    mariadb_binary: ServerBinary, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/ibdata1").write_bytes(b"precious")
    with pytest.raises(LocalError, match="was not created by Rowlock"):
        MySQLServer(tmp_path, binary=mariadb_binary).start()
    assert (tmp_path / "data/ibdata1").read_bytes() == b"precious"


def test_an_interrupted_initialisation_is_started_afresh(
    mariadb_binary: ServerBinary, tmp_path: Path
) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new/half").write_text("half")
    with MySQLServer(tmp_path, binary=mariadb_binary) as server:
        assert query(server, "SELECT 1") == [(1,)]
    assert not (tmp_path / "data.new").exists()


def test_what_a_crash_left_of_socket_and_pid_is_in_nobodys_way(
    mariadb_binary: ServerBinary, tmp_path: Path
) -> None:
    with MySQLServer(tmp_path, binary=mariadb_binary):
        pass
    for name in ("mysql.sock", "mysql.sock.lock", "mysql.pid"):
        (tmp_path / name).write_text(f"{os.getpid()}\n")  # a live process, but no server
    with MySQLServer(tmp_path, binary=mariadb_binary) as server:
        assert query(server, "SELECT 1") == [(1,)]


def test_one_that_starts_leaves_the_others_temporary_tables_alone(
    mariadb: MySQLServer, mariadb_binary: ServerBinary, tmp_path: Path
) -> None:
    login = {"user": "rowlock", "password": mariadb.password, "database": "rowlock"}
    with (
        pymysql.connect(host="127.0.0.1", port=mariadb.port, **login) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TEMPORARY TABLE words (word VARCHAR(20)) ENGINE=Aria")
        cursor.execute("INSERT INTO words VALUES ('kept')")
        with MySQLServer(tmp_path, binary=mariadb_binary, fast=True):
            pass
        cursor.execute("ALTER TABLE words ADD length INT")
        cursor.execute("SELECT word FROM words")
        assert cursor.fetchall() == (("kept",),)


@pytest.mark.parametrize("home", ["deep/" * 30, "a colon: and a space"])
def test_a_home_with_a_name_of_its_own(
    mariadb_binary: ServerBinary, tmp_path: Path, home: str
) -> None:
    """Too deep for a socket, or what parts directories in some options."""
    with MySQLServer(tmp_path / home, binary=mariadb_binary, fast=True) as server:
        assert query(server, "SELECT 1") == [(1,)]


def test_the_servers_die_with_a_killed_parent(mariadb_binary: ServerBinary, tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from app.local.binary import inspect_unpacked\n"
        "from app.local.mysql import MySQLServer\n"
        "from app.local.valkey import ValkeyServer\n"
        "home, root = map(pathlib.Path, sys.argv[1:])\n"
        "mysql = MySQLServer(home / 'm', binary=inspect_unpacked(root))\n"
        "valkey = ValkeyServer(home / 'v')\n"
        "mysql.start(), valkey.start()\n"
        "print(mysql.pid, valkey.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(mariadb_binary.path.parents[2])],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/exe").exists() for pid in pids):
        assert time.monotonic() < deadline, "outlived its parent"
        time.sleep(0.02)
    with MySQLServer(tmp_path / "m", binary=mariadb_binary) as server:
        assert query(server, "SELECT 1") == [(1,)]


def test_valkey_wants_its_password_and_keeps_nothing(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path) as server:
        with redis.Redis.from_url(server.url) as client:
            assert client.set("key", "value")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with (
            redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.get("key")
        os.kill(server.pid, signal.SIGKILL)
        assert server.child.how_it_ended() == "was killed by SIGKILL"
        url = server.url
        server.start()
        assert server.url == url, "its users find it again where it was"
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") is None
    assert not list(tmp_path.glob("*.rdb"))
