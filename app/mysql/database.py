"""Work on MySQL: the one clock, transactions and their retries.

SQLAlchemy keeps the pool; statements go to the driver as text. Its own execution costs twice
what the driver does, which a queue pays on every transition (`docs/decisions/`).
"""

import asyncio
import random
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
    Sized,
)
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import structlog
from aiomysql.cursors import SSCursor
from pymysql import err
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from app.domain.errors import DatabaseAwayError, DatabaseBusyError, PacketTooSmallError
from app.mysql.engines import Servers, async_engine
from app.mysql.error_codes import DROPPED, LOST, READ_ONLY, TRIES, error_code, translated
from app.mysql.sessions import Facts
from app.runtime.steady_clock import steady_seconds
from app.settings import Settings

T = TypeVar("T")

# Escaping included.
STATEMENT_BYTES: Final = 4 * 1024 * 1024
# Who came in at once is told by MySQL's own time-out that MySQL does not answer.
LATE_SHARE: Final = 1.05
CLOCK_CARRIED_SECONDS: Final = 1.0
CLOCK_ROUND_TRIP_SECONDS: Final = 0.02

log = structlog.get_logger(__name__)


class Written(NamedTuple):
    """What a statement did: the rows it matched, and the first id it made."""

    matched: int
    first_id: int


class Connection:
    """A driver's connection, lent for one piece of work."""

    def __init__(
        self,
        driver: Any,
        clock: "Clock",
        facts: Facts,
        *,
        is_mariadb: bool,
        is_new: bool,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._packet_bytes = facts.packet_bytes
        # Which one it is of those that the URL may mean.
        self.server = facts.server
        # What several rows in one statement may weigh together: well below what MySQL takes.
        self.statement_bytes = min(STATEMENT_BYTES, facts.packet_bytes // 2)
        self.id_step = facts.id_step
        self.is_mariadb = is_mariadb
        self.is_new = is_new
        # Half of an answer was read, and the rest would come as the next one.
        self.is_out_of_step = False
        # What this transaction adds to the counters (`app.queue.figures.counters`).
        self.counts: Counter[str] = Counter()

    async def fetch(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT, its `%s` filled in by the driver."""
        cursor = await self._execute(statement, values)
        rows: Sequence[Sequence[Any]] = await cursor.fetchall()
        return rows

    async def stream(
        self, statement: str, values: Sequence[Any], *, reads_on: bool
    ) -> AsyncGenerator[Sequence[Any]]:
        """The rows of a SELECT, one by one; to be closed by whoever has enough of them.

        Without `reads_on` the connection is then of no further use, if there are many more.
        """
        cursor = await self._execute(statement, values, SSCursor)
        while (row := await cursor.fetchone()) is not None:
            try:
                yield row
            except GeneratorExit:
                if reads_on:
                    await cursor.close()
                elif await cursor.fetchone() is not None:
                    self.is_out_of_step = True
                    # Each knows the other, with half a megabyte of row: they would stay as garbage.
                    self._driver._result = None
                raise

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Written:
        """Run a statement that writes."""
        cursor = await self._execute(statement, values)
        return Written(cursor.rowcount, cursor.lastrowid)

    async def now(self) -> datetime:
        """MySQL's time."""
        return await self._clock.now(self)

    async def write_counts(self) -> None:
        """Store what the transaction adds to the counters, as one row that nobody waits for."""
        if deltas := {name: delta for name, delta in self.counts.items() if delta}:
            await self.add_to_counters(deltas)

    async def add_to_counters(self, deltas: Mapping[str, int]) -> None:
        """One row, with these deltas by the counters' names."""
        text = orjson.dumps(deltas).decode()
        await self.execute("INSERT INTO counter_deltas (deltas) VALUES (%s)", (text,))

    async def commit(self) -> None:
        await self._driver.commit()

    async def rollback(self) -> None:
        await self._driver.rollback()

    async def _execute(self, statement: str, values: Sequence[Any], *kind: type) -> Any:
        cursor = await self._driver.cursor(*kind)
        text = cursor.mogrify(statement, values or None)
        # MySQL would hang up, as if it had died; and it counts one byte more.
        if len(text) >= self._packet_bytes // 4 and len(text.encode()) + 1 >= self._packet_bytes:
            raise PacketTooSmallError
        await cursor.execute(text)
        return cursor


class Database:
    """One MySQL: a pool for transactions, and one for single reads that need none.

    Every method raises `DatabaseAwayError` when MySQL is away. `on_server_change` are called
    when it is another server from now on, before anything is asked of that one: what was
    remembered of rows may be of rows that it has not.
    """

    def __init__(self, settings: Settings) -> None:
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

    async def transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction, committed before this returns.

        Deadlocks and lock waits are rolled back and tried again, as is a connection found
        dead before the commit. Where MySQL is away nothing is known to be stored (a commit whose
        answer was lost may have taken place). Raises `RowBusyError` and `PacketTooSmallError`,
        too.
        """
        return await self._in_time(self._writers, work)

    async def transact_alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for a call that shares its transaction with no other. Raises
        `DatabaseBusyError`, too."""
        async with self._room(self._alone):
            return await self.transact(work)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, whose SELECTs are each a snapshot of their own."""
        return await self._in_time(self._readers, work)

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

    async def _in_time(self, engine: AsyncEngine, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._run(engine, work)
        except TimeoutError as error:
            self._servers.doubt()
            reason = f"no answer within {self._timeout_seconds:g} s"
            raise DatabaseAwayError(reason=reason) from error

    async def _run(self, engine: AsyncEngine, work: Callable[[Connection], Awaitable[T]]) -> T:
        lost_connections = lost_races = 0
        while True:
            is_committing = False
            try:
                async with self._lent(engine) as connection:
                    result = await work(connection)
                    if engine is self._writers:
                        await connection.write_counts()
                        is_committing = True
                        await connection.commit()
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
            raise DatabaseAwayError(reason=str(said) or "no connection in time") from error

    def _meet(self, server: str) -> None:
        if self._server is not None:
            log.warning("another_server", was=self._server, now=server)
            for forget in self.on_server_change:
                forget()
        self._server = server


class Clock:
    """MySQL's time, read at most once a second and carried on by this machine's steady clock.

    Every batch needs the time, and a statement only for it costs as much as one that works.
    """

    def __init__(self) -> None:
        self._read: tuple[datetime, float] | None = None

    async def now(self, connection: Connection) -> datetime:
        """UTC_TIMESTAMP(6), but for the time a round trip takes."""
        if self._read is not None:
            seen, at = self._read
            since = steady_seconds() - at
            if since <= CLOCK_CARRIED_SECONDS:
                return seen + timedelta(seconds=since)
        asked = steady_seconds()
        ((now,),) = await connection.fetch("SELECT UTC_TIMESTAMP(6)")
        assert isinstance(now, datetime)
        # An answer that was long on its way is used, but says too little to be carried on.
        if steady_seconds() - asked < CLOCK_ROUND_TRIP_SECONDS:
            self._read = (now, asked)
        return now

    def forget(self) -> None:
        """The next one asks."""
        self._read = None


def placeholders(values: Sized, mark: str = "%s") -> str:
    """As many placeholders as there are values: `%s, %s, %s`."""
    return ", ".join([mark] * len(values))
