"""How MySQL runs what a list sends, and how many rows it reads for it."""

import warnings
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pymysql import err

from app.mysql.connection import Connection
from app.mysql.database import Database
from app.queue.lists.filters import TaskFilter
from app.queue.lists.listing import list_tasks
from app.queue.lists.pages import Page

TIMEOUT_SECONDS = 2.0


class Look(NamedTuple):
    """One list, looked at: how each table is gone through, and the rows that took."""

    plan: str
    rows_read: int
    has_full_scan: bool


class _Recorder(Connection):
    """Passes statements on, and keeps them."""

    def __init__(self, connection: Connection) -> None:
        self.sent: list[tuple[str, Sequence[Any]]] = []
        self.is_mariadb = connection.is_mariadb
        self._connection = connection

    async def fetch(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        self.sent.append((statement, values))
        return await self._connection.fetch(statement, values)

    def stream(
        self, statement: str, values: Sequence[Any], *, reads_on: bool
    ) -> AsyncGenerator[Sequence[Any]]:
        self.sent.append((statement, values))
        return self._connection.stream(statement, values, reads_on=reads_on)


async def look(database: Database, wanted: TaskFilter, page: Page) -> Look:
    """Run the list once and see."""

    async def work(connection: Connection) -> Look:
        recorder = _Recorder(connection)
        await connection.execute("FLUSH STATUS")
        with suppress(err.MySQLError):  # cut off: what it has read by then is bad enough
            await list_tasks(
                recorder,
                wanted=wanted,
                page=page,
                timeout_seconds=TIMEOUT_SECONDS,
                add=lambda _: 0,
                limit_bytes=0,
            )
        counts = await connection.fetch("SHOW SESSION STATUS LIKE 'Handler_read%'")
        lines = []
        for statement, values in recorder.sent:
            if "ORDER BY" in statement:
                lines += await _explain(connection, statement, values)
        return Look(
            # The streams of a list are alike.
            "; ".join(dict.fromkeys(plan for plan, _ in lines)),
            sum(int(count) for _, count in counts),
            any(is_scan for _, is_scan in lines),
        )

    return await database.read(work)


async def _explain(
    connection: Connection, statement: str, values: Sequence[Any]
) -> list[tuple[str, bool]]:
    if statement.startswith("SET STATEMENT"):
        statement = statement.partition(" FOR ")[2]
    verb = "EXPLAIN" if connection.is_mariadb else "EXPLAIN FORMAT=TRADITIONAL"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the statement as MySQL has rewritten it
        rows = await connection.fetch(f"{verb} {statement}", values)
    found = []
    for row in rows:
        # MySQL has a column of partitions before these.
        access, _, key = row[3:6] if connection.is_mariadb else row[4:7]
        table, extra = row[2], row[-1]
        # A derived table, `<derived2>`, is the page itself, or the streams' first ones.
        is_scan = access == "ALL" and not str(table).startswith("<")
        found.append((f"{table} {access} {key or 'no key'}: {extra or '–'}", is_scan))
    return found
