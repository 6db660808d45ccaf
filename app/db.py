"""Connections to MySQL: the one clock, the session settings, transactions and their retries."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Sized
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import pymysql
import structlog
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.errors import DatabaseAwayError
from app.settings import Settings

T = TypeVar("T")

LOCK_WAIT_TIMEOUT, DEADLOCK = 1205, 1213
RETRIED: Final = frozenset({LOCK_WAIT_TIMEOUT, DEADLOCK})
# The server is full, going down, out of space, read-only, or not letting anybody in.
_SERVER_AWAY = {1021, 1037, 1040, 1041, 1044, 1045, 1049, 1053, 1077, 1114, 1129, 1130}
_SERVER_AWAY |= {1158, 1159, 1160, 1161, 1203, 1226, 1290, 1792, 1836, 3032, 3100, 3101, 4031}
# The connection was refused or lost.
_CONNECTION_AWAY = {2002, 2003, 2006, 2012, 2013, 2014, 2055}
AWAY: Final = frozenset(_SERVER_AWAY | _CONNECTION_AWAY)
TRIES: Final = 5

_SESSION = (
    "SET time_zone = '+00:00', innodb_lock_wait_timeout = 5, "
    "group_concat_max_len = 1048576, "
    "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
)

log = structlog.get_logger(__name__)


def error_code(error: exc.DBAPIError) -> int | None:
    """MySQL's number for what went wrong."""
    arguments = error.orig.args if error.orig is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


class Database:
    """One MySQL: a pool for transactions, and one for single reads that need none."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_seconds = settings.database_timeout_seconds
        self._writers = _engine(settings, "READ COMMITTED")
        # A single SELECT is its own snapshot: under autocommit it costs one round trip, not two.
        self._readers = _engine(settings, "AUTOCOMMIT")

    async def transact(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work` in one transaction, committed before this returns.

        Deadlocks and lock waits are rolled back and tried again, as is a connection found
        dead before the commit. Raises `DatabaseAwayError` when MySQL is away; then nothing is
        known to be stored (a commit whose answer was lost may have taken place).
        """
        return await self._run(self._writers, work)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work`, whose SELECTs are each a snapshot of their own. Raises
        `DatabaseAwayError` when MySQL is away."""
        return await self._run(self._readers, work)

    async def close(self) -> None:
        await self._writers.dispose()
        await self._readers.dispose()

    async def _run(self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        for attempt in range(1, TRIES + 1):
            committing = False
            try:
                async with self._bounded(), engine.connect() as connection:
                    result = await work(connection)
                    committing = True
                    if engine is self._writers:
                        await connection.commit()
                    return result
            except exc.DBAPIError as error:
                code = error_code(error)
                found_dead = error.connection_invalidated and not committing and attempt == 1
                if attempt == TRIES or not (code in RETRIED or found_dead):
                    raise _translated(error) from error
                log.info("transaction_retried", code=code, attempt=attempt)
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError as error:
            raise DatabaseAwayError(
                reason=f"no answer within {self._timeout_seconds:g} s"
            ) from error
        except exc.TimeoutError as error:
            raise DatabaseAwayError(reason="every connection is busy") from error


async def fetch(
    connection: AsyncConnection, statement: str, values: Sequence[Any] = ()
) -> Sequence[Sequence[Any]]:
    """The rows of a SELECT, its `%s` filled in by the driver."""
    return (await connection.exec_driver_sql(statement, tuple(values))).fetchall()


async def read_clock(connection: AsyncConnection) -> datetime:
    """MySQL's UTC_TIMESTAMP(6), the only clock."""
    ((now,),) = await fetch(connection, "SELECT UTC_TIMESTAMP(6)")
    assert isinstance(now, datetime)
    return now


def marks(values: Sized, mark: str = "%s") -> str:
    """As many placeholders as there are values: `%s, %s, %s`."""
    return ", ".join([mark] * len(values))


def _engine(settings: Settings, isolation_level: Any) -> AsyncEngine:
    engine = create_async_engine(
        settings.async_url,
        isolation_level=isolation_level,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.database_timeout_seconds,
        pool_recycle=1800,
        # Every connection is given back committed or rolled back by its one user, above.
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args={"connect_timeout": settings.database_timeout_seconds},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _make_tls_context(_dialect: Any, _record: Any, _args: Any, parameters: Any) -> None:
        # PyMySQL makes its context of the URL's `ssl_*` options itself; aiomysql wants it made.
        if isinstance(options := parameters.get("ssl"), dict):
            parameters["ssl"] = pymysql.Connection(ssl=options, defer_connect=True).ctx

    @event.listens_for(engine.sync_engine, "connect")
    def _set_session(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(_SESSION)
        cursor.close()

    return engine


def _translated(error: exc.DBAPIError) -> Exception:
    code = error_code(error)
    if error.connection_invalidated or code in AWAY or code in RETRIED:
        reason = str(error.orig.args[-1]) if error.orig and error.orig.args else "unknown"
        return DatabaseAwayError(reason=reason)
    return error
