"""Tags are made before the task that carries them, each in a transaction of its own.

Inserting into a UNIQUE index with others deadlocks where it can (bugs.mysql #52020): here
nearly every name is found in the process's own memory, the rest by one SELECT, and only what
is missing is inserted, in order.
"""

from collections.abc import Iterable
from contextlib import suppress

from pymysql import err

from app.db import Connection, Database, marks
from app.queue.calls import TagIds

REMEMBERED = 10_000


class Tags:
    """The ids of tags, remembered: rows of `tags` never change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}

    async def ensure(self, names: Iterable[str]) -> TagIds:
        """The ids of the names, made where missing."""
        wanted = set(names)
        if not wanted <= self._ids.keys():
            if len(self._ids) > REMEMBERED:
                self._ids.clear()
            await self._find(wanted - self._ids.keys())
            for name in sorted(wanted - self._ids.keys()):
                await self._insert(name)
            await self._find(wanted - self._ids.keys())
        return {name: self._ids[name] for name in wanted}

    def forget(self) -> None:
        """Ask MySQL again: a remembered id was not there."""
        self._ids.clear()

    async def _find(self, names: Iterable[str]) -> None:
        wanted = tuple(names)
        if not wanted:
            return
        rows = await self._database.read(
            lambda connection: connection.fetch(
                f"SELECT name, id FROM tags WHERE name IN ({marks(wanted)})", wanted
            )
        )
        self._ids.update((name, tag_id) for name, tag_id in rows)

    async def _insert(self, name: str) -> None:
        async def insert(connection: Connection) -> None:
            await connection.execute("INSERT INTO tags (name) VALUES (%s)", (name,))

        # Where another process was quicker, it is there to be found now.
        with suppress(err.IntegrityError):
            await self._database.transact(insert)
