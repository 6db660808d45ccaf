"""A process that says in MySQL that it is there, for as long as it is."""

import asyncio
import secrets
from contextlib import suppress
from functools import partial

import structlog

import rowlock
from app.domain.errors import RowlockError
from app.mysql.database import Database
from app.queue import processes

log = structlog.get_logger(__name__)


class Presence:
    """Of one process. While MySQL is away it says nothing, and so was not there."""

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._id = secrets.token_hex(16)
        self._say_seen = partial(
            processes.say_seen, process_id=self._id, kind=kind, version=rowlock.__version__
        )
        self._saying: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """From now on."""
        self._saying = asyncio.get_running_loop().create_task(self._say())

    async def end(self) -> None:
        """Not any more."""
        if self._saying is None:
            return
        self._saying.cancel()
        await asyncio.wait([self._saying])
        with suppress(RowlockError):
            await self._database.transact(partial(processes.say_gone, process_id=self._id))

    async def _say(self) -> None:
        while True:
            try:
                # One statement by itself: while this process hangs it keeps its row from nobody.
                await self._database.read(self._say_seen)
            except RowlockError:
                pass
            except Exception:  # a bug; without this no lease would ever be lost again
                log.exception("presence_not_said")
            await asyncio.sleep(processes.SEEN_SECONDS)
