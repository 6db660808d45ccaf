"""Tags are made before the task that carries them, each in a transaction of its own.

Inserting into a UNIQUE index with others deadlocks where it can (bugs.mysql #52020): here
nearly every name is found in the process's own memory, the rest by one SELECT, and only what
is missing is inserted, in order.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from pymysql import err

from app.db import Connection, Database, marks
from app.queue.calls import TagIds

REMEMBERED: Final = 10_000
CHUNK: Final = 500


class Tags:
    """The ids of tags, remembered: rows of `tags` never change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}
        # One at a time: whoever waits finds them made.
        self._making = asyncio.Lock()

    async def ensure(self, names: Iterable[str]) -> TagIds:
        """The ids of the names, made where missing."""
        wanted = sorted(set(names))
        found = {name: self._ids[name] for name in wanted if name in self._ids}
        for begin in range(0, len(wanted), CHUNK):
            chunk = [name for name in wanted[begin : begin + CHUNK] if name not in found]
            while chunk:
                found |= await self._find(chunk)
                chunk = [name for name in chunk if name not in found]
                # Where another process is quicker with one, none is made; look again.
                with suppress(err.IntegrityError):
                    async with self._making:
                        await self._database.transact(partial(_insert, names=chunk))
        if len(self._ids) + len(found) > REMEMBERED:
            self._ids.clear()
        self._ids.update(found)
        return found

    def forget(self) -> None:
        """Ask MySQL again: a remembered id was not there."""
        self._ids.clear()

    async def _find(self, names: Sequence[str]) -> dict[str, int]:
        rows = await self._database.read(
            lambda connection: connection.fetch(
                f"SELECT name, id FROM tags WHERE name IN ({marks(names)})", names
            )
        )
        return dict(rows)  # type: ignore[arg-type]


async def _insert(connection: Connection, *, names: Sequence[str]) -> None:
    if names:
        await connection.execute(f"INSERT INTO tags (name) VALUES {marks(names, '(%s)')}", names)
