"""A process that says that it is there stops saying so when it ends."""

import asyncio
from contextlib import suppress
from typing import Any

from app.mysql.database import Database
from app.queue import processes
from app.service.presence import Presence


class Deaf(Database):
    """Loses the first that it is told of an end, as a connection that is just being made does."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.calls = 0
        self.is_gone = False

    async def read(self, _work: Any) -> Any:
        self.calls += 1
        self.asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60 if self.calls == 1 else 0)

    async def transact(self, _work: Any) -> Any:
        self.is_gone = True


async def test_it_ends_though_it_did_not_hear_it_at_first() -> None:
    database = Deaf()
    presence = Presence(database, processes.API)
    presence.begin()
    await database.asked.wait()

    async with asyncio.timeout(60):
        await presence.end()

    assert database.is_gone
