"""Two transactions in the order a test wants: one held open, the other seen to wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Engine

from app.mysql.connection import Connection
from app.mysql.database import Database

T = TypeVar("T")

Work = Callable[[Connection], Awaitable[T]]


@asynccontextmanager
async def held_open(database: Database, work: Work[T]) -> AsyncIterator[T]:
    """What `work` returned, its transaction open within the block and committed after it."""
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    may_commit = asyncio.Event()

    async def held(connection: Connection) -> None:
        done.set_result(await work(connection))
        await may_commit.wait()

    transaction = asyncio.create_task(database.transact(held))
    either: set[asyncio.Future[Any]] = {transaction, done}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if transaction.done():
        await transaction
    try:
        yield done.result()
    finally:
        may_commit.set()
        await transaction


async def until_blocked(engine: Engine, sessions: int = 1) -> None:
    """Return once so many sessions wait for a row that another holds."""
    async with asyncio.timeout(60):
        while _row_lock_waits(engine) < sessions:  # noqa: ASYNC110  (MySQL sends no event)
            await asyncio.sleep(0.01)


def deadlocks(engine: Engine) -> int:
    """How many there have been since the server's start, retried or not."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        )
        return int(found.scalar_one())


def _row_lock_waits(engine: Engine) -> int:
    with engine.connect() as connection:
        shown = connection.exec_driver_sql(
            "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
        )
        return int(shown.one()[1])
