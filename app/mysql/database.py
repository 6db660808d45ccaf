"""Work on MySQL: transactions and their retries.

SQLAlchemy keeps the pool; statements go to the driver as text. Its own execution costs twice
what the driver does, which a queue pays on every transition (`docs/decisions/`).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import structlog
from pymysql import err
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from app.domain.errors import DatabaseAwayError, DatabaseBusyError, PacketTooSmallError
from app.mysql.connection import Clock, Connection
from app.mysql.engines import Servers, async_engine
from app.mysql.error_codes import DROPPED, LOST, READ_ONLY, TRIES, error_code, translated
from app.mysql.sessions import Facts
from app.runtime.steady_clock import steady_seconds
from app.settings import Settings

T = TypeVar("T")

# Who came in at once is told by MySQL's own time-out that MySQL does not answer.
LATE_SHARE: Final = 1.05

log = structlog.get_logger(__name__)


class UnsettledError(Exception):
    """A bug: something follows from what a transaction did, and nobody wrote it."""


class Database:
    """One MySQL: a pool for transactions, and one for single reads that need none.

    Every method raises `DatabaseAwayError` when MySQL is away. `on_server_change` are called
    when it is another server from now on, before anything is asked of that one: what was
    remembered of rows may be of rows that it has not.

    `settle` writes what follows from a transaction's changes (`Connection.unsettled`), before each
    commit. While anything is left nothing is committed: `UnsettledError`. `on_also_moved` are told
    after it of what was moved besides (`Connection.also_moved`).
    """

    def __init__(
        self,
        settings: Settings,
        settle: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._settle = settle
        self._timeout_seconds = settings.database_timeout_seconds
        self._pool_size = settings.database_pool_size
        # Those that many callers may each want for themselves leave half of a pool to the
        # others: to batches, heartbeats, readiness, the poller.
        self._long_reads = asyncio.Semaphore(settings.database_pool_size // 2)
        self._alone = asyncio.Semaphore(settings.database_pool_size // 2)
        self._much = asyncio.Semaphore(1)
        self._servers = Servers(settings)
        self._writers = async_engine(settings, self._servers, is_autocommit=False)
        # A single SELECT is its own snapshot: under autocommit it costs one round trip, not two.
        self._readers = async_engine(settings, self._servers, is_autocommit=True)
        # After these another connection does better.
        self._passing = DROPPED | READ_ONLY if self._servers.are_several else DROPPED
        self._clock = Clock()
        self._server: str | None = None
        self.on_server_change: list[Callable[[], object]] = [self._clock.forget]
        self.on_also_moved: list[Callable[[list[Any]], Awaitable[None]]] = []

    async def transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction, committed before this returns.

        Deadlocks and lock waits are rolled back and tried again, as is a connection found
        dead before the commit. Where MySQL is away nothing is known to be stored (a commit whose
        answer was lost may have taken place). Raises `RowBusyError` and `PacketTooSmallError`,
        too.
        """
        also_moved: list[Any] = []
        done = await self._in_time(self._writers, work, also_moved)
        if also_moved:
            for tell in self.on_also_moved:
                await tell(also_moved)
        return done

    async def transact_alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for a call that shares its transaction with no other. Raises
        `DatabaseBusyError`, too."""
        async with self._room(self._alone):
            return await self.transact(work)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, whose SELECTs are each a snapshot of their own."""
        return await self._in_time(self._readers, work, [])

    async def read_at_length(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for reads that may take long. Raises `DatabaseBusyError`, too."""
        async with self._room(self._long_reads):
            return await self.read(work)

    async def read_much(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for what takes memory, one at a time. Raises `DatabaseBusyError`, too."""
        async with self._room(self._much):
            return await self.read(work)

    async def close(self) -> None:
        await self._writers.dispose()
        await self._readers.dispose()

    @asynccontextmanager
    async def _room(self, room: asyncio.Semaphore) -> AsyncIterator[None]:
        """Who waits here waits for others like it, and not for MySQL; for both together it waits
        no longer than for one."""
        began = steady_seconds()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await room.acquire()
        except TimeoutError as error:
            raise DatabaseBusyError from error
        left = LATE_SHARE * self._timeout_seconds - (steady_seconds() - began)
        try:
            async with asyncio.timeout(left):
                yield
        except TimeoutError as error:
            raise DatabaseBusyError from error
        finally:
            room.release()

    async def _in_time(
        self,
        engine: AsyncEngine,
        work: Callable[[Connection], Awaitable[T]],
        also_moved: list[Any],
    ) -> T:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._run(engine, work, also_moved)
        except TimeoutError as error:
            self._servers.doubt()
            reason = f"no answer within {self._timeout_seconds:g} s"
            raise DatabaseAwayError(reason=reason) from error

    async def _run(
        self,
        engine: AsyncEngine,
        work: Callable[[Connection], Awaitable[T]],
        also_moved: list[Any],
    ) -> T:
        lost_connections = lost_races = 0
        while True:
            is_committing = False
            try:
                async with self._lent(engine) as connection:
                    result = await work(connection)
                    if connection.unsettled and self._settle is not None:
                        await self._settle(connection)
                    if connection.unsettled:
                        raise UnsettledError(", ".join(connection.unsettled))
                    if engine is self._writers:
                        is_committing = True
                        await connection.commit()
                        also_moved += connection.also_moved
                    return result
            except PacketTooSmallError:
                # An older connection may not know what the setting is by now.
                if connection.is_new or lost_connections > self._pool_size:
                    raise
                lost_connections += 1
            except err.MySQLError as error:
                code = error_code(error)
                if code in DROPPED:
                    self._servers.doubt()
                if code in self._passing and not is_committing:
                    # Each one of the pool may have died: with the server, or by a time-out.
                    lost_connections += 1
                    if lost_connections <= self._pool_size + 1:
                        continue
                lost_races += 1
                if lost_races >= TRIES.get(code or 0, 1):
                    raise translated(error) from error
                log.info("transaction_retried", code=code, attempt=lost_races)
                await asyncio.sleep(random.uniform(0, 0.005 * 2**lost_races))  # noqa: S311

    @asynccontextmanager
    async def _lent(self, engine: AsyncEngine) -> AsyncIterator[Connection]:
        """A connection of the pool. It goes back rolled back after an error, and not at all where
        nobody knows what it would answer next (it was lost, or cancelled half-way), or where one
        made today would do better."""
        held = await self._connected(engine)
        facts: Facts = held.info["facts"]
        if facts.server != self._server:
            self._meet(facts.server)
        connection = Connection(
            held.driver_connection,
            self._clock,
            facts,
            is_mariadb=engine.dialect.is_mariadb,  # type: ignore[attr-defined]
            is_new=held.info.pop("is_new", False),
        )
        try:
            yield connection
            if connection.is_out_of_step:
                held.invalidate()
        except BaseException as error:
            is_in_step = isinstance(error, Exception) and error_code(error) not in LOST | READ_ONLY
            is_in_step &= not isinstance(error, PacketTooSmallError)
            try:
                if is_in_step:
                    await connection.rollback()
            except BaseException:
                is_in_step = False
                raise
            finally:
                if not is_in_step:
                    held.invalidate()
            raise
        finally:
            held.close()

    async def _connected(self, engine: AsyncEngine) -> PoolProxiedConnection:
        """Whatever goes wrong while connecting, MySQL does not let us in: it is away."""
        try:
            return await engine.raw_connection()
        except exc.TimeoutError as error:
            raise DatabaseBusyError from error
        except err.MySQLError as error:
            if error_code(error) in self._passing:
                raise
            raise DatabaseAwayError(reason=str(error.args[-1])) from error
        except (OSError, RuntimeError, exc.SQLAlchemyError) as error:
            said = error.orig if isinstance(error, exc.DBAPIError) else error
            raise DatabaseAwayError(
                reason=str(said) or "no connection was available in time"
            ) from error

    def _meet(self, server: str) -> None:
        if self._server is not None:
            log.warning("another_server", was=self._server, now=server)
            for forget in self.on_server_change:
                forget()
        self._server = server
