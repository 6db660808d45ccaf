"""Work on MySQL: the one clock, transactions and their retries.

SQLAlchemy keeps the pool; statements go to the driver as text. Its own execution costs twice
what the driver does, which a queue pays on every transition (`docs/decisions/`).
"""

import asyncio
import itertools
import random
import time
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

from app.engines import Servers, async_engine
from app.errors import DatabaseAwayError, PacketTooSmallError
from app.mysql_errors import DROPPED, LOST, READ_ONLY, TRIES, error_code, translated
from app.settings import Settings

T = TypeVar("T")

# Escaping included.
STATEMENT_BYTES: Final = 4 * 1024 * 1024
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
        *,
        id_step: int,
        packet_bytes: int,
        is_mariadb: bool,
        is_new: bool,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._packet_bytes = packet_bytes
        # What several rows in one statement may weigh together: well below what MySQL takes.
        self.statement_bytes = min(STATEMENT_BYTES, packet_bytes // 2)
        self.id_step = id_step
        self.is_mariadb = is_mariadb
        self.is_new = is_new
        # Half of an answer was read, and the rest would come as the next one.
        self.is_out_of_step = False
        # What this transaction adds to the counters (`app.queue.counters`).
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
    """One MySQL: a pool for transactions, and one for single reads that need none."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_seconds = settings.database_timeout_seconds
        self._pool_size = settings.database_pool_size
        # Long reads leave half of the pool to short ones: heartbeats, readiness, the poller.
        self._long_reads = asyncio.Semaphore(settings.database_pool_size // 2)
        servers = Servers(settings)
        self._much = asyncio.Semaphore(1)
        self._writers = async_engine(settings, servers, "READ COMMITTED")
        # A single SELECT is its own snapshot: under autocommit it costs one round trip, not two.
        self._readers = async_engine(settings, servers, "AUTOCOMMIT")
        # After these another connection does better.
        self._passing = DROPPED | READ_ONLY if servers.are_several else DROPPED
        self._clock = Clock()

    async def transact(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction, committed before this returns.

        Deadlocks and lock waits are rolled back and tried again, as is a connection found
        dead before the commit. Raises `DatabaseAwayError` when MySQL is away; then nothing is
        known to be stored (a commit whose answer was lost may have taken place). Raises
        `RowBusyError` and `PacketTooSmallError`, too.
        """
        return await self._run(self._writers, work)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, whose SELECTs are each a snapshot of their own. Raises
        `DatabaseAwayError` when MySQL is away."""
        return await self._run(self._readers, work)

    async def read_at_length(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for reads that may take long. They wait for each other."""
        async with self._bounded(), self._long_reads:
            return await self.read(work)

    async def read_much(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The same for what takes memory. One at a time."""
        async with self._bounded():
            await self._much.acquire()
        try:
            return await self.read(work)
        finally:
            self._much.release()

    async def close(self) -> None:
        await self._writers.dispose()
        await self._readers.dispose()

    async def _run(self, engine: AsyncEngine, work: Callable[[Connection], Awaitable[T]]) -> T:
        dead = 0
        async with self._bounded():
            for attempt in itertools.count(1):
                committing = False
                try:
                    async with _lent(engine, self._clock) as connection:
                        result = await work(connection)
                        if engine is self._writers:
                            await connection.write_counts()
                            committing = True
                            await connection.commit()
                        return result
                except PacketTooSmallError:
                    # An older connection may not know what the setting is by now.
                    if connection.is_new or dead > self._pool_size:
                        raise
                    dead += 1
                except err.MySQLError as error:
                    code = error_code(error)
                    # Each one of the pool may have died: with the server, or by a time-out.
                    if code in self._passing and not committing and dead <= self._pool_size:
                        dead += 1
                        continue
                    if attempt - dead >= TRIES.get(code or 0, 1):
                        raise translated(error) from error
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


class Clock:
    """MySQL's time, read at most once a second and carried on by this machine's steady clock.

    Every batch needs the time, and a statement only for it costs as much as one that works.
    """

    def __init__(self) -> None:
        self._read: tuple[datetime, float] | None = None

    async def now(self, connection: Connection) -> datetime:
        """UTC_TIMESTAMP(6), but for the time a round trip takes."""
        if self._read is not None and time.monotonic() - self._read[1] <= CLOCK_CARRIED_SECONDS:
            seen, at = self._read
            return seen + timedelta(seconds=time.monotonic() - at)
        asked = time.monotonic()
        ((now,),) = await connection.fetch("SELECT UTC_TIMESTAMP(6)")
        assert isinstance(now, datetime)
        # An answer that was long on its way is used, but says too little to be carried on.
        if time.monotonic() - asked < CLOCK_ROUND_TRIP_SECONDS:
            self._read = (now, asked)
        return now


def marks(values: Sized, mark: str = "%s") -> str:
    """As many placeholders as there are values: `%s, %s, %s`."""
    return ", ".join([mark] * len(values))


@asynccontextmanager
async def _lent(engine: AsyncEngine, clock: Clock) -> AsyncIterator[Connection]:
    """A connection of the pool. It goes back rolled back after an error, and not at all where
    nobody knows what it would answer next (it was lost, or cancelled half-way), or where one
    made today would do better."""
    held: PoolProxiedConnection = await engine.raw_connection()
    connection = Connection(
        held.driver_connection,
        clock,
        id_step=held.info["id_step"],
        packet_bytes=held.info["packet_bytes"],
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
