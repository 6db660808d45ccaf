"""A caller whose time is over while its connection is being made."""

import asyncio

import pytest
from sqlalchemy import make_url

from app.mysql.connection import Connection
from app.mysql.database import Database
from app.settings import Settings

TICKS = 40


@pytest.fixture
def silent(settings: Settings) -> Settings:
    """For a server that accepts, and says nothing: such is one that is stopped."""
    return settings.model_copy(update={"database_timeout_seconds": 600})


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def test_it_is_let_go_in_whatever_moment_that_is(silent: Settings) -> None:
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    _, port = server.sockets[0].getsockname()
    url = make_url(str(silent.database_url)).set(host="127.0.0.1", port=port)
    there = silent.model_copy(update={"database_url": url.render_as_string(hide_password=False)})
    database = Database(there)

    async def ask(connection: Connection) -> object:
        return await connection.fetch("SELECT 1")

    held = []
    for ticks in range(TICKS):
        call = asyncio.create_task(database.read(ask))
        for _ in range(ticks):
            await asyncio.sleep(0)
        call.cancel()
        done, _ = await asyncio.wait([call], timeout=1)
        if not done:
            held.append(ticks)
            call.cancel()
            await asyncio.wait([call])
    await database.close()
    server.close()
    assert held == [], "it waits on, though its time is over"
