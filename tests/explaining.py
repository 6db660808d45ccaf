"""The statements that really go to MySQL, and what the server makes of them."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import Database


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


async def sent_by(
    database: Database, work: Callable[[AsyncConnection], Awaitable[object]]
) -> list[Statement]:
    """What `work` sends of SELECT, UPDATE and the like on `tasks`; nothing of it stays."""
    sent: list[Statement] = []

    def record(
        _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool
    ) -> None:
        sent.append(Statement(statement, tuple(values or ())))

    async def recorded(connection: AsyncConnection) -> None:
        try:
            await work(connection)
        finally:
            raise _RolledBackError

    event.listen(Engine, "before_cursor_execute", record)
    try:
        await database.transact(recorded)
    except _RolledBackError:
        pass
    finally:
        event.remove(Engine, "before_cursor_execute", record)
    return [statement for statement in sent if " tasks " in statement.text]


def explain(connection: Connection, statement: Statement) -> list[Plan]:
    """How the server means to run it."""
    rows = connection.exec_driver_sql(
        f"EXPLAIN FORMAT=TRADITIONAL {statement.text}", statement.values
    ).mappings()
    return [Plan(row["table"], row["type"], row["key"], row["Extra"] or "") for row in rows]


def rows_read(connection: Connection, statement: Statement) -> int:
    """How many rows the storage engine handed up to run it."""
    connection.exec_driver_sql("FLUSH STATUS")
    connection.exec_driver_sql(statement.text, statement.values).all()
    shown = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
    return sum(int(count) for _, count in shown)
