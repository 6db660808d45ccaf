"""Tags are made before the task that carries them, each in a transaction of its own.

Inserting into a UNIQUE index with others deadlocks where it can (bugs.mysql #52020): here
nearly every name is known to this process, the rest is found by one SELECT, and only what is
missing is inserted, in order.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from pymysql import err

from app.domain.errors import TagMissingError
from app.mysql.connection import Connection, placeholders
from app.mysql.database import Database
from app.runtime.steady_clock import steady_seconds

REMEMBERED: Final = 10_000
CHUNK: Final = 500
IDS_SECONDS: Final = 1.0


class TagIds:
    """The ids of tags, for a moment: they belong to one server and one time, and after a failover
    or a restore they may be other tags'. To read them in each transaction cost every twentieth
    submission."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._until = 0.0
        self._server = ""

    async def of(self, connection: Connection, names: Iterable[str]) -> Mapping[str, int]:
        """For the transaction on this connection. Raises `TagMissingError`: they are to be ensured
        first."""
        if steady_seconds() >= self._until or self._server != connection.server:
            self.forget()
            self._until = steady_seconds() + IDS_SECONDS
            self._server = connection.server
        # What is forgotten meanwhile is another server's, and so may be what is found here.
        ids, wanted = self._ids, set(names)
        missing = sorted(wanted - ids.keys())
        found: dict[str, int] = {}
        for begin in range(0, len(missing), CHUNK):
            found |= await _find(connection, names=missing[begin : begin + CHUNK])
        if len(found) < len(missing):
            raise TagMissingError([name for name in missing if name not in found])
        ids.update(found)
        return ids

    def forget(self) -> None:
        """MySQL is another one, or one that was remembered is not there."""
        self._ids = {}


class Tags:
    """The names that have a tag, remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names: set[str] = set()
        self.ids = TagIds()
        # One at a time: whoever waits finds them made.
        self._making = asyncio.Lock()

    async def ensure(self, names: Iterable[str]) -> None:
        """See to it that each name has a tag."""
        missing = sorted(set(names) - self._names)
        for begin in range(0, len(missing), CHUNK):
            chunk = missing[begin : begin + CHUNK]
            while chunk:
                found = await self._database.read(partial(_find, names=chunk))
                chunk = [name for name in chunk if name not in found]
                # Where another process is quicker with one, none is made; look again.
                with suppress(err.IntegrityError):
                    async with self._making:
                        await self._database.transact(partial(_insert, names=chunk))
        if len(self._names) + len(missing) > REMEMBERED:
            self._names.clear()
        self._names.update(missing)

    def forget(self) -> None:
        """Ask MySQL again: one that was remembered is not there."""
        self._names.clear()
        self.ids.forget()


async def _find(connection: Connection, *, names: Sequence[str]) -> dict[str, int]:
    rows = await connection.fetch(
        "SELECT name, id FROM tags FORCE INDEX (ux_tags_name) "
        f"WHERE name IN ({placeholders(names)})",
        names,
    )
    return {row[0]: row[1] for row in rows}


async def _insert(connection: Connection, *, names: Sequence[str]) -> None:
    if names:
        await connection.execute(
            f"INSERT INTO tags (name) VALUES {placeholders(names, '(%s)')}", names
        )
