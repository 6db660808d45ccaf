"""How connections to MySQL are made: their session, TLS, and to which of the servers that the
URL names."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiomysql
import pymysql
from pymysql import err
from sqlalchemy import Engine, create_engine, event, exc, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.mysql.sessions import LONG_SESSION, UNUSED_SHARE, Session, prepare, service_session
from app.runtime.steady_clock import steady_seconds
from app.settings import TLS_OPTIONS, Host, Settings

# Of several servers: so old may be what is known of the one that a connection leads to.
LOOK_SECONDS: Final = 1.0


class Servers:
    """The servers that the URL names. Of several one takes writes, and which one may change."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = list(settings.hosts)
        # The one found last. Whoever finds another one finds it for everybody.
        self.chosen: Host | None = None
        # Each is asked within the time of one call.
        self.seconds_each = settings.database_timeout_seconds / len(self._hosts)
        # A connection last used before then may be dead as well.
        self.doubted_at = 0.0

    @property
    def are_several(self) -> bool:
        return len(self._hosts) > 1

    def doubt(self) -> None:
        """A connection was found dead, or silent: the others that nobody uses now may be, too."""
        self.doubted_at = steady_seconds()

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
                answer = "does not accept writes"
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


def sync_engine(settings: Settings, *, patience_seconds: float | None = None) -> Engine:
    """An engine for a few statements one after the other: migrations, and what `doctor` asks.
    Each is waited for that long, or for as long as it takes."""
    bounds = {} if patience_seconds is None else {"read_timeout": patience_seconds}
    engine = create_engine(
        settings.sync_url,
        poolclass=pool.NullPool,
        connect_args={"connect_timeout": settings.database_timeout_seconds, **bounds},
    )
    _prepare_sessions(engine, LONG_SESSION)
    servers = Servers(settings)
    _lead_to_writable(
        engine,
        servers,
        {"connect_timeout": servers.seconds_each, "read_timeout": servers.seconds_each},
    )
    return engine


def async_engine(settings: Settings, servers: Servers, *, is_autocommit: bool) -> AsyncEngine:
    """A pool for the service."""
    engine = create_async_engine(
        settings.async_url,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        # The one used last is the least likely to be dead, and few are needed at most times.
        pool_use_lifo=True,
        pool_timeout=settings.database_timeout_seconds,
        # Every connection is given back committed or rolled back by its one user.
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args={"async_creator_fn": _within(settings.database_timeout_seconds)},
    )
    session = service_session(
        is_autocommit=is_autocommit, timeout_seconds=settings.database_timeout_seconds
    )
    pooled = engine.sync_engine
    _prepare_sessions(pooled, session)
    _make_tls_context(pooled)
    _lead_to_writable(pooled, servers, {"async_creator_fn": _within(servers.seconds_each)})
    if not TLS_OPTIONS.isdisjoint(settings.async_url.query):
        _require_tls(pooled)
    _retire_unused(pooled, servers, UNUSED_SHARE * settings.database_timeout_seconds)
    if servers.are_several:
        _look_again(pooled, servers)
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


def _prepare_sessions(engine: Engine, session: Session) -> None:
    # First of all: SQLAlchemy itself reads how the session is set.
    @event.listens_for(engine, "connect", insert=True)
    def prepare_(connection: Any, record: Any) -> None:
        record.info["facts"] = prepare(connection, session)
        record.info["is_new"] = True
        record.info["used_at"] = record.info["looked_at"] = steady_seconds()


def _require_tls(engine: Engine) -> None:
    """aiomysql goes on in the clear where the server offers no TLS."""

    @event.listens_for(engine, "connect")
    def look(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        if not cursor.fetchone()[1]:
            raise err.OperationalError(2026, "the URL asks for TLS, but MySQL does not offer it")
        cursor.close()


def _retire_unused(engine: Engine, servers: Servers, seconds: float) -> None:
    """A connection that nobody has used for that long is made anew: MySQL may have ended its
    session, and a firewall on the way may have forgotten it without telling either side."""

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["used_at"] = steady_seconds()

    @event.listens_for(engine, "checkout")
    def look(_connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info["used_at"]
        if used_at < servers.doubted_at or steady_seconds() - used_at > seconds:
            raise exc.DisconnectionError


def _look_again(engine: Engine, servers: Servers) -> None:
    """A server that has become a replica, or comes back as none knows what, answers reads as
    before, with what is no longer the latest."""

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        is_fit = record.info["host"] == servers.chosen
        if is_fit and steady_seconds() - record.info["looked_at"] > LOOK_SECONDS:
            try:
                is_fit = not is_read_only(connection)
            except err.MySQLError:
                is_fit = False
            record.info["looked_at"] = steady_seconds()
        if not is_fit:
            raise exc.DisconnectionError


def _within(seconds: float) -> Callable[..., Awaitable[Any]]:
    """aiomysql bounds only the time that TCP takes: a server that hangs accepts, and is silent. And
    it does so by asyncio.wait_for, which may lose a cancellation before Python 3.12 (python/cpython
    #86296), so that its caller would wait for that server without an end."""

    async def connect(**parameters: Any) -> Any:
        async with asyncio.timeout(seconds):
            return await aiomysql.connect(**parameters)

    return connect
