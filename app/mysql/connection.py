"""A connection to MySQL, lent for one piece of work, and MySQL's time as it tells it."""

from collections.abc import AsyncGenerator, Sequence, Sized
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aiomysql.cursors import SSCursor

from app.domain.errors import PacketTooSmallError
from app.mysql.sessions import Facts
from app.mysql.time_limits import timed
from app.runtime.steady_clock import steady_seconds

# Escaping included.
STATEMENT_BYTES: Final = 4 * 1024 * 1024
CLOCK_CARRIED_SECONDS: Final = 1.0
CLOCK_ROUND_TRIP_SECONDS: Final = 0.02
# Without a row of the version, the time comes all the same.
CLOCK: Final = (
    "SELECT UTC_TIMESTAMP(6), (SELECT version FROM settings_version WHERE id = 1) AS version"
)


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
        # What follows from this transaction's changes and is not written yet, by its kind.
        self.unsettled: dict[str, Any] = {}
        # What was moved besides what the work is about: to be told of after the commit.
        self.also_moved: list[Any] = []
        self._fetch_seconds: float | None = None
        self._ahead: list[tuple[str, list[Sequence[Any]]]] = []
        self._last: list[str] = []

    def in_time(self, seconds: float) -> "Connection":
        """The same connection, but that MySQL breaks a `fetch` off which takes longer
        (`app.mysql.time_limits.is_out_of_time`)."""
        limited = copy(self)
        limited._fetch_seconds = seconds
        return limited

    async def fetch(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT, its `%s` filled in by the driver."""
        if self._fetch_seconds is not None:
            statement = timed(statement, self._fetch_seconds, is_mariadb=self.is_mariadb)
        cursor = await self._execute(statement, values)
        rows: Sequence[Sequence[Any]] = await cursor.fetchall()
        return rows

    async def stream(
        self, statement: str, values: Sequence[Any], *, reads_on: bool
    ) -> AsyncGenerator[Sequence[Any]]:
        """The rows of a SELECT, one by one; to be closed by whoever has enough of them.

        Without `reads_on` the connection is then of no further use, if there are many more.
        """
        if self._ahead:  # of several results the driver streams only the first
            await self.fetch("SELECT 1")
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

    async def fetch_ahead(self, statement: str, values: Sequence[Any]) -> list[Sequence[Any]]:
        """Run a statement together with the next one, in one round trip; the rows of a SELECT are
        in this list once that has run."""
        rows: list[Sequence[Any]] = []
        self._ahead.append(((await self._driver.cursor()).mogrify(statement, values), rows))
        return rows

    async def execute_last(self, statement: str, values: Sequence[Any]) -> None:
        """Run a statement together with the commit, in one round trip: one that does all that it
        is to do or fails, and of which nothing is read before the commit."""
        text = (await self._driver.cursor()).mogrify(statement, values)
        if sum(map(len, self._last)) + len(text) > self.statement_bytes // 4:
            await self._execute(text, ())
        else:
            self._last.append(text)

    async def now(self) -> datetime:
        """MySQL's time."""
        return await self._clock.now(self)

    @property
    def settings_version(self) -> int | None:
        """What changes with the settings of any queue, as it was when the time was last asked
        for; None: there never were any."""
        return self._clock.settings_version

    @property
    def remembered(self) -> dict[str, Any]:
        """What this process knows of MySQL, by kind, for all connections; forgotten where it is
        another server."""
        return self._clock.remembered

    async def commit(self) -> None:
        """Commit, with what is to go last. MySQL runs no statement after one that fails."""
        last, self._last = self._last, []
        if not last:
            await self._driver.commit()
            return
        cursor = await self._execute("; ".join([*last, "COMMIT"]), ())
        while await cursor.nextset():
            pass

    async def rollback(self) -> None:
        await self._driver.rollback()

    async def _execute(self, statement: str, values: Sequence[Any], *kind: type) -> Any:
        cursor = await self._driver.cursor(*kind)
        text = cursor.mogrify(statement, values or None)
        ahead, self._ahead = self._ahead, []
        if ahead:
            text = "; ".join([*(statement for statement, _ in ahead), text])
        # MySQL would hang up, as if it had died; and it counts one byte more.
        if len(text) >= self._packet_bytes // 4 and len(text.encode()) + 1 >= self._packet_bytes:
            raise PacketTooSmallError
        await cursor.execute(text)
        for _, rows in ahead:
            rows.extend(await cursor.fetchall())
            await cursor.nextset()
        return cursor


class Clock:
    """MySQL's time, read at most once a second and carried on by this machine's steady clock; and
    with it the version of the settings.

    Every batch needs the time, and a statement only for it costs as much as one that works.
    """

    def __init__(self) -> None:
        self._read: tuple[datetime, float] | None = None
        self.settings_version: int | None = None
        self.remembered: dict[str, Any] = {}

    async def now(self, connection: Connection) -> datetime:
        """UTC_TIMESTAMP(6), but for the time a round trip takes."""
        if self._read is not None:
            seen, at = self._read
            since = steady_seconds() - at
            if since <= CLOCK_CARRIED_SECONDS:
                return seen + timedelta(seconds=since)
        asked = steady_seconds()
        ((now, self.settings_version),) = await connection.fetch(CLOCK)
        assert isinstance(now, datetime)
        # An answer that was long on its way is used, but says too little to be carried on.
        if steady_seconds() - asked < CLOCK_ROUND_TRIP_SECONDS:
            self._read = (now, asked)
        return now

    def forget(self) -> None:
        """The next one asks."""
        self._read = None
        self.remembered.clear()


def placeholders(values: Sized, mark: str = "%s") -> str:
    """As many placeholders as there are values: `%s, %s, %s`."""
    return ", ".join([mark] * len(values))
