"""How connections to MySQL are made: their session, TLS, and to which of the servers that the
URL names."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiomysql
import pymysql
from pymysql import err
from sqlalchemy import Engine, create_engine, event, exc, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import TLS_OPTIONS, Host, Settings

# Of several servers: so old may be what is known of the one that a connection leads to.
LOOK_SECONDS: Final = 1.0

SQL_MODE: Final = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
_SESSION: Final = (
    # Well below our own time-out: who waits for a lock in vain is busy, MySQL is not away.
    f"SET time_zone = '+00:00', innodb_lock_wait_timeout = 1, sql_mode = '{SQL_MODE}'"
)


class Servers:
    """The servers that the URL names. Of several one takes writes, and which one may change."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = list(settings.hosts)
        # The one found last. Whoever finds another one finds it for everybody.
        self.chosen: Host | None = None
        # Each is asked within the time of one call.
        self.seconds_each = settings.database_timeout_seconds / len(self._hosts)

    @property
    def are_several(self) -> bool:
        return len(self._hosts) > 1

    def writable(self, connect: Callable[[Host], Any]) -> Host:
        """The one that takes writes. Who does not, or does not answer, is asked last next time.

        Raises `OperationalError` (2003) that says of each what it answered.
        """
        answers = []
        for host in tuple(self._hosts):
            try:
                connection = connect(host)
                try:
                    if not is_read_only(connection):
                        self.chosen = host
                        return host
                finally:
                    connection.close()
                answer = "takes no writes"
            except (err.MySQLError, OSError) as error:
                answer = str(error.args[-1]) if error.args else "does not answer"
            self._hosts.remove(host)
            self._hosts.append(host)
            answers.append(f"{host} {answer}")
        raise err.OperationalError(2003, "; ".join(answers))


def is_read_only(connection: Any) -> bool:
    """Whether the server refuses writes. MySQL's `super_read_only` turns this on as well, and
    MariaDB knows no other."""
    cursor = connection.cursor()
    cursor.execute("SELECT @@GLOBAL.read_only")
    (found,) = cursor.fetchone()
    cursor.close()
    return bool(found)


def sync_engine(settings: Settings) -> Engine:
    """An engine for a few statements one after the other: migrations, and what `doctor` asks."""
    engine = create_engine(
        settings.sync_url,
        isolation_level="READ COMMITTED",
        poolclass=pool.NullPool,
        connect_args={"connect_timeout": settings.database_timeout_seconds},
    )
    servers = Servers(settings)
    _lead_to_writable(
        engine,
        servers,
        {"connect_timeout": servers.seconds_each, "read_timeout": servers.seconds_each},
    )
    return engine


def async_engine(settings: Settings, servers: Servers, isolation_level: Any) -> AsyncEngine:
    """A pool for the service."""
    engine = create_async_engine(
        settings.async_url,
        isolation_level=isolation_level,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        # The one used last is the least likely to be dead, and few are needed at most times.
        pool_use_lifo=True,
        pool_timeout=settings.database_timeout_seconds,
        pool_recycle=1800,
        # Every connection is given back committed or rolled back by its one user.
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args={"connect_timeout": settings.database_timeout_seconds},
    )
    _make_tls_context(engine.sync_engine)
    _lead_to_writable(
        engine.sync_engine, servers, {"async_creator_fn": _within(servers.seconds_each)}
    )
    _set_session(
        engine.sync_engine, asks_for_tls=not TLS_OPTIONS.isdisjoint(settings.async_url.query)
    )
    if servers.are_several:
        _look_again(engine.sync_engine, servers)
    return engine


def _make_tls_context(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def make(_dialect: Any, _record: Any, _args: Any, parameters: Any) -> None:
        # PyMySQL makes its context of the URL's `ssl_*` options itself; aiomysql wants it made.
        if isinstance(options := parameters.get("ssl"), dict):
            parameters["ssl"] = pymysql.Connection(ssl=options, defer_connect=True).ctx


def _lead_to_writable(engine: Engine, servers: Servers, bounds: dict[str, Any]) -> None:
    if not servers.are_several:
        return

    @event.listens_for(engine, "do_connect")
    def lead(dialect: Any, record: Any, args: Any, parameters: Any) -> None:
        def connect(host: Host) -> Any:
            there = {"host": host.name, "port": host.port}
            return dialect.connect(*args, **parameters | there | bounds)

        found = record.info["host"] = servers.writable(connect)
        parameters.update(host=found.name, port=found.port)


def _set_session(engine: Engine, *, asks_for_tls: bool) -> None:
    @event.listens_for(engine, "connect")
    def set_(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(_SESSION)
        # A session's own, from now on: who changes the global ones does not reach it.
        cursor.execute("SELECT @@auto_increment_increment, @@max_allowed_packet")
        record.info["id_step"], record.info["packet_bytes"] = cursor.fetchone()
        record.info["is_new"] = True
        if asks_for_tls:
            # aiomysql goes on in the clear where the server offers no TLS.
            cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            if not cursor.fetchone()[1]:
                raise err.OperationalError(2026, "MySQL offers no TLS, and the URL asks for it")
        cursor.close()
        record.info["looked_at"] = time.monotonic()


def _look_again(engine: Engine, servers: Servers) -> None:
    """A server that has become a replica, or comes back as none knows what, answers reads as
    before, with what is no longer the latest."""

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        is_fit = record.info["host"] == servers.chosen
        if is_fit and time.monotonic() - record.info["looked_at"] > LOOK_SECONDS:
            try:
                is_fit = not is_read_only(connection)
            except err.MySQLError:
                is_fit = False
            record.info["looked_at"] = time.monotonic()
        if not is_fit:
            raise exc.DisconnectionError


def _within(seconds: float) -> Callable[..., Awaitable[Any]]:
    """aiomysql bounds only the time that TCP takes: a server that hangs accepts, and is silent."""

    async def connect(**parameters: Any) -> Any:
        async with asyncio.timeout(seconds):
            return await aiomysql.connect(**parameters)

    return connect
