"""What follows from a change is written with it, or neither is."""

import httpx
import pytest
from sqlalchemy import Engine, text

from app.mysql.connection import Connection
from app.mysql.database import Database, UnsettledError
from app.queue import consequences, edit
from app.service.resources import Resources
from app.settings import Settings
from tests.support.calls import get, submit


def stored(engine: Engine) -> tuple[int, int]:
    """The tasks, and the rows of counters that wait to be folded."""
    with engine.connect() as connection:
        return (
            connection.execute(text("SELECT COUNT(*) FROM tasks")).scalar_one(),
            connection.execute(text("SELECT COUNT(*) FROM counter_deltas")).scalar_one(),
        )


async def test_a_consequence_that_nobody_writes_refuses_the_whole_commit(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    task = await submit(api)
    before = stored(engine)

    async def delete(connection: Connection) -> None:
        await edit.delete(connection, task_id=task["id"])
        connection.unsettled["borrowed"] = {"default": -1}

    with pytest.raises(UnsettledError, match="borrowed"):
        await resources.database.transact(delete)
    assert stored(engine) == before
    assert await get(api, task["id"]) == task


async def test_a_process_that_settles_nothing_can_move_nothing(
    api: httpx.AsyncClient, settings: Settings, engine: Engine
) -> None:
    task = await submit(api)
    before = stored(engine)
    database = Database(settings)
    try:
        with pytest.raises(UnsettledError, match=consequences.COUNTS):
            await database.transact(lambda c: edit.delete(c, task_id=task["id"]))
    finally:
        await database.close()
    assert stored(engine) == before
