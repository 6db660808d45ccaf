"""The statements that really go to MySQL, and what the server makes of them."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from app.mysql.connection import Connection as Queries
from app.mysql.connection import Written
from app.mysql.database import Database

# `numbers`, from 0 to 199,999.
NUMBERS: Final = """WITH digits AS (
    SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
numbers AS (
    SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n
    FROM digits a, digits b, digits c, digits e, digits f, digits g WHERE g.d < 2
)"""


class Statement(NamedTuple):
    """A statement with its values, as the driver gets it."""

    text: str
    values: tuple[Any, ...]


class Plan(NamedTuple):
    """One line of EXPLAIN."""

    table: str | None
    access: str | None
    key: str | None
    extra: str


class _RolledBackError(Exception):
    pass


class _Recorder(Queries):
    """Passes statements on, and keeps them."""

    def __init__(self, connection: Queries) -> None:
        self.sent: list[Statement] = []
        self.unsettled = connection.unsettled
        self.also_moved = connection.also_moved
        self.id_step = connection.id_step
        self.server = connection.server
        self.statement_bytes = connection.statement_bytes
        self.is_mariadb = connection.is_mariadb
        self.now = connection.now  # type: ignore[method-assign]
        self._clock = connection._clock
        self._connection = connection

    async def fetch(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        self.sent.append(Statement(statement, tuple(values)))
        return await self._connection.fetch(statement, values)

    def stream(
        self, statement: str, values: Sequence[Any], *, reads_on: bool
    ) -> AsyncGenerator[Sequence[Any]]:
        self.sent.append(Statement(statement, tuple(values)))
        return self._connection.stream(statement, values, reads_on=reads_on)

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Written:
        self.sent.append(Statement(statement, tuple(values)))
        return await self._connection.execute(statement, values)

    async def execute_last(self, statement: str, values: Sequence[Any]) -> None:
        self.sent.append(Statement(statement, tuple(values)))
        await self._connection.execute_last(statement, values)

    async def fetch_ahead(self, statement: str, values: Sequence[Any]) -> list[Sequence[Any]]:
        self.sent.append(Statement(statement, tuple(values)))
        return await self._connection.fetch_ahead(statement, values)


async def sent_by(
    database: Database, work: Callable[[Queries], Awaitable[object]], about: str = "tasks"
) -> list[Statement]:
    """What `work` sends of SELECT, UPDATE and the like on a table; nothing of it stays."""
    sent: list[Statement] = []

    async def recorded(connection: Queries) -> None:
        recorder = _Recorder(connection)
        try:
            await work(recorder)
        finally:
            sent.extend(recorder.sent)
            raise _RolledBackError

    with suppress(_RolledBackError):
        await database.transact(recorded)
    return [s for s in sent if f" {about}" in s.text]


def explain(connection: Connection, statement: Statement) -> list[Plan]:
    """How the server means to run it."""
    select = re.sub(
        r"^SET STATEMENT .+? FOR (?=SELECT)", "", statement.text
    )  # MariaDB's time limit
    rows = connection.exec_driver_sql(
        f"EXPLAIN FORMAT=TRADITIONAL {select}", statement.values
    ).mappings()
    return [Plan(row["table"], row["type"], row["key"], row["Extra"] or "") for row in rows]


def rows_read(connection: Connection, statement: Statement) -> int:
    """How many rows the storage engine handed up to run it."""
    connection.exec_driver_sql("FLUSH STATUS")
    connection.exec_driver_sql(statement.text, statement.values).all()
    shown = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(count) for _, count in shown)
