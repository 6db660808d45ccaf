"""Connections that died while nobody used them cost no caller an error."""

import asyncio

from sqlalchemy import Engine, text

from app.mysql.connection import Connection
from app.service.resources import Resources

HELD = 4


async def test_calls_succeed_though_every_connection_of_the_pool_was_killed(
    resources: Resources, engine: Engine
) -> None:
    everybody = asyncio.Barrier(HELD)

    async def own_id(connection: Connection) -> int:
        await everybody.wait()  # each has a connection of its own
        ((number,),) = await connection.fetch("SELECT CONNECTION_ID()")
        return int(number)

    async def answer(connection: Connection) -> int:
        ((number,),) = await connection.fetch("SELECT 42")
        return int(number)

    for work in (resources.database.transact, resources.database.read):
        held = await asyncio.gather(*(work(own_id) for _ in range(HELD)))
        with engine.connect() as killer:
            for number in held:
                killer.execute(text(f"KILL {number}"))

        assert [await work(answer) for _ in range(HELD)] == [42] * HELD
